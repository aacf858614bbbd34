/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dust: a disk with bad blocks. Messages say which blocks are bad, and when that begins to matter: then reads of them fail,
 * and a write makes a block good again, as a disk does that has spare sectors; if it was said so, only after some failed.
 * Blocks are those of <device>, counted from its beginning.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/words.h"
#include "core/command/ask.h"
#include "core/path/fault.h"
#include "core/state/saved.h"
#include "core/table/target.h"
#include "targets/dust/badblocks.h"

#define DUST_BLOCK_MOST (1u << 30)	/* bytes */

struct dust {
	struct dm_at at;
	uint32_t block;			/* sectors */
	atomic_bool enabled;
	atomic_bool quiet;		/* nothing is logged about blocks that become bad or good */
	struct badblocks bad;
	pthread_mutex_t lock;		/* guards what follows */
	struct log_rate rate;		/* of blocks that writes make good */
};

/* A message has made BLOCK another. */
static void dust_log(const struct dust *k, uint64_t block, const char *what)
{
	if (!atomic_load(&k->quiet))
		log_info("block %llu of '%.200s', on which target dust stands, %s", (unsigned long long)block, k->at.store->name, what);
}

/* A write has made BLOCK good: that may be any number of times in a second. */
static void dust_log_mended(struct dust *k, const struct dm_req *r, uint64_t block)
{
	char others[48] = "";
	unsigned held;
	bool may;

	if (atomic_load(&k->quiet))
		return;
	pthread_mutex_lock(&k->lock);
	may = log_rate(&k->rate, r->io->now, &held);
	pthread_mutex_unlock(&k->lock);
	if (may && held)
		snprintf(others, sizeof(others), " (and %u others before)", held);
	if (may)
		log_info("block %llu of '%.200s', on which target dust stands, was written to and is good now%s", (unsigned long long)block,
			 k->at.store->name, others);
}

static int dust_fail(const struct dm_req *r, uint64_t block)
{
	dm_why(r->io, "block %llu is one of the bad blocks of target dust", (unsigned long long)block);
	return -EIO;
}

/* R lies in the bad block BLOCK. */
static int dust_bad(const struct dm_target *t, struct dm_req *r, uint64_t block)
{
	struct dust *k = t->priv;

	if (r->op == DM_READ)
		return dust_fail(r, block);
	switch (badblocks_write(&k->bad, block)) {
	case BADBLOCKS_FAILS:
		dm_saved_changed(t->table);
		return dust_fail(r, block);
	case BADBLOCKS_MENDED:
		dm_saved_changed(t->table);
		dust_log_mended(k, r, block);
		break;
	case BADBLOCKS_GOOD:
		break;		/* since a moment */
	}
	return dm_remap(r, &k->at, r->sector);
}

/* What lies before a bad block, and the block, and what lies after it are parts, so that a request fails only there. */
static int dust_map(const struct dm_target *t, struct dm_req *r)
{
	struct dust *k = t->priv;
	uint64_t first = k->at.offset + r->sector, bad, end;

	if (!atomic_load_explicit(&k->enabled, memory_order_relaxed) ||
	    !badblocks_find(&k->bad, first / k->block, (first + r->count - 1) / k->block, &bad))
		return dm_remap(r, &k->at, r->sector);
	if (r->op == DM_EXTENT)
		return DM_DONE;		/* "data": the read that follows gets the error */
	end = bad * k->block > first ? bad * k->block : (bad + 1) * k->block;
	if (first + r->count > end) {
		r->count = end - first;
		return DM_PART;
	}
	return dust_bad(t, r, bad);
}

static int dust_add(struct dust *k, struct dm_ask *a, uint64_t block, uint8_t fails)
{
	int r = badblocks_add(&k->bad, block, fails);

	if (r == -EEXIST)
		return err_set(&a->err, -EINVAL, "block %llu is a bad block already", (unsigned long long)block);
	if (r)
		return err_set(&a->err, r, "no memory for %llu bad blocks", (unsigned long long)badblocks_count(&k->bad) + 1);
	dust_log(k, block, fails ? "is bad now, and the first writes to it fail" : "is bad now");
	a->changed = true;
	return 0;
}

static int dust_remove(struct dust *k, struct dm_ask *a, uint64_t block)
{
	if (!badblocks_remove(&k->bad, block))
		return err_set(&a->err, -EINVAL, "block %llu is not a bad block", (unsigned long long)block);
	dust_log(k, block, "is good now");
	a->changed = true;
	return 0;
}

