/* SPDX-License-Identifier: BSD-2-Clause */
/* See ground.h. One lock for all of them. */
#include "checker/ground.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "checker/found.h"
#include "core/path/io.h"
#include "core/world.h"
#include "stack/types.h"
#include "support/numbered.h"

#define BYTES ((size_t)GROUND_SECTORS * DM_SECTOR)
#define SPOILT 0xdd		/* what was left, discarded, or not read */

static struct ground {
	uint8_t now[BYTES], safe[BYTES], left[BYTES];
	bool dirty[GROUND_SECTORS];	/* now is not safe */
	bool used;
	unsigned fails, slow;		/* every Nth */
} *grounds;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* guards them, and: */
static struct dm_req *waiting;
static unsigned base;
struct ground_sums ground_sums;

void ground_reset(void)
{
	unsigned i;

	if (!grounds)
		grounds = calloc(GROUNDS, sizeof(*grounds));
	assert_non_null(grounds);
	for (i = 0; i < GROUNDS; i++)
		grounds[i].used = false;
	waiting = NULL;
	base = 0;
}

void ground_base(unsigned b)
{
	base = b;
}

uint8_t *disk_bytes(unsigned n)
{
	return grounds[base + n].now;
}

void disk_look(unsigned n, size_t from, void *to, size_t bytes)
{
	pthread_mutex_lock(&lock);
	memcpy(to, disk_bytes(n) + from, bytes);
	pthread_mutex_unlock(&lock);
}

static unsigned unused_from(unsigned first)
{
	unsigned n = 0;

	while (first + n < GROUNDS && !grounds[first + n].used)
		n++;
	return n;
}

static void begin_use(struct ground *g)
{
	memset(g, 0, sizeof(*g));
	g->used = true;
}

int ground_take(unsigned n)
{
	unsigned i, k;

	for (i = 0; i < GROUNDS && unused_from(i) < n; i++)
		;
	if (i == GROUNDS)
		return -1;
	pthread_mutex_lock(&lock);
	for (k = i; k < i + n; k++)
		begin_use(&grounds[k]);
	pthread_mutex_unlock(&lock);
	return (int)i;
}

void ground_leave(unsigned n)
{
	pthread_mutex_lock(&lock);
	memset(grounds[n].now, SPOILT, BYTES);
	grounds[n].used = false;
	pthread_mutex_unlock(&lock);
}

uint8_t *ground_now(unsigned n)
{
	return grounds[n].now;
}

void ground_make_durable(unsigned n)
{
	memcpy(grounds[n].safe, grounds[n].now, BYTES);
	memset(grounds[n].dirty, 0, sizeof(grounds[n].dirty));
}

void ground_copy(unsigned to, unsigned from)
{
	pthread_mutex_lock(&lock);
	memcpy(grounds[to].now, grounds[from].now, BYTES);
	ground_make_durable(to);
	pthread_mutex_unlock(&lock);
}

void ground_fails(unsigned n, unsigned every)
{
	pthread_mutex_lock(&lock);
	grounds[n].fails = every;
	pthread_mutex_unlock(&lock);
}

void ground_is_slow(unsigned n, unsigned every)
{
	pthread_mutex_lock(&lock);
	grounds[n].slow = every;
	pthread_mutex_unlock(&lock);
}

static void left_sector(struct ground *g, size_t i)
{
	const uint8_t *from = g->dirty[i] && types_random(2) ? g->safe : g->now;

	memcpy(g->left + i * DM_SECTOR, from + i * DM_SECTOR, DM_SECTOR);
}

void ground_lose(void)
{
	unsigned n;
	size_t i;

	pthread_mutex_lock(&lock);
	for (n = 0; n < GROUNDS; n++)
		for (i = 0; grounds[n].used && i < GROUND_SECTORS; i++)
			left_sector(&grounds[n], i);
	pthread_mutex_unlock(&lock);
}

const uint8_t *ground_left(unsigned n)
{
	return grounds[n].left;
}

