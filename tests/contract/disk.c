/* SPDX-License-Identifier: BSD-2-Clause */
/* See disk.h. One lock for everything: speed does not matter here. */
#include "contract/disk.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/device/device.h"
#include "core/path/io.h"
#include "support/numbered.h"

#define HELD 512u
#define BYTES ((size_t)DISK_SECTORS * DM_SECTOR)

static struct {
	pthread_mutex_t lock;
	uint8_t now[DISKS][BYTES], safe[DISKS][BYTES];
	unsigned writes, cut_after;
	struct disk_count count[DISKS];
	bool cut;
	int flush_err;
	unsigned holds;			/* one bit per disk */
	struct dm_req *held[HELD];
	unsigned n_held;
} all = { .lock = PTHREAD_MUTEX_INITIALIZER, .cut_after = UINT32_MAX };

void disk_reset(void)
{
	memset(all.now, 0, sizeof(all.now));
	memset(all.safe, 0, sizeof(all.safe));
	all.writes = 0;
	memset(all.count, 0, sizeof(all.count));
	all.cut_after = UINT32_MAX;
	all.cut = false;
	all.flush_err = 0;
}

uint8_t *disk_bytes(unsigned n)
{
	return all.now[n];
}

void disk_look(unsigned n, size_t from, void *to, size_t bytes)
{
	pthread_mutex_lock(&all.lock);
	memcpy(to, all.now[n] + from, bytes);
	pthread_mutex_unlock(&all.lock);
}

void disk_cut_after(unsigned writes)
{
	memcpy(all.safe, all.now, sizeof(all.safe));
	all.cut_after = all.writes + writes;
}

void disk_cut_now(void)
{
	pthread_mutex_lock(&all.lock);
	all.cut = true;
	pthread_mutex_unlock(&all.lock);
}

void disk_fail_flushes(int err)
{
	pthread_mutex_lock(&all.lock);
	all.flush_err = err;
	pthread_mutex_unlock(&all.lock);
}

bool disk_is_cut(void)
{
	bool cut;

	pthread_mutex_lock(&all.lock);
	cut = all.cut;
	pthread_mutex_unlock(&all.lock);
	return cut;
}

unsigned disk_writes(void)
{
	unsigned n;

	pthread_mutex_lock(&all.lock);
	n = all.writes;
	pthread_mutex_unlock(&all.lock);
	return n;
}

struct disk_count disk_count(unsigned n)
{
	struct disk_count count;

	pthread_mutex_lock(&all.lock);
	count = all.count[n];
	pthread_mutex_unlock(&all.lock);
	return count;
}

void disk_power_on(enum disk_luck luck)
{
	uint8_t *now = all.now[0], *safe = all.safe[0];
	size_t i;

	for (i = 0; i < sizeof(all.now); i += DM_SECTOR)
		if (luck == DISK_NONE || (luck == DISK_SOME && i / DM_SECTOR * 2654435761u >> 16 & 1))
			memcpy(now + i, safe + i, DM_SECTOR);
	all.cut_after = UINT32_MAX;
	all.cut = false;
}

void disk_world_end(struct fixture *f, struct dm_device *d)
{
	dm_close(d);
	fixture_end(f);
}

void disk_crash(struct fixture *f, struct dm_device *d)
{
	disk_cut_after(0);
	disk_world_end(f, d);
	disk_power_on(DISK_ALL);
}

/* Without power nothing changes. */
static void disk_write(unsigned n, const struct dm_req *r)
{
	size_t at = r->sector << DM_SECTOR_SHIFT, bytes = r->count << DM_SECTOR_SHIFT;

	all.cut = all.cut || all.writes >= all.cut_after;
	all.writes++;
	all.count[n].writes++;
	all.count[n].durable += r->flags & DM_FUA ? 1 : 0;
	if (all.cut)
		return;
	if (r->op == DM_WRITE)
		vec_get(r->data, all.now[n] + at, bytes);
	else
		memset(all.now[n] + at, 0, bytes);
	if (r->flags & DM_FUA)
		memcpy(all.safe[n] + at, all.now[n] + at, bytes);
}

/* Nobody may rely on a store that refuses this: a device below does, a file and memory do not. */
static void disk_check(unsigned n, const struct dm_req *r)
{
	if (r->op == DM_FLUSH || (r->sector <= DISK_SECTORS && r->count <= DISK_SECTORS - r->sector))
		return;
	fprintf(stderr, "disk %u has %u sectors, and there was a request for %llu of them from sector %llu on\n", n, DISK_SECTORS,
		(unsigned long long)r->count, (unsigned long long)r->sector);
	abort();
}

static void disk_do(unsigned n, struct dm_req *r)
{
	int err;

	disk_check(n, r);
	pthread_mutex_lock(&all.lock);
	all.count[n].flushes += r->op == DM_FLUSH;
	if (r->op == DM_READ)
		vec_put(r->data, all.now[n] + (r->sector << DM_SECTOR_SHIFT), r->count << DM_SECTOR_SHIFT);
	else if (r->op == DM_FLUSH && !all.cut && !all.flush_err)
		memcpy(all.safe[n], all.now[n], BYTES);
	else if (r->op == DM_WRITE || dm_op_is_range(r->op))
		disk_write(n, r);
	err = r->op == DM_FLUSH ? all.flush_err : 0;
	pthread_mutex_unlock(&all.lock);
	dm_done(r, err);
}

static bool disk_keep(unsigned n, struct dm_req *r)
{
	bool keep;

	pthread_mutex_lock(&all.lock);
	keep = all.holds >> n & 1;
	if (keep) {
		assert_true(all.n_held < HELD);
		all.held[all.n_held++] = r;
	}
	pthread_mutex_unlock(&all.lock);
	return keep;
}

static void disk_submit(struct dm_store *s, struct dm_io *io, struct dm_req *r)
{
	unsigned n = numbered_n(s);

	(void)io;
	if (!disk_keep(n, r))
		disk_do(n, r);
}

void disk_hold(unsigned n)
{
	pthread_mutex_lock(&all.lock);
	all.holds |= 1u << n;
	pthread_mutex_unlock(&all.lock);
}

unsigned disk_held(void)
{
	unsigned n;

	pthread_mutex_lock(&all.lock);
	n = all.n_held;
	pthread_mutex_unlock(&all.lock);
	return n;
}

struct disk_kept {
	struct loop_msg msg;
	struct dm_req *req;
};

/* On the request's own thread. */
static void disk_goes(struct loop_msg *m)
{
	struct disk_kept *k = container(m, struct disk_kept, msg);
	struct dm_req *r = k->req;

	free(k);
	disk_do(numbered_n(r->store), r);
}

void disk_let_go(void)
{
	struct disk_kept *k;
	unsigned i;

	pthread_mutex_lock(&all.lock);
	for (i = 0; i < all.n_held; i++) {
		k = malloc(sizeof(*k));
		*k = (struct disk_kept){ .msg = { .run = disk_goes }, .req = all.held[i] };
		loop_post(k->req->io->loop, &k->msg);
	}
	all.n_held = 0;
	all.holds = 0;
	pthread_mutex_unlock(&all.lock);
}

static int disk_open(struct dm_store_spec *w, struct dm_store **out)
{
	return numbered_open(w, &disk_type, DISKS, DISK_SECTORS, out);
}

const struct dm_store_type disk_type = {
	.name = "disk", .usage = "disk:0 to disk:3", .about = "a disk of a test", .open = disk_open, .close = numbered_close,
	.submit = disk_submit,
};
