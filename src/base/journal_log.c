/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A journal begins a new log: the whole state is written into free space of the file, and a slot makes that the current
 * log. See journal_format.h. A journal that is not durable does so at once; else the disk must have the new log before
 * the slot, and the thread of journal_sync.c writes that. Meanwhile transactions go to the new log: they count when
 * journal_sync() has answered, which is after that.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/journal_own.h"

#define JOURNAL_FRAME (1u << 20)	/* bytes of a frame of the state, unless it has only one record */
#define JOURNAL_SLACK (256u << 10)	/* bytes that may be out of date, however small the state is */

/* A new log in the making. */
struct journal_draft {
	struct journal *j;
	struct journal_slot slot;
	uint64_t end;
	struct text frame;
};

/* Is more than half of the log out of date? */
static bool log_is_stale(const struct journal *j)
{
	return j->end - j->slot.start > 2 * j->live + JOURNAL_SLACK;
}

static int draft_flush(struct journal_draft *d)
{
	struct journal_head h = { (uint32_t)(d->frame.len - JOURNAL_HEAD_SIZE), d->slot.log, d->slot.number,
				  d->slot.number };
	size_t size = journal_frame_size(h.len);
	int r;

	if (!text_room(&d->frame, JOURNAL_ALIGN) || d->frame.failed)
		return -ENOMEM;
	if (!h.len)
		return 0;
	journal_head_put((uint8_t *)d->frame.s, &h);
	r = journal_write_at(d->j->fd, d->frame.s, size, d->end);
	d->end += size;
	text_cut(&d->frame, JOURNAL_HEAD_SIZE);
	return r;
}

/* A value may be as long as a transaction: with others before it the frame would be too long to be read again. */
static int draft_begin(struct journal_draft *d, const struct journal_entry *x, struct err *e)
{
	int r = d->frame.len + journal_entry_size(x) > JOURNAL_FRAME ? draft_flush(d) : 0;

	return r ? err_set(e, r, "cannot write to %s: %s", d->j->path, strerror(-r)) : journal_value(d->j, x, e);
}

static int draft_add(struct journal_draft *d, struct journal_entry *x, struct err *e)
{
	uint8_t record[JOURNAL_RECORD_SIZE];
	int r = draft_begin(d, x, e);

	if (r)
		return r;
	journal_record_put(record, x->link.len, x->len, false);
	text_add_n(&d->frame, (const char *)record, sizeof(record));
	text_add_n(&d->frame, x->key, x->link.len);
	text_add(&d->frame, "\n");
	x->moved = d->end + d->frame.len;
	text_add_n(&d->frame, d->j->got, x->len);
	text_add(&d->frame, "\n");
	return 0;
}

static int draft_write(struct journal_draft *d, struct err *e)
{
	static const char head[JOURNAL_HEAD_SIZE];
	struct hash_link *l, *following;
	int r = 0;

	text_add_n(&d->frame, head, sizeof(head));
	hash_each(l, following, &d->j->values) {
		r = draft_add(d, container(l, struct journal_entry, link), e);
		if (r)
			return r;
	}
	r = draft_flush(d);
	d->slot.whole = d->end - d->slot.start;
	return r ? err_set(e, r, "cannot write to %s: %s", d->j->path, strerror(-r)) : 0;
}

/* In front of the current log if there is ample space, else behind all that is needed. */
static uint64_t draft_place(const struct journal *j)
{
	uint64_t size = j->live + j->live / JOURNAL_FRAME * 4 * JOURNAL_HEAD_SIZE + 2 * JOURNAL_BLOCK;
	uint64_t end = j->end > j->old_end ? j->end : j->old_end;

	if (!j->old_start && JOURNAL_LOGS + size + 2 * JOURNAL_KEPT <= j->slot.start)
		return JOURNAL_LOGS;
	return (end + JOURNAL_BLOCK - 1) / JOURNAL_BLOCK * JOURNAL_BLOCK;
}

/* The file ends with the current log; what lies before it takes no space, where the file system can do that. */
void journal_free_old(struct journal *j)
{
	j->old_start = j->old_end = 0;
	if (ftruncate(j->fd, (off_t)j->end) == 0)
		j->room = j->end;
	if (j->slot.start > JOURNAL_LOGS)
		fallocate(j->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, JOURNAL_LOGS,
			  (off_t)(j->slot.start - JOURNAL_LOGS));
}

/* The slot of a log that did not become the current one is cleared. If even that fails, nobody knows which one counts. */
static int journal_switch(struct journal *j, const struct journal_slot *s)
{
	int r = journal_slot_write(j->fd, !j->which, s);

	if (r && journal_slot_write(j->fd, !j->which, NULL))
		j->lost = true;
	return r;
}

static void journal_adopt(struct journal *j, const struct journal_draft *d)
{
	struct hash_link *l, *following;
	struct journal_entry *x;

	hash_each(l, following, &j->values) {
		x = container(l, struct journal_entry, link);
		x->at = x->moved;
	}
	if (!j->old_start) {
		j->old_start = j->slot.start;
		j->old_end = j->end;
		j->which = !j->which;
	}
	j->slot = d->slot;
	j->end = d->end;
	j->room = j->end;
	j->again = 0;
}

int journal_begin_log(struct journal *j, struct err *e)
{
	struct journal_draft d = {
		.j = j, .slot = { .log = j->slot.log + 1, .start = draft_place(j), .number = j->number },
	};
	int r;

	d.end = d.slot.start;
	r = draft_write(&d, e);
	if (!r && !j->durable) {
		r = journal_switch(j, &d.slot);
		if (r)
			err_set(e, r, "cannot write to %s: %s", j->path, strerror(-r));
	}
	text_free(&d.frame);
	if (r) {
		if (d.slot.start > j->end && !j->old_start && ftruncate(j->fd, (off_t)j->end) == 0)
			j->room = j->end;
		return r;
	}
	journal_adopt(j, &d);
	if (j->durable)
		journal_sync_log(j);
	else {
		journal_slot_write(j->fd, !j->which, NULL);
		journal_free_old(j);
	}
	return 0;
}

void journal_tidy(struct journal *j)
{
	struct err e;

	if (log_is_stale(j) && !j->old_start && j->end >= j->again && journal_begin_log(j, &e))
		j->again = j->end + JOURNAL_SLACK + j->live / 4;
}
