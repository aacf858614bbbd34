/* SPDX-License-Identifier: BSD-2-Clause */
/* See pending.h. The lists have their blocks in the order of completion, and are in that order themselves. */
#include "targets/log_writes/pending.h"

int pending_new(struct pending *p, struct err *e)
{
	*p = (struct pending){ .flushes = NULL };
	blocks_init(&p->due);
	blocks_init(&p->unflushed);
	return recent_new(&p->recent, e);
}

void pending_free(struct pending *p)
{
	recent_free(&p->recent);
}

void pending_wrote(struct pending *p, struct block *b)
{
	b->number = ++p->number;
	recent_note(&p->recent, b);
	blocks_add(&p->unflushed, b);
}

void pending_early(struct pending *p)
{
	struct block *f;

	for (f = p->flushes; f; f = f->later)
		blocks_move(&p->due, &f->covers);
	blocks_move(&p->due, &p->unflushed);
}

/* The number of the first that waits, or one that there is not yet. */
static uint64_t oldest(const struct pending *p)
{
	const struct block *f = p->flushes, *b;

	while (f && !f->covers.first)
		f = f->later;
	b = f ? f->covers.first : p->unflushed.first;
	return b ? b->number : p->number + 1;
}

static bool overlap(const struct block *a, const struct block *b)
{
	return a->sector < b->sector + b->count && b->sector < a->sector + a->count;
}

/* The last one of LIST that B has written over, or FOUND. */
static const struct block *overlapped_in(const struct blocks *list, const struct block *b, const struct block *found)
{
	const struct block *a;

	for (a = list->first; a; a = a->next)
		if (overlap(a, b))
			found = a;
	return found;
}

static const struct block *last_overlapped(const struct pending *p, const struct block *b)
{
	const struct block *last = NULL, *f;

	if (!recent_overlaps(&p->recent, b, oldest(p)))
		return NULL;
	for (f = p->flushes; f; f = f->later)
		last = overlapped_in(&f->covers, b, last);
	return overlapped_in(&p->unflushed, b, last);
}

/* LIST becomes due, up to LAST. True: that was in it. */
static bool due_up_to(struct pending *p, struct blocks *list, const struct block *last)
{
	struct block *a;

	while ((a = blocks_take(list))) {
		blocks_add(&p->due, a);
		if (a == last)
			return true;
	}
	return false;
}

/*
 * B goes by what was not flushed. But what it has written over may not come after it: replayed, the log would bring the older
 * data back. (Linux's does.) What was completed before that comes along, which it may have written over.
 */
void pending_durable(struct pending *p, struct block *b)
{
	const struct block *last = last_overlapped(p, b);
	bool found = !last;
	struct block *f;

	for (f = p->flushes; f && !found; f = f->later)
		found = due_up_to(p, &f->covers, last);
	if (!found)
		due_up_to(p, &p->unflushed, last);
	blocks_add(&p->due, b);
}

void pending_flush_begins(struct pending *p, struct block *b)
{
	struct block **last;

	blocks_move(&b->covers, &p->unflushed);
	for (last = &p->flushes; *last; last = &(*last)->later)
		;
	*last = b;
}

static void flush_is_over(struct pending *p, const struct block *b)
{
	struct block **at;

	for (at = &p->flushes; *at != b; at = &(*at)->later)
		;
	*at = b->later;
}

/*
 * B may be over before flushes that were submitted before it: it covers what they do, since that was completed before B was
 * submitted, too. (Linux's logs it after B, as if B had not made it durable.)
 */
void pending_flushed(struct pending *p, struct block *b)
{
	struct block *f;

	for (f = p->flushes; f != b; f = f->later)
		blocks_move(&p->due, &f->covers);
	flush_is_over(p, b);
	blocks_move(&p->due, &b->covers);
	blocks_add(&p->due, b);
}

/*
 * It promises nothing, and stands in no log: what it would have covered waits for the next one, before what was completed
 * meanwhile.
 */
void pending_flush_failed(struct pending *p, struct block *b)
{
	struct blocks *next = b->later ? &b->later->covers : &p->unflushed;

	flush_is_over(p, b);
	blocks_move(&b->covers, next);
	blocks_move(next, &b->covers);
}
