/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The beginning of a line, when it is resumed: the superblock is read, or made if there are zeros; it has to fit to the words and
 * to the devices; then the journal is replayed. Each time anew: somebody else may have used the devices meanwhile.
 */
#include <errno.h>
#include <gcrypt.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "core/world.h"
#include "targets/integrity/begin.h"

void integrity_journal_io(const struct integrity *it, struct jring_io *io)
{
	*io = (struct jring_io){ .clerk = it->clerk, .data = &it->data, .meta = &it->meta, .tags = it->tags };
}

void integrity_unbind(struct integrity *it)
{
	jring_free(it->journal);
	it->journal = NULL;
	ibitmap_free(it->bitmap);
	it->bitmap = NULL;
}

/* --- the superblock --------------------------------------------------------------------------------------------------------- */

/* With fix_hmac and a MAC: that of the superblock is at the end of its sector. */
static void sb_mac(struct integrity *it, uint8_t *out)
{
	struct ihash_state *s = ihash_take(&it->mac);

	ihash_begin(s);
	ihash_add(s, it->sector, DM_SECTOR - it->mac.size);
	ihash_end(s, out);
	ihash_give(&it->mac, s);
}

static bool sb_has_mac(const struct integrity *it, const struct iformat_sb *sb)
{
	return it->mac.kind && sb->flags & IFORMAT_FIXED_HMAC;
}

int integrity_sb_write(struct integrity *it, const struct iformat_sb *sb, struct err *e)
{
	struct iformat_sb as = *sb;
	int err;

	memset(it->sector, 0, IFORMAT_SB_SECTORS * DM_SECTOR);
	iformat_sb_set_version(&as, it->words.mode == 'B', it->has_meta);
	iformat_sb_write(&as, it->sector);
	if (sb_has_mac(it, sb))
		sb_mac(it, it->sector + DM_SECTOR - it->mac.size);
	err = clerk_write(it->clerk, &it->meta, 0, IFORMAT_SB_SECTORS, it->sector, DM_FUA);
	return err ? err_set(e, err, "the superblock on '%s' cannot be written: %s", it->meta.store->name, strerror(-err)) : 0;
}

static int sb_load(struct beginning *b)
{
	struct integrity *it = b->it;
	int err;

	if (it->meta.offset > it->meta.store->sectors || it->meta.store->sectors - it->meta.offset < IFORMAT_SB_SECTORS)
		return err_set(b->err, -EINVAL, "'%s' has %" PRIu64 " sectors: there is no room for a superblock at sector %" PRIu64, it->meta.store->name,
			       it->meta.store->sectors, it->meta.offset);
	err = clerk_read(it->clerk, &it->meta, 0, IFORMAT_SB_SECTORS, it->sector);
	return err ? err_set(b->err, err, "the superblock on '%s' cannot be read: %s", it->meta.store->name, strerror(-err)) : 0;
}

static bool all_zeros(const uint8_t *bytes, size_t n)
{
	return !bytes[0] && !memcmp(bytes, bytes + 1, n - 1);
}

static int sb_make(struct beginning *b)
{
	struct integrity *it = b->it;
	const struct integrity_words *w = &it->words;
	struct iformat_new n = integrity_new(it);

	if (w->mode != 'R' && !all_zeros(it->sector, IFORMAT_SB_SECTORS * DM_SECTOR))
		return err_set(b->err, -EINVAL, "'%s' is no integrity device: at sector %" PRIu64 " it has neither a superblock nor 4096 bytes of zeros, which would "
				"be made one", it->meta.store->name, it->meta.offset);
	b->is_new = w->mode != 'R';
	if (iformat_make(&b->f, &b->sb, &n, b->err))
		return err_prefix(b->err, "'%s': ", it->meta.store->name);
	if (b->sb.flags & IFORMAT_FIXED_HMAC)
		gcry_create_nonce(b->sb.salt, sizeof(b->sb.salt));
	return 0;
}

static bool sb_is_signed(struct beginning *b)
{
	uint8_t mac[IHASH_MOST];

	sb_mac(b->it, mac);
	return !memcmp(mac, b->it->sector + DM_SECTOR - b->it->mac.size, b->it->mac.size);
}

static int sb_take(struct beginning *b)
{
	iformat_sb_read(&b->sb, b->it->sector);
	if (iformat_check(&b->f, &b->sb, b->err))
		return err_prefix(b->err, "'%s': ", b->it->meta.store->name);
	if (b->it->words.mode != 'R' && sb_has_mac(b->it, &b->sb) && !sb_is_signed(b))
		return err_set(b->err, -EILSEQ, "the superblock on '%s' has not the MAC that the key of journal_mac gives", b->it->meta.store->name);
	return 0;
}