/* The answers are Linux' to the letter: programs read them. */
static int dust_query(struct dust *k, struct dm_ask *a, uint64_t block)
{
	uint64_t found;

	text_printf(&a->out, "dust_query_block: block %llu %sfound in badblocklist", (unsigned long long)block,
		    badblocks_find(&k->bad, block, block, &found) ? "" : "not ");
	return 0;
}

static int dust_count(struct dust *k, struct dm_ask *a)
{
	text_printf(&a->out, "countbadblocks: %llu badblock(s) found", (unsigned long long)badblocks_count(&k->bad));
	return 0;
}

static int dust_clear(struct dust *k, struct dm_ask *a)
{
	a->changed = badblocks_clear(&k->bad);
	text_add(&a->out, a->changed ? "dust_clear_badblocks: badblocks cleared" : "dust_clear_badblocks: no badblocks found");
	return 0;
}

static int dust_list(struct dust *k, struct dm_ask *a)
{
	uint64_t at = 0, found;

	while (badblocks_find(&k->bad, at, UINT64_MAX, &found)) {
		text_printf(&a->out, "%llu\n", (unsigned long long)found);
		at = found + 1;
	}
	return 0;
}

static int dust_enable(struct dust *k, struct dm_ask *a)
{
	a->changed = !atomic_exchange(&k->enabled, true);
	return 0;
}

static int dust_disable(struct dust *k, struct dm_ask *a)
{
	a->changed = atomic_exchange(&k->enabled, false);
	return 0;
}

static int dust_quiet(struct dust *k, struct dm_ask *a)
{
	atomic_store(&k->quiet, !atomic_load(&k->quiet));
	a->changed = true;
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct dust *k, struct dm_ask *a);
} dust_messages[] = {
	{ "countbadblocks", dust_count }, { "clearbadblocks", dust_clear }, { "listbadblocks", dust_list },
	{ "enable", dust_enable }, { "disable", dust_disable }, { "quiet", dust_quiet },
};

/* Word I of the message: a block of the disk. 0 or -EINVAL. */
static int dust_arg_block(const struct dust *k, struct dm_ask *a, int i, uint64_t *block)
{
	uint64_t blocks = (k->at.store->sectors + k->block - 1) / k->block;

	if (words_u64(a->argv[i], block))
		return err_set(&a->err, -EINVAL, "'%.80s' is not the number of a block (decimal digits)", a->argv[i]);
	if (*block >= blocks)
		return err_set(&a->err, -EINVAL, "block %llu is out of range: '%.200s' has blocks 0 to %llu of %u sectors",
			       (unsigned long long)*block, k->at.store->name, (unsigned long long)blocks - 1, k->block);
	return 0;
}

static int dust_arg_fails(struct dm_ask *a, int i, uint64_t *fails)
{
	if (a->argc <= i)
		return 0;
	if (words_u64(a->argv[i], fails) || *fails > UINT8_MAX)
		return err_set(&a->err, -EINVAL, "'%.80s' is not a number of writes that fail (0 to %u)", a->argv[i], UINT8_MAX);
	return 0;
}

/* addbadblock <block> [<fails>], removebadblock <block>, queryblock <block>. */
static int dust_block_message(struct dust *k, struct dm_ask *a, int most)
{
	uint64_t block, fails = 0;

	if (a->argc < 2 || a->argc > most)
		return err_set(&a->err, -EINVAL, "%s needs the number of a block%s", a->argv[0],
			       most > 2 ? ", and may have a number of writes that fail behind it" : " and nothing else");
	if (dust_arg_block(k, a, 1, &block) || dust_arg_fails(a, 2, &fails))
		return a->err.code;
	switch (a->argv[0][0] | 0x20) {
	case 'a':
		return dust_add(k, a, block, (uint8_t)fails);
	case 'r':
		return dust_remove(k, a, block);
	default:
		return dust_query(k, a, block);
	}
}

static int dust_message(struct dm_target *t, struct dm_ask *a)
{
	struct dust *k = t->priv;
	size_t i;

	if (!strcasecmp(a->argv[0], "addbadblock"))
		return dust_block_message(k, a, 3);
	if (!strcasecmp(a->argv[0], "removebadblock") || !strcasecmp(a->argv[0], "queryblock"))
		return dust_block_message(k, a, 2);
	for (i = 0; i < sizeof(dust_messages) / sizeof(dust_messages[0]); i++)
		if (!strcasecmp(a->argv[0], dust_messages[i].name))
			return a->argc == 1 ? dust_messages[i].run(k, a) :
				err_set(&a->err, -EINVAL, "%s takes no arguments", a->argv[0]);
	return err_set(&a->err, -EINVAL, "'%.80s' is not a message of target dust: addbadblock, removebadblock, queryblock, "
		       "countbadblocks, clearbadblocks, listbadblocks, enable, disable or quiet", a->argv[0]);
}

