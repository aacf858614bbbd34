/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See journal.h. A transaction is gathered in a buffer, which is the frame that is written; the memory for the keys is
 * taken meanwhile, so that nothing can fail after the frame is in the file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/journal_own.h"

#define JOURNAL_BUFFER (1u << 20)	/* a larger one is not kept */

/* Begins the next transaction: room for the head. */
static void journal_blank(struct journal *j)
{
	static const char head[JOURNAL_HEAD_SIZE];

	j->first = NULL;
	j->last = &j->first;
	j->no_memory = false;
	j->bad_key = false;
	if (j->frame.room > JOURNAL_BUFFER)
		text_free(&j->frame);
	text_cut(&j->frame, 0);
	text_add_n(&j->frame, head, sizeof(head));
}

int journal_open(struct journal **out, const struct journal_opts *o, struct err *e)
{
	struct journal *j = calloc(1, sizeof(*j));
	int r;

	if (!j)
		return err_set(e, -ENOMEM, "no memory for the journal %s", o->path);
	j->fd = -1;
	j->durable = o->durable;
	j->read_only = o->read_only;
	j->loop = o->loop;
	j->path = strdup(o->path);
	journal_blank(j);
	r = j->path ? journal_file_open(j, o, e) : err_set(e, -ENOMEM, "no memory for the journal %s", o->path);
	if (!r)
		r = journal_read(j, e);
	if (!r && j->durable)
		r = journal_sync_start(j, e);
	if (r) {
		journal_close(j);
		return r;
	}
	*out = j;
	return 0;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	journal_sync_stop(j);
	journal_forget(j);
	journal_values_free(j);
	if (j->ours && j->fd >= 0)
		close(j->fd);
	text_free(&j->frame);
	free(j->got);
	free(j->path);
	free(j);
}

void journal_remove(struct journal *j)
{
	if (j->ours)
		unlink(j->path);
	journal_close(j);
}

/* A record of the next transaction, up to its value; X->at: where that lies in the frame. */
static struct journal_entry *journal_begin(struct journal *j, const char *key, bool gone)
{
	static const char record[JOURNAL_RECORD_SIZE];
	struct journal_entry *x = journal_entry_new(key, strlen(key));

	if (!x) {
		j->no_memory = true;
		return NULL;
	}
	j->bad_key |= !x->link.len || x->link.len > JOURNAL_KEY_MOST;	/* it could not be read again */
	*j->last = x;
	j->last = &x->next;
	x->gone = gone;
	text_add_n(&j->frame, record, sizeof(record));
	text_add_n(&j->frame, key, x->link.len);
	text_add(&j->frame, "\n");
	x->at = j->frame.len;
	return x;
}

/* The frame ends with X's value. */
static void journal_end(struct journal *j, struct journal_entry *x)
{
	size_t record = x->at - 1 - x->link.len - JOURNAL_RECORD_SIZE, len = j->frame.len - x->at;

	j->no_memory |= len > JOURNAL_COMMIT_MOST || j->frame.failed;
	if (j->no_memory)
		return;
	x->len = (uint32_t)len;
	x->crc = crc32c(0, j->frame.s + x->at, len);
	journal_record_put((uint8_t *)j->frame.s + record, x->link.len, len, x->gone);
	text_add(&j->frame, "\n");
}

static void journal_add(struct journal *j, const char *key, const char *value, size_t len, bool gone)
{
	struct journal_entry *x = journal_begin(j, key, gone);

	if (!x)
		return;
	text_add_n(&j->frame, value, len);
	journal_end(j, x);
}

void journal_put(struct journal *j, const char *key, const char *value, size_t len)
{
	if (len <= JOURNAL_COMMIT_MOST)
		journal_add(j, key, value, len, false);
	else
		j->no_memory = true;
}

void journal_put_by(struct journal *j, const char *key, void (*write)(const void *arg, struct text *out), const void *arg)
{
	struct journal_entry *x = journal_begin(j, key, false);

	if (!x)
		return;
	write(arg, &j->frame);
	journal_end(j, x);
}