/* --- does it fit? ------------------------------------------------------------------------------------------------------------ */

static int check_words(const struct beginning *b)
{
	const struct integrity_words *w = &b->it->words;
	const char *name = b->it->meta.store->name;

	if (b->sb.tag_size != w->tag_size)
		return err_set(b->err, -EINVAL, "'%s' has tags of %u bytes, the table says %u", name, b->sb.tag_size, w->tag_size);
	if (b->sb.log2_block > 3 || 1u << b->sb.log2_block != w->block)
		return err_set(b->err, -EINVAL, "'%s' has blocks of %u sectors, the table says %u", name, b->sb.log2_block < 32 ? 1u << b->sb.log2_block : 0,
			       w->block);
	if (!(b->sb.flags & IFORMAT_MAC_IN_JOURNAL) != !b->it->mac.kind)
		return err_set(b->err, -EINVAL, "the journal of '%s' has %s MAC, the table says otherwise (journal_mac)", name,
			       b->it->mac.kind ? "no" : "a");
	return 0;
}

/*
 * Somebody who can change the disks, but has no key, could have tags made for what he has written. As on Linux it does not matter
 * for what this line has begun itself, after a crash in mode B: a suspend in between does not end it.
 */
static bool recalc_is_safe(const struct beginning *b)
{
	const struct integrity *it = b->it;

	if (it->words.legacy)
		return true;
	if (b->sb.flags & IFORMAT_FIXED_HMAC)
		return !it->hash.key || it->mac.key;
	return !it->hash.key && !it->mac.key;
}

static int check_recalc(struct beginning *b)
{
	const struct integrity *it = b->it;

	if (it->words.recalculate && it->words.mode != 'R' && !(b->sb.flags & IFORMAT_RECALCULATING)) {
		b->sb.flags |= IFORMAT_RECALCULATING;
		b->sb.recalc = 0;
	}
	if (!(b->sb.flags & IFORMAT_RECALCULATING))
		return 0;
	if (!it->hash.kind)
		return err_set(b->err, -EINVAL, "tags are recalculated with an internal_hash, and the table has none");
	if (b->sb.recalc < b->f.provided && !it->recalcs_itself && !recalc_is_safe(b))
		return err_set(b->err, -EOPNOTSUPP, "tags with a key are not recalculated unless the table says legacy_recalculate: whoever can change the device "
				"below would get right tags for what he has written (with fix_hmac and a key for journal_mac it is safe)");
	return 0;
}

static int check_size(const struct beginning *b)
{
	const struct dm_target *t = b->it->target;

	if (t->len > b->f.provided)
		return err_set(b->err, -EINVAL, "'%s' provides %" PRIu64 " sectors beside tags and journal, less than the %" PRIu64 " of the line",
			       b->it->data.store->name, b->f.provided, t->len);
	return 0;
}

static int place(struct beginning *b)
{
	struct integrity *it = b->it;

	b->f = integrity_devices(it);
	if (iformat_is_sb(it->sector) ? sb_take(b) : sb_make(b))
		return b->err->code;
	if (check_words(b))
		return b->err->code;
	if (iformat_measure(&b->f, &b->sb) || iformat_place(&b->f, &b->sb))
		return err_set(b->err, -EINVAL, "'%s' has %" PRIu64 " sectors, fewer than its superblock needs", it->meta.store->name, b->f.meta_sectors);
	if (b->is_new)
		b->sb.log2_blocks_per_bit = (uint8_t)iformat_bits(&b->f, it->words.log2_bit);
	return check_size(b) ? b->err->code : check_recalc(b);
}

/* --- binding ----------------------------------------------------------------------------------------------------------------- */

/* Requests are cut so that their tags are few, they lie in one area, and the journal has room for several. */
static uint32_t cut_of(const struct iformat *f)
{
	uint32_t cut = INTEGRITY_CUT;

	if (!f->meta && f->log2_interleave < 8)
		cut = 1u << f->log2_interleave;
	while (cut > f->block && (cut / f->block * f->tag_size > INTEGRITY_TAG_BYTES || cut / f->block > f->per_section))
		cut /= 2;
	return cut;
}

static void bind(struct beginning *b)
{
	struct integrity *it = b->it;
	struct dm_at tags = { it->meta.store, it->meta.offset + b->f.initial };

	pthread_mutex_lock(&it->lock);
	it->f = b->f;
	it->sb = b->sb;
	it->cut = cut_of(&b->f);
	it->bound = true;
	pthread_mutex_unlock(&it->lock);
	tags_bind(it->tags, &tags, it->meta.store->sectors - tags.offset);
}