static uint32_t dust_arg_size(const struct dm_target *t, struct dm_args *a)
{
	uint64_t bytes = dm_arg_number(a, "<block size>", DM_SECTOR, DUST_BLOCK_MOST);

	if (bytes & (bytes - 1))
		dm_args_fail(a, "word %u <block size>: %llu bytes are not a power of 2", a->word, (unsigned long long)bytes);
	else if (bytes >> DM_SECTOR_SHIFT > t->len)
		dm_args_fail(a, "word %u <block size>: %llu bytes are more than the line's %llu sectors", a->word,
			     (unsigned long long)bytes, (unsigned long long)t->len);
	return (uint32_t)(bytes >> DM_SECTOR_SHIFT);
}

static int dust_ctr(struct dm_target *t, struct dm_args *a)
{
	struct dust *k = t->priv;

	badblocks_init(&k->bad);
	pthread_mutex_init(&k->lock, NULL);
	k->at = dm_arg_at(a, t->len);
	k->block = dust_arg_size(t, a);
	return dm_args_end(a);
}

static void dust_dtr(struct dm_target *t)
{
	struct dust *k = t->priv;

	badblocks_free(&k->bad);
	pthread_mutex_destroy(&k->lock);
}

static void dust_table(const struct dm_target *t, struct text *out)
{
	const struct dust *k = t->priv;

	dm_text_at(out, &k->at);
	text_printf(out, " %u", k->block << DM_SECTOR_SHIFT);
}

static void dust_status(const struct dm_target *t, struct text *out)
{
	const struct dust *k = t->priv;

	dm_text_store(out, k->at.store);
	text_add(out, atomic_load(&k->enabled) ? " fail_read_on_bad_block" : " bypass");
	text_add(out, atomic_load(&k->quiet) ? " quiet" : " verbose");
}

/* "1", the flags of the messages, and each bad block, with how many writes to it fail. */
#define DUST_SAVED "1 enabled=%d quiet=%d"

static int dust_save(const struct dm_target *t, bool at_rest, struct text *out, struct err *e)
{
	struct dust *k = t->priv;
	struct badblock b = { .block = 0 };
	uint64_t at;

	(void)at_rest;
	(void)e;
	text_printf(out, DUST_SAVED "\n", atomic_load(&k->enabled), atomic_load(&k->quiet));
	for (at = 0; badblocks_next(&k->bad, at, &b); at = b.block + 1)
		text_printf(out, b.fails ? "%llu %u\n" : "%llu\n", (unsigned long long)b.block, b.fails);
	return 0;
}

static int dust_restore_block(struct dust *k, const char *line, struct err *e)
{
	unsigned long long block;
	unsigned fails = 0;

	if (sscanf(line, "%llu %u", &block, &fails) < 1 || fails > UINT8_MAX)
		return err_set(e, -EINVAL, "a bad block that was saved is none: '%.40s'", line);
	return badblocks_add(&k->bad, block, (uint8_t)fails);
}

static int dust_restore(struct dm_target *t, char *saved, size_t len, struct err *e)
{
	struct dust *k = t->priv;
	char *line = strsep(&saved, "\n");
	int enabled, quiet, r = 0;

	(void)len;
	if (sscanf(line, DUST_SAVED, &enabled, &quiet) != 2)
		return err_set(e, -EINVAL, "its bad blocks were saved in a form that this version does not know");
	atomic_store(&k->enabled, enabled);
	atomic_store(&k->quiet, quiet);
	while (!r && saved && *saved)
		r = dust_restore_block(k, strsep(&saved, "\n"), e);
	return r;
}

const struct dm_type dm_dust = {
	.name = "dust",
	.usage = "<device> <offset> <block size>",
	.about = "has bad blocks, which messages add and remove: reads of them fail, and a write makes them good",
	.version = { 1, 0, 0 },
	.flags = DM_TARGET_RECORDED,
	.size = sizeof(struct dust),
	.ctr = dust_ctr,
	.dtr = dust_dtr,
	.map = dust_map,
	.save = dust_save,
	.restore = dust_restore,
	.table = dust_table,
	.status = dust_status,
	.message = dust_message,
};
