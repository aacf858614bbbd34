/* SPDX-License-Identifier: BSD-2-Clause */
/* The bitmap when a line is resumed: one that was not closed, a new one, or one that gives way to a journal. See bitmap.h. */
#include <errno.h>
#include <string.h>

#include "targets/integrity/begin.h"

void beginning_recalc_all(struct beginning *b)
{
	b->sb.flags |= IFORMAT_RECALCULATING;
	b->sb.recalc = 0;
}

static int bitmap_failed(struct beginning *b, int err)
{
	return err ? err_set(b->err, err, "the bitmap on '%s': %s", b->it->meta.store->name, strerror(-err)) : 0;
}

/* It was not closed: what is marked is computed anew, and what was to be. */
static int bitmap_found(struct beginning *b, struct ibitmap *m, bool same_bits)
{
	struct integrity *it = b->it;
	int err = ibitmap_read(m, it->clerk, &it->meta);

	if (err)
		return err;
	if (!same_bits || it->words.reset)
		ibitmap_put(m, m->disk, 0, m->provided, true);
	if (b->had < m->provided)		/* it has grown: what is new has no tags */
		ibitmap_put(m, m->disk, b->had, m->provided - b->had, true);
	if (b->sb.flags & IFORMAT_RECALCULATING && b->sb.recalc < m->provided)
		ibitmap_put(m, m->disk, b->sb.recalc, m->provided - b->sb.recalc, true);
	if (!ibitmap_all(m, m->disk, 0, m->provided, false))
		beginning_recalc_all(b);
	return ibitmap_write(m, it->clerk, &it->meta);
}

static void bitmap_fresh(struct beginning *b, struct ibitmap *m)
{
	if (b->sb.flags & IFORMAT_RECALCULATING && b->sb.recalc < m->provided)
		ibitmap_put(m, m->disk, b->sb.recalc, m->provided - b->sb.recalc, true);
}

/* The journal is not needed any more where the bitmap is to be. The superblock says first that there is one. */
int beginning_bitmap(struct beginning *b)
{
	struct integrity *it = b->it;
	unsigned bits = iformat_bits(&b->f, it->words.log2_bit);
	bool found = b->sb.flags & IFORMAT_DIRTY_BITMAP;
	struct ibitmap *m = NULL;
	int err = bitmap_failed(b, ibitmap_new(&m, &it->f, bits));

	if (!err && found)
		err = bitmap_failed(b, bitmap_found(b, m, b->sb.log2_blocks_per_bit == bits));
	else if (!err)
		bitmap_fresh(b, m);
	b->sb.flags |= IFORMAT_DIRTY_BITMAP;
	b->sb.log2_blocks_per_bit = (uint8_t)bits;
	if (!err)
		err = integrity_sb_write(it, &b->sb, b->err);
	if (!err && !found)
		err = bitmap_failed(b, ibitmap_write_all(m, it->clerk, &it->meta));
	if (err) {
		ibitmap_free(m);
		return err;
	}
	memcpy(m->may, m->disk, m->bytes);
	memcpy(m->recalc, m->disk, m->bytes);
	it->bitmap = m;
	return 0;
}

/* A journal has taken its place when the line was suspended. As above, the superblock says first that there is a bitmap. */
int integrity_bitmap_again(struct integrity *it, struct err *e)
{
	int err = integrity_sb_write(it, &it->sb, e);

	if (err)
		return err;
	err = ibitmap_write_all(it->bitmap, it->clerk, &it->meta);
	return err ? err_set(e, err, "the bitmap on '%s': %s", it->meta.store->name, strerror(-err)) : 0;
}

/* As on Linux one whose bits stand for another number of sectors says nothing. */
static int bitmap_look(struct beginning *b, bool *is_clear)
{
	unsigned bits = iformat_bits(&b->f, b->it->words.log2_bit);
	struct integrity *it = b->it;
	struct ibitmap *m = NULL;
	int err;

	*is_clear = false;
	if (b->sb.log2_blocks_per_bit != bits)
		return 0;
	err = ibitmap_new(&m, &it->f, bits);
	if (!err)
		err = ibitmap_read(m, it->clerk, &it->meta);
	*is_clear = !err && ibitmap_all(m, m->disk, 0, m->provided, false);
	ibitmap_free(m);
	return bitmap_failed(b, err);
}

/*
 * Mode B was used before, and not closed: what it has marked is computed anew. First the superblock says so, then there is a journal
 * again, then the superblock says that as well: so nothing is forgotten in between.
 */
int beginning_leave_bitmap(struct beginning *b, struct jring *j, const struct jring_io *io)
{
	struct integrity *it = b->it;
	bool is_clear;
	int err = bitmap_look(b, &is_clear);

	if (err)
		return err;
	if (!is_clear)
		beginning_recalc_all(b);
	err = integrity_sb_write(it, &b->sb, b->err);
	if (!err)
		err = bitmap_failed(b, jring_format(j, io));
	b->sb.flags &= ~(uint32_t)IFORMAT_DIRTY_BITMAP;
	return err;
}