void journal_drop(struct journal *j, const char *key)
{
	journal_add(j, key, "", 0, true);
}

void journal_forget(struct journal *j)
{
	struct journal_entry *x;

	while ((x = j->first)) {
		j->first = x->next;
		free(x);
	}
	journal_blank(j);
}

static int journal_refuse(struct journal *j, int code, struct err *e)
{
	return err_set(e, code, "the change cannot be recorded in %s: %s", j->path, strerror(-code));
}

/*
 * The file gets the space for N bytes and, so that a change can be taken back on a full disk, for JOURNAL_KEPT more.
 * A file system that cannot do this has no such promise.
 */
static int journal_reserve(struct journal *j, uint64_t n, bool undo)
{
	uint64_t need = j->end + n + JOURNAL_KEPT, more = need + JOURNAL_KEPT;

	if (need <= j->room || undo)
		return 0;
	if (fallocate(j->fd, FALLOC_FL_KEEP_SIZE, (off_t)j->end, (off_t)(more - j->end)) == 0) {
		j->room = more;
		return 0;
	}
	return errno == EOPNOTSUPP || errno == ENOSYS ? 0 : -errno;
}

/* Is there space before the old log, if that is still the disk's? */
static bool journal_fits(const struct journal *j, uint64_t n)
{
	return j->old_start < j->end || j->end + n <= j->old_start;
}

/* The new log has got too long for its place in front of the old one, which is still the disk's. */
static int journal_move(struct journal *j, uint64_t n, struct err *e)
{
	if (journal_fits(j, n))
		return 0;
	journal_sync_look(j, true);
	return journal_fits(j, n) ? 0 : journal_begin_log(j, e);
}

static int journal_append(struct journal *j, bool undo, struct err *e)
{
	struct journal_head h = { (uint32_t)(j->frame.len - JOURNAL_HEAD_SIZE), j->slot.log, j->number + 1, j->number };
	uint64_t size = journal_frame_size(h.len);
	int r = journal_move(j, size, e);

	if (r)
		return r;
	h.log = j->slot.log;
	if (j->durable)
		h.safe = j->safe;
	r = journal_reserve(j, size, undo);
	if (r)
		return journal_refuse(j, r, e);
	journal_head_put((uint8_t *)j->frame.s, &h);
	r = journal_write_at(j->fd, j->frame.s, size, j->end);
	if (!r)
		return 0;
	/* If this fails, too: the next frame is written over it, and none but a whole one counts. */
	if (j->old_start < j->end && ftruncate(j->fd, (off_t)j->end) == 0)
		j->room = j->end;
	return journal_refuse(j, r, e);
}

/* Nothing can fail here. */
static void journal_take_in(struct journal *j)
{
	uint64_t size = journal_frame_size(j->frame.len - JOURNAL_HEAD_SIZE);
	struct journal_entry *x;

	while ((x = j->first)) {
		j->first = x->next;
		x->at += j->end;
		journal_apply(j, x);
	}
	j->end += size;
	j->number++;
	journal_blank(j);
}

static int journal_do_commit(struct journal *j, bool undo, struct err *e)
{
	int r = 0;

	if (j->durable)
		journal_sync_look(j, false);
	if (j->no_memory || !text_room(&j->frame, JOURNAL_ALIGN) || j->frame.failed)
		r = journal_refuse(j, -ENOMEM, e);
	else if (j->bad_key)
		r = journal_refuse(j, -ENAMETOOLONG, e);
	else if (j->frame.len > JOURNAL_COMMIT_MOST)
		r = journal_refuse(j, -EFBIG, e);
	else if (j->lost)
		r = journal_refuse(j, -EIO, e);
	else if (j->first)
		r = journal_append(j, undo, e);
	if (r || !j->first) {
		journal_forget(j);
		return r;
	}
	journal_take_in(j);
	journal_tidy(j);
	return 0;
}

int journal_commit(struct journal *j, struct err *e)
{
	return journal_do_commit(j, false, e);
}

int journal_commit_undo(struct journal *j, struct err *e)
{
	return journal_do_commit(j, true, e);
}
