/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compares the good legs, for the actions check and repair, as Linux does: 64 KiB at a time, or a region if that is less, and each leg
 * that differs from the first one there counts with all of these sectors. repair writes what the first one has to the others. Small
 * neighbouring regions are read together; if a leg cannot be read there, they are compared one by one.
 */
#include <stdlib.h>
#include <string.h>

#include "targets/raid/array.h"


struct compare_leg {
	struct dm_req req;
	struct compare *compare;
	unsigned leg;
	bool read;			/* it could be */
	uint8_t *data;
};

/* A hand's. */
struct compare {
	struct raid_hand *hand;
	struct loop_msg msg;
	uint64_t sector, end;		/* what is left of the run */
	uint64_t count;			/* of this piece */
	unsigned n, pending;
	bool unread;			/* a leg could not be */
	struct compare_leg legs[RAID1_LEGS];
};

static void compare_piece(struct loop_msg *msg);

bool compare_wants(const struct sweep *s, uint64_t region)
{
	(void)s, (void)region;
	return true;
}

static struct array *array_of(const struct compare *k)
{
	return k->hand->hand.sweep->owner;
}

/* They are open again. */
static void regions_compared(struct array *a, struct sweep_run run)
{
	struct region_news news;
	uint64_t region;

	for (region = run.first; region < run.first + run.n; region++) {
		region_untouched(&a->regions, region, &news);
		array_news(a, region, &news);
	}
}

static void compare_over(struct compare *k)
{
	struct sweep_hand *h = &k->hand->hand;

	regions_compared(array_of(k), sweep_put(h));
	sweep_next(h);
}

static void compare_alone(struct compare *k)
{
	struct sweep_hand *h = &k->hand->hand;

	regions_compared(array_of(k), sweep_alone(h));
	compare_work(h, sweep_run(h));
}

static void compare_on(struct compare *k)
{
	k->sector += k->count;
	k->msg.run = compare_piece;
	loop_post(k->hand->hand.io->loop, &k->msg);
}

/* --- writing --------------------------------------------------------------------------------------------------------------- */

static void compare_written(struct dm_req *r, int err)
{
	struct compare_leg *l = container(r, struct compare_leg, req);
	struct compare *k = l->compare;

	if (err && !dm_is_interrupted(err))
		array_leg_fails(array_of(k), l->leg, "be repaired");
	if (--k->pending == 0)
		compare_on(k);
}

static void compare_send(struct compare *k, struct compare_leg *l, enum dm_op op, uint8_t *data, void (*done)(struct dm_req *r, int err))
{
	l->req = (struct dm_req){ .op = (uint8_t)op, .sector = k->sector, .count = k->count, .done = done };
	dm_req_buffer(&l->req, data, k->count << DM_SECTOR_SHIFT);
	dm_send(k->hand->hand.io, &array_of(k)->raid->legs[l->leg].data, &l->req);
}

/* --- comparing ------------------------------------------------------------------------------------------------------------- */

/* The first leg that could be read, or NULL. */
static struct compare_leg *compare_first(struct compare *k)
{
	unsigned i;

	for (i = 0; i < k->n; i++)
		if (k->legs[i].read)
			return &k->legs[i];
	return NULL;
}

/* With how many sectors does L count? */
static uint64_t leg_differs(const struct compare *k, const struct compare_leg *l, const struct compare_leg *first)
{
	uint64_t most = array_of(k)->region, at, n, all = 0;

	for (at = 0; at < k->count; at += n) {
		n = k->count - at < most ? k->count - at : most;
		if (memcmp(l->data + (at << DM_SECTOR_SHIFT), first->data + (at << DM_SECTOR_SHIFT), n << DM_SECTOR_SHIFT))
			all += n;
	}
	return all;
}

