/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a journal's state from its file: which log is the current one, its frames, and where it ends. See
 * journal_format.h for how an end is told from damage.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/journal_own.h"
#include "base/log.h"

#define JOURNAL_WINDOW (1u << 20)

/* A part of the file in memory. */
struct journal_window {
	int fd;
	uint64_t size;		/* of the file */
	uint8_t *bytes;
	size_t room;
	uint64_t at;
	size_t len;
	int code;		/* why nothing could be read */
};

static bool journal_window_grow(struct journal_window *w, size_t n)
{
	uint8_t *p;

	if (n <= w->room)
		return true;
	if (n < JOURNAL_WINDOW)
		n = JOURNAL_WINDOW;
	p = realloc(w->bytes, n);
	if (!p) {
		w->code = -ENOMEM;
		return false;
	}
	w->bytes = p;
	w->room = n;
	return true;
}

static bool journal_window_fill(struct journal_window *w, uint64_t at, size_t n)
{
	ssize_t r;

	w->at = at;
	for (w->len = 0; w->len < n; w->len += (size_t)r) {
		r = pread(w->fd, w->bytes + w->len, w->room - w->len, (off_t)(at + w->len));
		if (r < 0 && errno == EINTR)
			r = 0;
		else if (r <= 0) {
			w->code = r ? -errno : 0;
			return false;
		}
	}
	return true;
}

/* N bytes at AT. NULL: the file ends before, or CODE says why not. */
static const uint8_t *journal_window_get(struct journal_window *w, uint64_t at, size_t n)
{
	if (at > w->size || n > w->size - at)
		return NULL;
	if (at < w->at || at + n > w->at + w->len)
		if (!journal_window_grow(w, n) || !journal_window_fill(w, at, n))
			return NULL;
	return w->bytes + (at - w->at);
}

/* The good frame of J's log at AT; NULL: none. */
static const uint8_t *journal_frame_at(const struct journal *j, struct journal_window *w, uint64_t at,
				       struct journal_head *h)
{
	const uint8_t *p = journal_window_get(w, at, JOURNAL_HEAD_SIZE);

	if (!p || !journal_head_get(p, h) || h->log != j->slot.log)
		return NULL;
	p = journal_window_get(w, at, journal_frame_size(h->len));
	return p && journal_frame_good(p, h) ? p : NULL;
}

static int journal_damaged(const struct journal *j, uint64_t at, struct err *e)
{
	return err_set(e, -EBADMSG, "%s is damaged at byte %llu; it was left as it is: restore a copy of it, or move it away "
		       "to start without the devices that it describes", j->path, (unsigned long long)at);
}

static int journal_read_failed(const struct journal *j, int code, struct err *e)
{
	return err_set(e, code, "cannot read %s: %s", j->path, strerror(-code));
}

/* The records of the frame P at AT. False: there is no memory. */
static bool journal_frame_apply(struct journal *j, const uint8_t *p, const struct journal_head *h, uint64_t at, bool *good)
{
	struct journal_record r;
	struct journal_entry *x;
	size_t pos = 0;

	p += JOURNAL_HEAD_SIZE;
	while (pos < h->len) {
		*good = journal_record_get(p, h->len, &pos, &r);
		if (!*good)
			return true;
		x = journal_entry_new(r.key, r.key_len);
		if (!x)
			return false;
		x->gone = r.gone;
		x->len = (uint32_t)r.len;
		x->crc = crc32c(0, r.value, r.len);
		x->at = at + JOURNAL_HEAD_SIZE + (uint64_t)((const uint8_t *)r.value - p);
		journal_apply(j, x);
	}
	return true;
}

/* One frame, which must have that number. 1: there is none, or -errno and a sentence. */
static int journal_read_frame(struct journal *j, struct journal_window *w, uint64_t number, struct err *e)
{
	struct journal_head h;
	const uint8_t *p = journal_frame_at(j, w, j->end, &h);
	bool good = true;

	if (w->code)
		return journal_read_failed(j, w->code, e);
	if (!p || h.number != number)
		return 1;
	if (!journal_frame_apply(j, p, &h, j->end, &good))
		return journal_read_failed(j, -ENOMEM, e);
	if (!good)
		return journal_damaged(j, j->end, e);
	j->end += journal_frame_size(h.len);
	j->number = number;
	return 0;
}

/* Is there a later frame that says that the one at the end was safe? Then it was damaged. */
static int journal_look_behind(struct journal *j, struct journal_window *w, struct err *e)
{
	struct journal_head h;
	uint64_t at;

	for (at = j->end; at < w->size && !w->code; at += JOURNAL_ALIGN)
		if (journal_frame_at(j, w, at, &h) && h.safe > j->number)
			return journal_damaged(j, j->end, e);
	return w->code ? journal_read_failed(j, w->code, e) : 0;
}

