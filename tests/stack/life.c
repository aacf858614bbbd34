/* SPDX-License-Identifier: BSD-2-Clause */
/* See life.h. */
#include "stack/life.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "core/device/devices.h"
#include "core/device/move.h"
#include "stack/types.h"

#define SIZE 4096u		/* sectors of everything */
#define UPPER 960u		/* the clients' sectors above the copies: over the border of d6's lines */
#define LOWER 2048u		/* below them, a chunk for each */
#define BORDER 1001u
#define OLD 0x11		/* what all bytes were */

const char *const life_devices[LIFE_DEVICES] = { "m", "d0", "d1", "d2", "d3", "d4", "e4", "d5", "d6", "d7" };

static const char *any(void)
{
	static const char *const types[] = { "linear", "holds", "backs", "bites" };

	return types[types_random(4)];
}

void life_table(const struct life *l, const char *name, char *to)
{
	const char *leg = l->lame ? "bad" : "memory,size=2M:leg";

	if (!strcmp(name, "m"))
		snprintf(to, LIFE_TABLE, "0 %u linear memory,size=2M:meta 0", SIZE);
	else if (!strcmp(name, "d0"))
		snprintf(to, LIFE_TABLE, "0 %u commits m 0 %s 0", SIZE, l->base);
	else if (!strcmp(name, "d2"))
		snprintf(to, LIFE_TABLE, "0 %u legs d1 0 %s 0", SIZE, leg);
	else if (name[1] == '4')
		snprintf(to, LIFE_TABLE, "0 %u cows d3 0 memory,size=2M:copies 0", SIZE);
	else if (!strcmp(name, "d6"))
		snprintf(to, LIFE_TABLE, "0 %u %s d5 0\n%u %u %s d5 %u", BORDER, any(), BORDER, SIZE - BORDER, any(), BORDER);
	else if (!strcmp(name, "d7"))
		snprintf(to, LIFE_TABLE, "0 %u xors d6 0", SIZE);
	else
		snprintf(to, LIFE_TABLE, "0 %u %s d%c 0", SIZE, any(), name[1] - 1);
}

/* The test's own, held open. backs may refuse a few times. */
static struct dm_device *life_device(struct life *l, const char *name)
{
	char table[LIFE_TABLE], why[ERR_TEXT];
	struct dm_device *d;
	unsigned tries = 0;

	do
		life_table(l, name, table);
	while (create(&l->f, name, table, why) == -EIO && tries++ < 100);
	d = dm_find_name(l->f.world, name);
	if (!d)
		fail_msg("%s: %s", name, why);
	dm_open(d);
	return d;
}

/* Upper clients share chunks, also those of d4 and e4. */
static void life_clients(struct life *l)
{
	static const char *const on[LIFE_CLIENTS] = { "d7", "e4", "d5", "d7", "e4", "d4", "e4", "d7", "d5", "e4", "d6", "d7",
						      "d3", "d2", "d0", "d0", "x" };
	unsigned i;

	for (i = 0; i < LIFE_CLIENTS; i++) {
		struct client *c = &l->clients[i];
		bool lower = on[i][0] == 'd' && on[i][1] < '4';

		client_init(c, i + 1, &l->f.world->io[i % 2], lower ? LOWER + i * COWS_CHUNK : UPPER + i * CLIENT_SECTORS, true);
		c->plain = !strcmp(on[i], "d7");
		c->commits = true;
		if (on[i][0] != 'x')
			client_start(c, dm_find_name(l->f.world, on[i]));
	}
}

void life_begin(struct life *l, const char *file)
{
	static uint8_t old[SIZE * DM_SECTOR];
	unsigned i;

	types_reset();
	memset(l, 0, sizeof(*l));
	l->lame = types_random(3) == 0;
	snprintf(l->base, sizeof(l->base), "%s", file ? file : "memory,size=2M:base");
	elsewhere_begin();
	fixture_begin(&l->f, 2, types_random(2) ? AIO_AUTO : AIO_POOL);
	assert_int_equal(create(&l->f, "bad", "0 4096 error", NULL), 0);
	assert_int_equal(create(&l->f, "w", "0 4096 linear memory,size=2M:copies 0", NULL), 0);
	for (i = 0; i < LIFE_DEVICES; i++)
		life_device(l, life_devices[i]);
	memset(old, OLD, sizeof(old));
	assert_int_equal(request(&l->f, dm_find_name(l->f.world, "d3"), 0, DM_WRITE, 0, 0, SIZE, old), 0);
	life_clients(l);
}