static int journal_tag_differs(void *arg, uint64_t sector, const uint8_t *data, const uint8_t *tag)
{
	struct integrity *it = arg;
	struct ihash_state *s = ihash_take(&it->hash);
	struct iovec one = { (void *)(uintptr_t)data, it->f.block * (size_t)DM_SECTOR };
	uint8_t right[IFORMAT_TAG_MOST];

	integrity_tag(it, s, sector, (struct vec){ &one, 0 }, right);
	ihash_give(&it->hash, s);
	return memcmp(right, tag, it->f.tag_size);
}

int integrity_seal_new(struct integrity *it, struct seal **out, struct err *e)
{
	const uint8_t *salt = it->sb.flags & IFORMAT_FIXED_HMAC ? it->sb.salt : NULL;

	return seal_new(out, &it->f, it->mac.kind ? &it->mac : NULL, salt, &it->cipher, e);
}

static int ring_new(struct integrity *it, struct jring **out, struct err *e)
{
	struct seal *seal;
	int err = integrity_seal_new(it, &seal, e);

	return err ? err : jring_new(out, &it->f, seal, it->words.watermark, integrity_journal_is_low, it, e);
}

/* A new one, or what is in it; or there is a bitmap in its place. */
static int begin_ring(struct beginning *b, struct jring *j, const struct jring_io *io)
{
	struct integrity *it = b->it;
	struct jring_check check = { it->hash.kind ? journal_tag_differs : NULL, it };

	if (b->is_new)
		return jring_format(j, io) ? err_set(b->err, -EIO, "a journal cannot be written to '%s'", it->meta.store->name) : 0;
	if (!(b->sb.flags & IFORMAT_DIRTY_BITMAP))
		return jring_replay(j, io, &check, it->words.mode == 'J', b->err);
	return it->words.mode == 'B' ? 0 : beginning_leave_bitmap(b, j, io);
}

static int begin_journal(struct beginning *b)
{
	struct jring *j = NULL;
	struct jring_io io;
	int err = ring_new(b->it, &j, b->err);

	integrity_journal_io(b->it, &io);
	if (!err)
		err = begin_ring(b, j, &io);
	if (err || b->it->words.mode != 'J')
		jring_free(j);
	else
		b->it->journal = j;
	return err;
}

static void took(struct beginning *b)
{
	struct integrity *it = b->it;
	bool recalcs = b->sb.flags & IFORMAT_RECALCULATING && b->sb.recalc < b->f.provided;

	pthread_mutex_lock(&it->lock);
	it->sb = b->sb;
	it->recalcs_itself = b->sb.flags & IFORMAT_RECALCULATING;
	pthread_mutex_unlock(&it->lock);
	atomic_store(&it->recalc_at, recalcs ? b->sb.recalc : UINT64_MAX);
}

/* The superblock is as it should be, and what is to be in its place is there. */
static int begin_bound(struct beginning *b)
{
	struct iformat_sb before = b->sb;
	int err;

	b->had = b->sb.provided;
	b->sb.provided = b->f.provided;
	if (b->sb.recalc > b->f.provided)
		b->sb.recalc = b->f.provided;
	b->sb.recalc -= b->sb.recalc % b->f.block;	/* it may be damaged */
	err = begin_journal(b);
	if (!err && b->it->words.reset)
		beginning_recalc_all(b);
	if (!err && b->it->words.mode == 'B')
		err = beginning_bitmap(b);
	if (!err && (b->is_new || memcmp(&before, &b->sb, sizeof(before))))
		err = integrity_sb_write(b->it, &b->sb, b->err);
	return err;
}

static int begin(struct beginning *b)
{
	int err = sb_load(b);

	if (!err)
		err = place(b);
	if (err)
		return err;
	integrity_unbind(b->it);
	bind(b);
	err = b->it->words.mode == 'R' ? 0 : begin_bound(b);
	if (!err)
		took(b);
	return err;
}

/* What the end has left on the disks is a new journal; in memory all is as it was, which needs no memory again. */
void integrity_go_on(struct clerk *c, struct clerk_job *j)
{
	struct integrity *it = clerk_owner(c);

	(void)j;
	dm_step_done(it->step, it->bitmap ? integrity_bitmap_again(it, it->step->err) : 0);
}

void integrity_begin(struct clerk *c, struct clerk_job *j)
{
	struct integrity *it = clerk_owner(c);
	struct beginning b = { .it = it, .err = it->step->err };

	(void)j;
	dm_step_done(it->step, begin(&b));
}
