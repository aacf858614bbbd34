/* SPDX-License-Identifier: BSD-2-Clause */
/* I/O errors in words: see fault.h. This is called only for failures, so it may take a lock. */
#include "core/path/fault.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "base/utf8.h"
#include "core/world.h"

#define FAULT_KINDS 16		/* any more are counted with the last one */

/* A kind of failure: operation, place, errno. */
struct dm_fault {
	uint8_t op;
	int err;
	const void *place;	/* the store, only for comparing; NULL: a line or the device itself has failed it */
	uint64_t times, last;	/* on the world's clock, ns */
	struct log_rate rate;
	char text[480];		/* the last one that was logged */
};

struct dm_faults {
	pthread_mutex_t lock;
	unsigned n;
	struct dm_fault kinds[FAULT_KINDS];
};

void dm_why(struct dm_io *io, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(io->why, sizeof(io->why), fmt, ap);
	va_end(ap);
}

/* Created by the first io thread that needs it. */
static struct dm_faults *faults_of(struct dm_device *d)
{
	struct dm_faults *f = atomic_load(&d->faults), *none = NULL;

	if (f)
		return f;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	pthread_mutex_init(&f->lock, NULL);
	if (atomic_compare_exchange_strong(&d->faults, &none, f))
		return f;
	pthread_mutex_destroy(&f->lock);
	free(f);
	return none;
}

static struct dm_fault *faults_kind(struct dm_faults *f, uint8_t op, const void *place, int err)
{
	unsigned i;

	for (i = 0; i < f->n; i++)
		if (f->kinds[i].op == op && f->kinds[i].place == place && f->kinds[i].err == err)
			return &f->kinds[i];
	if (f->n == FAULT_KINDS)
		return &f->kinds[FAULT_KINDS - 1];
	f->kinds[f->n] = (struct dm_fault){ .op = op, .err = err, .place = place };
	return &f->kinds[f->n++];
}

static void fault_sectors(struct text *out, uint64_t first, uint64_t n)
{
	if (n > 1)
		text_printf(out, "sectors %" PRIu64 " to %" PRIu64, first, first + n - 1);
	else
		text_printf(out, "sector %" PRIu64, first);
}

/* Where below D it failed: the file and its sectors, or the device. */
static void fault_where(struct text *out, const struct dm_req *r, const struct dm_device *d)
{
	const struct dm_device *last = r->depth ? r->path[r->depth - 1]->device : d;
	char name[DM_NAME_MAX + 1];

	if (r->store && !r->store->device) {
		text_printf(out, " (%.200s", r->store->name);
		if (r->asked != DM_FLUSH) {
			text_add(out, ", ");
			fault_sectors(out, r->sector, r->count);
		}
		text_add(out, ")");
	} else if (last != d) {
		text_printf(out, " (device %s)", dm_device_name(last, name));
	}
}

static void fault_word(struct text *out, const struct dm_req *r, const struct dm_device *d, int err)
{
	static const char *const ops[DM_OPS] = {
		[DM_READ] = "read", [DM_WRITE] = "write", [DM_FLUSH] = "flush", [DM_DISCARD] = "discard",
		[DM_ZEROES] = "writing zeros to", [DM_EXTENT] = "extent query",
	};

	text_add(out, ops[r->asked]);
	if (r->asked != DM_FLUSH) {
		text_add(out, r->asked == DM_ZEROES ? " " : " of ");
		fault_sectors(out, r->at, r->count);
	}
	fault_where(out, r, d);
	text_printf(out, " failed: %s", *r->io->why ? r->io->why : strerror(-err));
}

/* What failed, as long as it is not known whether the client sees it. */
struct dm_fault_deferred {
	struct dm_fault_deferred *next;
	const struct dm_req *whole;
	struct dm_device *device;
	uint8_t op;
	int err;
	const void *place;
	char text[480];
};

/* SAID: the words; NULL: R has them. */
static void fault_count(struct dm_fault *k, const struct dm_req *r, const struct dm_device *d, const char *said)
{
	struct text text = TEXT_INIT;
	char name[DM_NAME_MAX + 1];
	unsigned held;

	k->times++;
	k->last = clock_now(d->world->clock);
	if (!log_rate(&k->rate, k->last, &held))
		return;
	if (!said)
		fault_word(&text, r, d, k->err);
	snprintf(k->text, sizeof(k->text), "%s", said ? said : text_str(&text));
	utf8_one_line(k->text, sizeof(k->text));
	dm_device_name(d, name);
	if (held)
		log_error_of(name, "%s: %s (and %u like it before)", name, k->text, held);
	else
		log_error_of(name, "%s: %s", name, k->text);
	text_free(&text);
}