static void life_read(struct life *l, const char *name, uint64_t sector, uint64_t n, uint8_t *to)
{
	struct dm_device *d = dm_find_name(l->f.world, name);
	int r;

	dm_open(d);
	r = request(&l->f, d, types_random(2), DM_READ, 0, sector, n, to);
	dm_close(d);
	if (r)
		types_found("a read fails at the end");
}

static bool is_old(const uint8_t *sector)
{
	return sector[0] == OLD && !memcmp(sector, sector + 1, DM_SECTOR - 1);
}

static bool is_zero(const uint8_t *sector)
{
	return sector[0] == 0 && !memcmp(sector, sector + 1, DM_SECTOR - 1);
}

/* What was written has been copied before, as it was; and nothing else. */
static void life_check_copies(struct life *l)
{
	static uint8_t now[SIZE * DM_SECTOR], copies[SIZE * DM_SECTOR];
	unsigned i;

	life_read(l, "d3", 0, SIZE, now);
	life_read(l, "w", 0, SIZE, copies);
	for (i = 0; i < SIZE; i++) {
		const uint8_t *copy = copies + i * DM_SECTOR;

		if (!is_old(copy) && !is_zero(copy))
			types_found("a chunk was written to before it was copied");
		if (i < LOWER && !is_old(now + i * DM_SECTOR) && !is_old(copy))
			types_found("a chunk was written to and not copied");
	}
}

void life_check(struct life *l)
{
	uint8_t data[CLIENT_SECTORS * DM_SECTOR];
	unsigned i;

	for (i = 0; i + 1 < LIFE_CLIENTS; i++) {
		life_read(l, l->clients[i].name, l->clients[i].start, CLIENT_SECTORS, data);
		client_check(&l->clients[i], data);
	}
	life_check_copies(l);
}

bool life_clients_stopped(const struct life *l)
{
	unsigned i;

	for (i = 0; i < LIFE_CLIENTS; i++)
		if (!atomic_load(&l->clients[i].stopped))
			return false;
	return true;
}

void life_end(struct life *l, bool in_order)
{
	struct list *n, *next;
	struct err e = ERR_INIT;

	list_each(n, next, &l->f.world->devices) {
		struct dm_device *d = container(n, struct dm_device, node);

		while (d->open_count > d->users)
			dm_close(d);
	}
	if (dm_world_stop(l->f.world, &e) && (in_order || e.code == -ETIMEDOUT))
		fail_msg("%s", e.text);
	assert_int_equal(l->f.world->n_devices, 0);
	loop_turn(l->f.loop, 0);
	assert_true(list_empty(&l->f.world->stores));
	dm_world_free(l->f.world);
	loop_free(l->f.loop);
	elsewhere_end();
}

static void device_tell(const struct dm_device *d)
{
	unsigned i;

	fprintf(stderr, "# %s: state %d, gate %d, acks %u, open %u; lanes:", d->name, d->state, d->gate, d->acks, d->open_count);
	for (i = 0; i < d->world->n_io; i++) {
		const struct dm_lane *lane = &d->lanes[i];
		const struct dm_req *r;
		unsigned parked = 0;

		for (r = lane->parked; r; r = r->next)
			parked++;
		fprintf(stderr, " gate %d, %u under way%s, %u parked;", lane->gate, lane->inflight,
			lane->draining ? " (waited for)" : "", parked);
	}
	if (d->moving.move)
		fprintf(stderr, " move %p%s%s%s%s%s", (void *)d->moving.move, d->moving.below ? ", below" : "",
			d->moving.was_suspended ? ", was suspended" : "", d->moving.move->noflush ? ", noflush" : "",
			d->moving.move->back ? ", back" : "", d->moving.move->given_up ? ", given up" : "");
	fprintf(stderr, "\n");
}

void life_tell(struct life *l)
{
	struct text where = TEXT_INIT;
	struct list *n, *next;
	unsigned i;

	dm_move_where(l->f.world, &where);
	fprintf(stderr, "%s", text_str(&where));
	text_free(&where);
	list_each(n, next, &l->f.world->devices)
		device_tell(container(n, struct dm_device, node));
	for (i = 0; i < LIFE_CLIENTS; i++) {
		const struct client *c = &l->clients[i];
		uint64_t since = atomic_load(&c->since);

		fprintf(stderr, "# client %u on %s: %" PRIu64 " answers, %s", c->number, c->name, atomic_load(&c->answered),
			atomic_load(&c->stopped) ? "stopped\n" : "");
		if (!atomic_load(&c->stopped))
			fprintf(stderr, "operation %u, %" PRIu64 " ms ago\n", atomic_load(&c->op),
				since ? (clock_now(&clock_monotonic) - since) / 1000000 : 0);
	}
}