static int journal_read_log(struct journal *j, struct journal_window *w, struct err *e)
{
	uint64_t whole = j->slot.start + j->slot.whole;
	int r = 0;

	j->end = j->slot.start;
	j->number = j->slot.number;
	while (!r && j->end < whole)
		r = journal_read_frame(j, w, j->slot.number, e);
	if (!r && (j->end != whole || whole > w->size))
		r = 1;
	if (r)
		return r > 0 ? journal_damaged(j, j->end, e) : r;
	while (!r)
		r = journal_read_frame(j, w, j->number + 1, e);
	return r > 0 ? journal_look_behind(j, w, e) : r;
}

static int journal_read_mark(const struct journal *j, const uint8_t *head, struct err *e)
{
	int r = journal_mark_get(head);

	if (r == -EINVAL)
		return err_set(e, -EINVAL, "%s is not a file in which dmuse keeps its state; it was left as it is: choose another "
			       "directory, or remove it", j->path);
	if (r < 1)
		return journal_damaged(j, 0, e);
	if (r > JOURNAL_VERSION)
		return err_set(e, -EPROTONOSUPPORT, "%s was written by a newer dmuse: it is in version %d of the format, and this "
			       "program reads version %d; start the newer one, or choose another directory", j->path, r,
			       JOURNAL_VERSION);
	return 0;
}

/* The current log: that of the slot with the higher number. */
static int journal_read_slots(struct journal *j, const uint8_t *head, struct err *e)
{
	struct journal_slot s;
	unsigned i;

	j->slot.log = 0;
	for (i = 0; i < 2; i++)
		if (journal_slot_get(head + (1 + i) * JOURNAL_BLOCK, &s) && s.log > j->slot.log) {
			j->slot = s;
			j->which = i;
		}
	return j->slot.log ? 0 : journal_damaged(j, JOURNAL_BLOCK, e);
}

static int journal_read_head(struct journal *j, struct journal_window *w, struct err *e)
{
	uint8_t short_head[JOURNAL_MARK_SIZE] = { 0 };
	const uint8_t *head = journal_window_get(w, 0, JOURNAL_LOGS);
	int r;

	if (w->code)
		return journal_read_failed(j, w->code, e);
	if (head) {
		r = journal_read_mark(j, head, e);
		return r ? r : journal_read_slots(j, head, e);
	}
	head = journal_window_get(w, 0, w->size < JOURNAL_MARK_SIZE ? w->size : JOURNAL_MARK_SIZE);
	if (head)
		memcpy(short_head, head, w->size < JOURNAL_MARK_SIZE ? w->size : JOURNAL_MARK_SIZE);
	r = w->code ? journal_read_failed(j, w->code, e) : journal_read_mark(j, short_head, e);
	return r ? r : journal_damaged(j, w->size, e);
}

/* A transaction was being written when the process was killed, or the power failed; nobody was told of it. */
static void journal_read_torn(const struct journal *j, struct journal_window *w)
{
	const uint8_t *p = journal_window_get(w, j->end, JOURNAL_HEAD_SIZE);
	struct journal_head h;

	if (p && journal_head_get(p, &h) && h.log == j->slot.log)
		log_warn("%s: the last transaction (%llu) is not whole; the state before it is used", j->path,
			 (unsigned long long)h.number);
}

/*
 * What lies behind the end is cut off, what lies before the log is cleared, and so is the slot of an older log. A log may lie
 * there that was begun and did not become the current one: the next one gets its number, and perhaps its place.
 */
static int journal_read_mend(struct journal *j, uint64_t size, struct err *e)
{
	int r = 0;

	if (j->durable && fdatasync(j->fd))	/* the disk may still have the slot of the log that is cleared */
		r = -errno;
	if (!r && size > j->end && ftruncate(j->fd, (off_t)j->end))
		r = -errno;
	if (!r)
		r = journal_zero(j->fd, JOURNAL_LOGS, j->slot.start);
	if (!r)
		r = journal_slot_write(j->fd, !j->which, NULL);
	if (!r && j->durable && fdatasync(j->fd))
		r = -errno;
	return r ? err_set(e, r, "cannot write to %s: %s", j->path, strerror(-r)) : 0;
}

int journal_read(struct journal *j, struct err *e)
{
	struct journal_window w = { .fd = j->fd };
	struct stat st;
	int r;

	if (fstat(j->fd, &st))
		return journal_read_failed(j, -errno, e);
	w.size = (uint64_t)st.st_size;
	r = journal_read_head(j, &w, e);
	if (!r)
		r = journal_read_log(j, &w, e);
	if (!r && !j->read_only)
		journal_read_torn(j, &w);
	free(w.bytes);
	if (!r && !j->read_only)
		r = journal_read_mend(j, w.size, e);
	j->safe = j->number;
	return r;
}
