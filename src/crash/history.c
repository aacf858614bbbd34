/* SPDX-License-Identifier: BSD-2-Clause */
/* See history.h. The log stays mapped, and the data of the writes in it. */
#include "crash/history.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "core/path/req.h"
#include "targets/log_writes/format.h"
#include "targets/log_writes/read.h"

static int history_lacks(struct err *e)
{
	return err_set(e, -ENOMEM, "no memory for the recording");
}

/* Room for one more in an array that grows by doubling. */
static void *history_room(void *array, size_t n, size_t each)
{
	return n & (n - 1) ? array : reallocarray(array, n ? 2 * n : 1, each);
}

static int history_add_cut(struct history *h, uint64_t entry, enum cut_kind kind, size_t first, struct err *e)
{
	struct history_cut *cuts = history_room(h->cuts, h->n_cuts, sizeof(*cuts));

	if (!cuts)
		return history_lacks(e);
	h->cuts = cuts;
	cuts[h->n_cuts++] = (struct history_cut){ .entry = entry, .kind = kind, .epoch = h->epochs, .first = first, .last = h->n_writes,
						  .marks = h->n_marks };
	return 0;
}

static int history_add_mark(struct history *h, const struct wlog_entry *entry, struct err *e)
{
	struct history_mark *marks = history_room(h->marks, h->n_marks, sizeof(*marks));
	char *text = strdup(entry->mark);

	if (marks)
		h->marks = marks;
	if (!marks || !text) {
		free(text);
		return history_lacks(e);
	}
	marks[h->n_marks++] = (struct history_mark){ .entry = entry->number, .text = text };
	return 0;
}

static int history_add_write(struct history *h, const struct history_log *log, const struct wlog_entry *entry, struct err *e)
{
	struct history_write *writes = history_room(h->writes, h->n_writes, sizeof(*writes));
	uint64_t sectors = h->size >> DM_SECTOR_SHIFT;

	if (!writes)
		return history_lacks(e);
	h->writes = writes;
	if (entry->sector > sectors || entry->count > sectors - entry->sector)
		return err_set(e, -EINVAL, "entry %" PRIu64 " of the log goes to sectors %" PRIu64 " to %" PRIu64 "; the disk has %" PRIu64,
			       entry->number, entry->sector, entry->sector + entry->count - 1, sectors);
	writes[h->n_writes++] = (struct history_write){
		.entry = entry->number, .sector = entry->sector, .count = entry->count, .epoch = h->epochs,
		.data = entry->kind == WLOG_IS_WRITE ? log->at + entry->data : NULL, .fua = entry->flags & WLOG_FUA };
	return 0;
}

/* FIRST: of the epoch. */
static int history_take(struct history *h, const struct wlog_entry *entry, size_t *first, struct err *e)
{
	int r = 0;

	if (entry->kind == WLOG_IS_MARK)
		return history_add_mark(h, entry, e);
	if (entry->kind == WLOG_IS_FLUSH || entry->flags & WLOG_FLUSH) {
		r = history_add_cut(h, entry->number, CUT_FLUSH, *first, e);
		*first = h->n_writes;
		h->epochs++;
	}
	if (!r && entry->kind != WLOG_IS_FLUSH)
		r = history_add_write(h, &h->log, entry, e);
	if (!r && entry->kind == WLOG_IS_WRITE && entry->flags & WLOG_FUA)
		r = history_add_cut(h, entry->number, CUT_FUA, *first, e);
	return r;
}

static int history_take_all(struct history *h, struct wlog *log, struct err *e)
{
	struct wlog_entry entry;
	size_t first = 0;
	int found;

	while ((found = wlog_next(log, &entry, e)) > 0) {
		h->ended = entry.kind == WLOG_IS_MARK && !strcmp(entry.mark, WLOG_END_MARK);
		if (h->ended)
			break;
		if (history_take(h, &entry, &first, e))
			return e->code;
		h->entries++;
	}
	if (found < 0)
		return found;
	if (history_add_cut(h, h->entries, CUT_END, first, e) || history_add_cut(h, h->entries, CUT_AFTER, h->n_writes, e))
		return e->code;
	h->n_cuts--;
	return 0;
}

static int history_map(struct history_log *log, int fd, const char *name, struct err *e)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st))
		return err_set(e, -errno, "%s: %s", name, strerror(errno));
	p = st.st_size ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
	if (p == MAP_FAILED)
		return err_set(e, -EINVAL, "%s: %s", name, st.st_size ? strerror(errno) : "it is empty");
	*log = (struct history_log){ p, (size_t)st.st_size };
	return 0;
}

int history_read(struct history *h, int fd, const char *name, uint64_t size, uint32_t unit, struct err *e)
{
	struct wlog *log = NULL;
	int r;

	*h = (struct history){ .size = size, .unit = unit };
	r = history_map(&h->log, fd, name, e);
	if (!r)
		r = wlog_open(&log, fd, name, e);
	if (!r)
		r = history_take_all(h, log, e);
	wlog_close(log);
	if (r)
		history_free(h);
	return r;
}

int history_read_after(struct history *h, int fd, const char *name, struct err *e)
{
	struct wlog_entry entry;
	struct wlog *log = NULL;
	int found = 0, r;

	r = history_map(&h->after, fd, name, e);
	if (!r)
		r = wlog_open(&log, fd, name, e);
	while (!r && (found = wlog_next(log, &entry, e)) > 0) {
		entry.number += h->entries;	/* after all of the first log */
		if (entry.kind == WLOG_IS_WRITE || entry.kind == WLOG_IS_DISCARD)
			r = history_add_write(h, &h->after, &entry, e);
	}
	wlog_close(log);
	h->cuts[h->n_cuts].first = h->cuts[h->n_cuts].last = h->n_writes;
	return r ? r : found;
}

void history_free(struct history *h)
{
	size_t i;

	for (i = 0; i < h->n_marks; i++)
		free(h->marks[i].text);
	free(h->marks);
	free(h->writes);
	free(h->cuts);
	if (h->log.at)
		munmap((void *)(uintptr_t)h->log.at, h->log.size);
	if (h->after.at)
		munmap((void *)(uintptr_t)h->after.at, h->after.size);
	*h = (struct history){ .size = 0 };
}

bool history_is_candidate(const struct history *h, const struct history_cut *c, size_t w)
{
	return w >= c->first && w < c->last && (!h->writes[w].fua || h->writes[w].entry == c->entry);
}