/* The request that was submitted, of which R may be a piece. */
static struct dm_req *fault_whole(struct dm_req *r)
{
	while (r->parent)
		r = r->parent;
	return r;
}

/* The first device that R passed. */
static struct dm_device *fault_device(const struct dm_req *r)
{
	struct dm_device *d = NULL;

	for (; r; r = r->parent)
		if (r->depth)
			d = r->path[0]->device;
	return d;
}

/* Extent requests, read-ahead, and requests cut short by the end of the daemon have not failed. */
static bool fault_is_one(const struct dm_req *r, int err)
{
	return err != -EOPNOTSUPP && err != -ESHUTDOWN && r->asked != DM_EXTENT && !(r->flags & DM_AHEAD);
}

bool dm_fault_is_deferred(const struct dm_req *r)
{
	while (r->parent && !r->maker)
		r = r->parent;
	return r->parent;
}

/* All requests that R is a part of have a part that failed. */
static void fault_mark(struct dm_req *r)
{
	for (; r; r = r->parent)
		r->flags |= DM_PART_FAILED;
}

/* False: there is no memory. */
static bool fault_hold(struct dm_req *r, const struct dm_req *whole, struct dm_device *d, int err)
{
	struct dm_fault_deferred *h = malloc(sizeof(*h));
	struct text text = TEXT_INIT;

	if (!h)
		return false;
	fault_word(&text, r, d, err);
	*h = (struct dm_fault_deferred){ r->io->deferred_faults, whole, d, r->asked, err, r->store, "" };
	snprintf(h->text, sizeof(h->text), "%s", text_str(&text));
	text_free(&text);
	r->io->deferred_faults = h;
	return true;
}

void dm_fault(struct dm_req *r, int err)
{
	struct dm_req *whole = fault_whole(r);
	struct dm_device *d = fault_device(r);
	struct dm_faults *f;

	if (d && fault_is_one(r, err) && !(whole->flags & DM_PART_FAILED) && (f = faults_of(d))) {
		fault_mark(r);		/* its client sees one failure, however many pieces fail */
		if (r == whole || !fault_hold(r, whole, d, err)) {
			pthread_mutex_lock(&f->lock);
			fault_count(faults_kind(f, r->asked, r->store, err), r, d, NULL);
			pthread_mutex_unlock(&f->lock);
		}
	}
	*r->io->why = '\0';
}

/* What is held for WHOLE, which is no longer, or NULL. */
static struct dm_fault_deferred *fault_take(struct dm_io *io, const struct dm_req *whole)
{
	struct dm_fault_deferred **at = &io->deferred_faults, *h;

	while (*at && (*at)->whole != whole)
		at = &(*at)->next;
	h = *at;
	if (h)
		*at = h->next;
	return h;
}

void dm_fault_report(const struct dm_req *whole)
{
	struct dm_fault_deferred *h = fault_take(whole->io, whole);
	struct dm_faults *f = h ? faults_of(h->device) : NULL;

	if (f) {
		pthread_mutex_lock(&f->lock);
		fault_count(faults_kind(f, h->op, h->place, h->err), NULL, h->device, h->text);
		pthread_mutex_unlock(&f->lock);
	}
	free(h);
}

void dm_fault_drop(struct dm_req *r)
{
	free(fault_take(r->io, fault_whole(r)));
	for (; r; r = r->parent)
		r->flags &= ~DM_PART_FAILED;
}

static void fault_tell(const struct dm_fault *k, uint64_t now, struct text *out)
{
	unsigned long long seconds = (now - k->last) / TIMERS_SECOND;

	text_add(out, k->text);
	if (k->times > 1)
		text_printf(out, " (%" PRIu64 " like it, the last %llu second%s ago)\n", k->times, seconds, text_plural(seconds));
	else
		text_printf(out, " (%llu second%s ago)\n", seconds, text_plural(seconds));
}

void dm_faults_tell(struct dm_device *d, struct text *out)
{
	struct dm_faults *f = atomic_load(&d->faults);
	unsigned i;

	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	for (i = 0; i < f->n; i++)
		fault_tell(&f->kinds[i], clock_now(d->world->clock), out);
	pthread_mutex_unlock(&f->lock);
}

void dm_faults_forget(struct dm_device *d)
{
	struct dm_faults *f = atomic_load(&d->faults);

	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	f->n = 0;
	pthread_mutex_unlock(&f->lock);
}

void dm_faults_free(struct dm_device *d)
{
	struct dm_faults *f = atomic_load(&d->faults);

	if (!f)
		return;
	pthread_mutex_destroy(&f->lock);
	free(f);
}