static void ground_flush(struct ground *g)
{
	size_t i;

	for (i = 0; i < GROUND_SECTORS; i++)
		if (g->dirty[i]) {
			memcpy(g->safe + i * DM_SECTOR, g->now + i * DM_SECTOR, DM_SECTOR);
			g->dirty[i] = false;
		}
}

static void ground_write(struct ground *g, const struct dm_req *r, uint64_t count)
{
	size_t at = r->sector << DM_SECTOR_SHIFT, bytes = count << DM_SECTOR_SHIFT, i;

	if (r->op == DM_WRITE)
		vec_get(r->data, g->now + at, bytes);
	else
		memset(g->now + at, r->op == DM_DISCARD ? SPOILT : 0, bytes);
	for (i = r->sector; i < r->sector + count; i++)
		g->dirty[i] = true;
	if (!(r->flags & DM_FUA))
		return;
	memcpy(g->safe + at, g->now + at, bytes);
	for (i = r->sector; i < r->sector + count; i++)
		g->dirty[i] = false;
}

/* A write that fails may have written a part. */
static int ground_try(struct ground *g, struct dm_req *r)
{
	bool fails = g->fails && r->op != DM_EXTENT && !types_random(g->fails);

	if (!g->used)
		found("a request of kind %u went to a disk that no table uses", r->op);
	if (r->op == DM_WRITE || dm_op_is_range(r->op))
		ground_write(g, r, fails ? types_random((unsigned)r->count + 1) : r->count);
	else if (r->op == DM_READ && !fails)
		vec_put(r->data, g->now + (r->sector << DM_SECTOR_SHIFT), r->count << DM_SECTOR_SHIFT);
	else if (r->op == DM_FLUSH && !fails)
		ground_flush(g);
	ground_sums.requests++;
	ground_sums.failed += fails;
	return !fails ? 0 : r->op == DM_WRITE && types_random(2) ? -ENOSPC : -EIO;
}

static void ground_do(struct ground *g, struct dm_req *r)
{
	int err;

	pthread_mutex_lock(&lock);
	err = ground_try(g, r);
	pthread_mutex_unlock(&lock);
	dm_done(r, err);
}

static bool ground_waits(const struct ground *g, struct dm_req *r)
{
	bool waits;

	pthread_mutex_lock(&lock);
	waits = g->slow && !types_random(g->slow);
	if (waits) {
		r->next = waiting;
		waiting = r;
	}
	pthread_mutex_unlock(&lock);
	return waits;
}

static void disk_submit(struct dm_store *s, struct dm_io *io, struct dm_req *r)
{
	struct ground *g = &grounds[numbered_n(s)];

	(void)io;
	if (!ground_waits(g, r))
		ground_do(g, r);
}

struct late {
	struct loop_msg msg;
	struct dm_req *req;
};

static void late_goes(struct loop_msg *m)
{
	struct late *l = container(m, struct late, msg);
	struct dm_req *r = l->req;

	free(l);
	dm_io_tick(r->io);
	ground_do(&grounds[numbered_n(r->store)], r);
}

void ground_let_go(void)
{
	struct dm_req *r, *next;

	pthread_mutex_lock(&lock);
	r = waiting;
	waiting = NULL;
	pthread_mutex_unlock(&lock);
	for (; r; r = next) {
		struct late *l = malloc(sizeof(*l));

		next = r->next;
		*l = (struct late){ .msg = { .run = late_goes }, .req = r };
		loop_post(r->io->loop, &l->msg);
	}
}

static int disk_open(struct dm_store_spec *w, struct dm_store **out)
{
	return numbered_open(w, &disk_type, GROUNDS, GROUND_SECTORS, out);
}

const struct dm_store_type disk_type = {
	.name = "disk", .usage = "disk:0 to disk:63", .about = "a disk of the model checker", .open = disk_open,
	.close = numbered_close, .submit = disk_submit,
};
