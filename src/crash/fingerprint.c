/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See fingerprint.h. For a cut the hash of each sector of each piece is computed once; a state then only adds them up. Discards
 * are not looked at sector by sector: a state with one is another than a state without.
 */
#include "crash/fingerprint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/path/req.h"
#include "crash/sector_map.h"

struct slot {
	uint64_t sector, hash;		/* of its content: the durable one */
};

struct fingerprints {
	const struct history *history;
	const uint8_t *base;
	struct sector_map durable;
	size_t applied;
	uint64_t sum;			/* of what is durable */
	/* Of the cut. */
	struct slot *slots;		/* the sectors of its pieces: an open table */
	size_t mask;
	uint64_t *hashes;		/* of the sectors of the pieces, in their order ... */
	size_t *places;			/* ... and their slots */
	uint64_t *now;			/* of each slot: in a state that is being looked at */
	size_t n;
};

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static uint64_t hash_sector(uint64_t sector, const uint8_t *data)
{
	uint64_t h = mix(sector + 1), words[DM_SECTOR / 8];
	size_t i;

	memcpy(words, data, sizeof(words));
	for (i = 0; i < DM_SECTOR / 8; i++)
		h = (h ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15) + (h >> 29);
	return mix(h);
}

static uint64_t durable_hash(const struct fingerprints *f, uint64_t sector)
{
	const uint8_t *data = sector_map_get(&f->durable, sector);

	return hash_sector(sector, data ? data : f->base + (sector << DM_SECTOR_SHIFT));
}

int fingerprints_new(struct fingerprints **out, const struct history *h, const uint8_t *base, struct err *e)
{
	struct fingerprints *f = calloc(1, sizeof(*f));

	*out = f;
	if (!f || sector_map_new(&f->durable, h->size >> DM_SECTOR_SHIFT)) {
		free(f);
		return err_set(e, -ENOMEM, "no memory to compare states");
	}
	f->history = h;
	f->base = base;
	return 0;
}

static void forget_cut(struct fingerprints *f)
{
	free(f->slots);
	free(f->hashes);
	free(f->places);
	free(f->now);
	f->slots = NULL;
	f->hashes = f->now = NULL;
	f->places = NULL;
	f->n = 0;
}

void fingerprints_free(struct fingerprints *f)
{
	if (!f)
		return;
	forget_cut(f);
	sector_map_free(&f->durable);
	free(f);
}

static int apply(struct fingerprints *f, const struct history_write *w)
{
	uint64_t i, sector;

	for (i = 0; w->data && i < w->count; i++) {
		sector = w->sector + i;
		f->sum ^= durable_hash(f, sector) ^ hash_sector(sector, w->data + (i << DM_SECTOR_SHIFT));
	}
	if (!w->data)
		f->sum = mix(f->sum + w->entry);
	return sector_map_put(&f->durable, w->sector, w->count, w->data);
}

static size_t find_slot(struct fingerprints *f, uint64_t sector)
{
	size_t i = (size_t)(mix(sector) & f->mask);

	while (f->slots[i].sector && f->slots[i].sector != sector + 1)
		i = (i + 1) & f->mask;
	if (!f->slots[i].sector)
		f->slots[i] = (struct slot){ .sector = sector + 1, .hash = durable_hash(f, sector) };
	return i;
}

static void add_piece(struct fingerprints *f, const struct piece_of_cut *p)
{
	const struct history_write *w = &f->history->writes[p->write];
	uint64_t i;

	for (i = 0; w->data && i < p->count; i++) {
		f->hashes[f->n] = hash_sector(p->sector + i, w->data + ((p->sector + i - w->sector) << DM_SECTOR_SHIFT));
		f->places[f->n++] = find_slot(f, p->sector + i);
	}
}

static size_t count_sectors(const struct fingerprints *f, const struct pieces *p)
{
	size_t i, n = 0;

	for (i = 0; i < p->n; i++)
		if (f->history->writes[p->at[i].write].data)
			n += p->at[i].count;
	return n;
}

static int look_at_pieces(struct fingerprints *f, const struct pieces *p, struct err *e)
{
	size_t n = count_sectors(f, p), room = 16, i;

	while (room < 2 * n)
		room *= 2;
	forget_cut(f);
	f->mask = room - 1;
	f->slots = calloc(room, sizeof(*f->slots));
	f->now = calloc(room, sizeof(*f->now));
	f->hashes = calloc(n + 1, sizeof(*f->hashes));
	f->places = calloc(n + 1, sizeof(*f->places));
	if (!f->slots || !f->now || !f->hashes || !f->places)
		return err_set(e, -ENOMEM, "no memory to compare states");
	for (i = 0; i < p->n; i++)
		add_piece(f, &p->at[i]);
	return 0;
}

int fingerprints_go_to(struct fingerprints *f, const struct history_cut *c, const struct pieces *p, struct err *e)
{
	for (; f->applied < c->first; f->applied++)
		if (apply(f, &f->history->writes[f->applied]))
			return err_set(e, -ENOMEM, "no memory to compare states");
	return look_at_pieces(f, p, e);
}

/* The writes with FUA of the epoch that are durable: like those, but of this cut only. */
static uint64_t durable_in_epoch(const struct fingerprints *f, const struct history_cut *c)
{
	uint64_t sum = 0;
	size_t w;

	for (w = c->first; w < c->last; w++)
		if (!history_is_candidate(f->history, c, w))
			sum = mix(sum + f->history->writes[w].entry + 1);
	return sum;
}

uint64_t fingerprint(struct fingerprints *f, const struct state *s)
{
	uint64_t sum = f->sum ^ durable_in_epoch(f, s->cut) ^ mix(s->cut->marks + 1);
	size_t i, j, at = 0;

	for (i = 0; i <= f->mask; i++)
		f->now[i] = f->slots[i].hash;
	for (i = 0; i < s->pieces.n; i++) {
		const struct piece_of_cut *p = &s->pieces.at[i];
		const struct history_write *w = &f->history->writes[p->write];

		if (!w->data && !s->lost[i])
			sum = mix(sum + w->entry);
		for (j = 0; w->data && j < p->count; j++, at++)
			if (!s->lost[i])
				f->now[f->places[at]] = f->hashes[at];
	}
	for (i = 0; i <= f->mask; i++)
		sum ^= f->slots[i].hash ^ f->now[i];
	return sum;
}
