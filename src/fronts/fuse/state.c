/* SPDX-License-Identifier: BSD-2-Clause */
/* The journal of the front: see state.h. */
#include "fronts/fuse/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/journal.h"
#include "base/keep.h"
#include "base/log.h"
#include "fronts/fuse/server.h"

#define STATE_NAME "fuse-state"
#define STATE_STEP 4096u	/* so many numbers are recorded as taken at once */

static uint64_t state_number(struct fuse_front *f, const char *key)
{
	size_t len;
	const char *value = journal_get(f->state.journal, key, &len);

	return value ? strtoull(value, NULL, 10) : 0;
}

static int state_open(struct fuse_front *f, struct err *e)
{
	struct fuse_state *s = &f->state;
	struct journal_opts o = { .path = STATE_NAME };
	int r;

	s->fd = keep_take(STATE_NAME);
	if (s->fd < 0) {
		s->fd = memfd_create(STATE_NAME, MFD_CLOEXEC);
		if (s->fd < 0)
			return err_set(e, -errno, "cannot make a file in memory: %s", strerror(errno));
		r = keep_fd(STATE_NAME, s->fd, e);
		if (r)
			return r;
	}
	o.fd = s->fd;
	return journal_open(&s->journal, &o, e);
}

static void state_nonce(struct fuse_front *f)
{
	struct fuse_state *s = &f->state;
	uint32_t random = 0;
	char value[24];

	s->nonce = state_number(f, "nonce");
	if (s->nonce || getrandom(&random, sizeof(random), 0) < 0)
		return;
	s->nonce = random;
	snprintf(value, sizeof(value), "%" PRIu64, s->nonce);
	fuse_state_put(f, value, strlen(value), "nonce");
	fuse_state_commit(f);
}

/* Without it everything works, but for the time after this daemon. */
int fuse_state_begin(struct fuse_front *f, struct err *e)
{
	struct fuse_state *s = &f->state;
	int r;

	s->fd = -1;
	if (!keep_is_there())
		return 0;
	r = state_open(f, e);
	if (r) {
		s->journal = NULL;
		return r;
	}
	state_nonce(f);
	s->serials = state_number(f, "serials");
	s->handles = state_number(f, "handles");
	if (s->serials > f->next_id)
		f->next_id = s->serials;
	f->handles.last = s->handles;
	return 0;
}

void fuse_state_end(struct fuse_front *f)
{
	struct fuse_state *s = &f->state;

	if (s->journal)
		keep_drop(STATE_NAME);
	journal_close(s->journal);
	if (s->fd >= 0)
		close(s->fd);
	s->journal = NULL;
}

void fuse_state_put(struct fuse_front *f, const char *value, size_t len, const char *key, ...)
{
	char full[JOURNAL_KEY_MOST + 1];
	va_list ap;

	if (!f->state.journal)
		return;
	va_start(ap, key);
	vsnprintf(full, sizeof(full), key, ap);
	va_end(ap);
	journal_put(f->state.journal, full, value, len);
	f->state.changed = true;
}

void fuse_state_drop(struct fuse_front *f, const char *key, ...)
{
	char full[JOURNAL_KEY_MOST + 1];
	va_list ap;

	if (!f->state.journal)
		return;
	va_start(ap, key);
	vsnprintf(full, sizeof(full), key, ap);
	va_end(ap);
	journal_drop(f->state.journal, full);
	f->state.changed = true;
}

void fuse_state_commit(struct fuse_front *f)
{
	struct fuse_state *s = &f->state;
	struct err e = ERR_INIT;

	if (!s->changed)
		return;
	s->changed = false;
	if (!journal_commit(s->journal, &e)) {
		s->failed = false;
		return;
	}
	if (!s->failed)
		log_warn("programs that have devices open would lose them with this daemon: %s", e.text);
	s->failed = true;
}

struct state_walk {
	struct fuse_front *front;
	const char *prefix;
	fuse_state_see *see;
};

static int state_see(void *arg, const char *key, const char *value, size_t len)
{
	const struct state_walk *w = arg;

	if (!strncmp(key, w->prefix, strlen(w->prefix)))
		w->see(w->front, key + strlen(w->prefix), value, len);
	return 0;
}

void fuse_state_each(struct fuse_front *f, const char *prefix, fuse_state_see *see)
{
	struct state_walk w = { f, prefix, see };
	struct err e = ERR_INIT;

	if (journal_each(f->state.journal, state_see, &w, &e))
		log_error("of what programs have open, a part is lost: %s", e.text);
}

/* Many at once, so that this costs nothing. */
static void state_take(struct fuse_front *f, const char *key, uint64_t *taken, uint64_t number)
{
	char value[24];

	if (!f->state.journal || number < *taken)
		return;
	*taken = number + STATE_STEP;
	snprintf(value, sizeof(value), "%" PRIu64, *taken);
	fuse_state_put(f, value, strlen(value), "%s", key);
}

uint64_t fuse_serial(struct fuse_front *f)
{
	state_take(f, "serials", &f->state.serials, f->next_id);
	return f->next_id++;
}

void fuse_state_handle(struct fuse_front *f, uint64_t number)
{
	state_take(f, "handles", &f->state.handles, number >> FUSE_HANDLE_BITS);
}