/* Legs that differ from FIRST are no more `read`, so that they can be told from the others; how many there are. */
static unsigned compare_count(struct compare *k, const struct compare_leg *first)
{
	uint64_t sectors, all = 0;
	unsigned i, n = 0;

	for (i = 0; i < k->n; i++) {
		struct compare_leg *l = &k->legs[i];

		sectors = l->read ? leg_differs(k, l, first) : 0;
		l->read = sectors;
		n += l->read;
		all += sectors;
	}
	atomic_fetch_add(&array_of(k)->actions.mismatches, all);
	return n;
}

static void compare_pieces(struct compare *k)
{
	struct array *a = array_of(k);
	struct compare_leg *first = compare_first(k);
	unsigned i, n = first ? compare_count(k, first) : 0;

	if (!n || !atomic_load(&a->actions.repairs)) {
		compare_on(k);
		return;
	}
	k->pending = n;
	for (i = 0; i < k->n && n; i++)
		if (k->legs[i].read) {
			n--;
			compare_send(k, &k->legs[i], DM_WRITE, first->data, compare_written);
		}
}

static void compare_read(struct dm_req *r, int err)
{
	struct compare_leg *l = container(r, struct compare_leg, req);
	struct compare *k = l->compare;

	l->read = !err;
	k->unread |= err;
	if (--k->pending)
		return;
	if (k->unread && sweep_run(&k->hand->hand).n > 1)
		compare_alone(k);
	else
		compare_pieces(k);
}

static void compare_piece(struct loop_msg *msg)
{
	struct compare *k = container(msg, struct compare, msg);
	struct array *a = array_of(k);
	unsigned i, n = 0;

	dm_io_tick(k->hand->hand.io);
	k->count = k->end - k->sector < COMPARE_PIECE ? k->end - k->sector : COMPARE_PIECE;
	for (i = 0; i < a->raid->n; i++)
		if (leg_state(&a->raid->legs[i]) == LEG_GOOD)
			k->legs[n++].leg = i;
	k->n = n;
	k->unread = false;
	if (!k->count || n < 2) {
		compare_over(k);
		return;
	}
	k->pending = n;
	for (i = 0; i < n; i++)
		compare_send(k, &k->legs[i], DM_READ, k->legs[i].data, compare_read);
}

void compare_work(struct sweep_hand *hand, struct sweep_run run)
{
	struct compare *k = container(hand, struct raid_hand, hand)->compare;
	struct array *a = array_of(k);

	k->sector = run.first << a->regions.shift;
	k->end = (run.first + run.n) << a->regions.shift;
	if (k->end > a->sectors)
		k->end = a->sectors;
	compare_piece(&k->msg);
}

/* --- memory ---------------------------------------------------------------------------------------------------------------- */

static struct compare *compare_alloc(struct raid_hand *h, unsigned legs)
{
	struct compare *k = calloc(1, sizeof(*k));
	uint8_t *data = aligned_alloc(4096, (size_t)legs * COMPARE_PIECE * DM_SECTOR);
	unsigned i;

	if (!k || !data) {
		free(data);
		free(k);
		return NULL;
	}
	k->hand = h;
	for (i = 0; i < legs; i++) {
		k->legs[i].compare = k;
		k->legs[i].data = data + (size_t)i * COMPARE_PIECE * DM_SECTOR;
	}
	return k;
}

int compare_new(struct array *a, struct err *e)
{
	unsigned i;

	for (i = 0; i < SWEEP_HANDS; i++) {
		struct raid_hand *h = &a->actions.hands[i];

		if (!h->compare)
			h->compare = compare_alloc(h, a->raid->n);
		if (!h->compare)
			return err_set(e, -ENOMEM, "no memory to compare legs");
	}
	return 0;
}

void compare_free(struct array *a)
{
	unsigned i;

	for (i = 0; i < SWEEP_HANDS; i++) {
		struct compare *k = a->actions.hands[i].compare;

		if (k)
			free(k->legs[0].data);
		free(k);
		a->actions.hands[i].compare = NULL;
	}
}
