/* SPDX-License-Identifier: BSD-2-Clause */
/* See model.h. */
#include "checker/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "checker/found.h"

#define WORDS (DM_SECTOR / sizeof(uint64_t))
#define STAMP UINT64_C(0x73746d7000000000)	/* with the writer's number and the sector's: the first word */

static uint64_t stamp_head(const struct model_area *a, unsigned i)
{
	return STAMP | (uint64_t)a->number << 8 | i;
}

static void stamp(const struct model_area *a, unsigned i, uint64_t write, uint8_t *to)
{
	uint64_t words[WORDS];
	size_t k;

	words[0] = stamp_head(a, i);
	words[1] = write;
	for (k = 2; k < WORDS; k++)
		words[k] = (words[0] ^ write << 20) * UINT64_C(0x9e3779b97f4a7c15) + k;
	memcpy(to, words, sizeof(words));
}

/* The write that DATA is from; 0: zeros; -1: none. */
static uint64_t stamp_write(const struct model_area *a, unsigned i, const uint8_t *data)
{
	uint8_t want[DM_SECTOR];
	uint64_t write;

	if (!data[0] && !memcmp(data, data + 1, DM_SECTOR - 1))
		return 0;
	memcpy(&write, data + sizeof(write), sizeof(write));
	stamp(a, i, write, want);
	return write && !memcmp(want, data, DM_SECTOR) ? write : UINT64_MAX;
}

void model_init(struct model_area *a, unsigned number, uint64_t start)
{
	memset(a, 0, sizeof(*a));
	a->number = number;
	a->start = start;
}

void model_reset(struct model_area *a, unsigned i, const uint8_t *before, bool zeros)
{
	struct model_sector *s = &a->at[i];

	s->before = before;
	s->zeros = zeros;
	s->reset = atomic_fetch_add(&a->write, 1) + 1;
	atomic_store(&s->issued, s->reset);
	atomic_store(&s->sure, s->reset);
	atomic_store(&s->durable, s->reset);
}

void model_lose(struct model_area *a)
{
	unsigned i;

	for (i = 0; i < AREA; i++)
		atomic_store(&a->at[i].sure, atomic_load(&a->at[i].durable));
}

void model_see(const struct model_area *a, struct model_view *v)
{
	unsigned i;

	for (i = 0; i < AREA; i++)
		v->least[i] = atomic_load(&a->at[i].sure);
}

void model_see_durable(const struct model_area *a, struct model_view *v)
{
	unsigned i;

	for (i = 0; i < AREA; i++)
		v->least[i] = atomic_load(&a->at[i].durable);
}

void model_begin(struct model_area *a, enum dm_op op, unsigned first, unsigned n, uint8_t *data)
{
	uint64_t write = atomic_fetch_add(&a->write, 1) + 1;
	unsigned i;

	for (i = first; i < first + n; i++) {
		struct model_sector *s = &a->at[i];

		if (op == DM_ZEROES)
			atomic_store(&s->zeroes, write);
		else if (op == DM_DISCARD)
			atomic_store(&s->discard, write);
		else
			stamp(a, i, write, data + (i - first) * DM_SECTOR);
		atomic_store(&s->issued, write);
	}
}

static void raise(_Atomic uint64_t *to, uint64_t least)
{
	uint64_t was = atomic_load(to);

	while (was < least && !atomic_compare_exchange_weak(to, &was, least))
		;
}

void model_end(struct model_area *a, enum dm_op op, bool fua, unsigned first, unsigned n, int err)
{
	uint64_t write = atomic_load(&a->write);
	unsigned i;

	(void)op;
	for (i = first; !err && i < first + n; i++) {
		raise(&a->at[i].sure, write);
		if (fua)
			raise(&a->at[i].durable, write);
	}
}

void model_flushed(struct model_area *a, const struct model_view *v)
{
	unsigned i;

	for (i = 0; i < AREA; i++)
		raise(&a->at[i].durable, v->least[i]);
}

static void sector_wrong(const struct model_area *a, unsigned i, uint64_t least, const uint8_t *data, uint64_t is, const char *who)
{
	uint64_t head;

	memcpy(&head, data, sizeof(head));
	if (is == UINT64_MAX)
		found("%s: sector %" PRIu64 " is to be from write %" PRIu64 " to %" PRIu64 " of writer %u, and is none; it begins with %016"
		      PRIx64, who, a->start + i, least, atomic_load(&a->at[i].issued), a->number, head);
	else
		found("%s: sector %" PRIu64 " is to be from write %" PRIu64 " to %" PRIu64 " of writer %u, and is from %" PRIu64
		      " (0: zeros)", who, a->start + i, least, atomic_load(&a->at[i].issued), a->number, is);
}

/* IS it from that write, with this DATA? */
static bool sector_may_be(const struct model_sector *s, uint64_t least, uint64_t is, const uint8_t *data)
{
	if (s->zeros)
		return is == 0;
	if (atomic_load(&s->discard) >= least && atomic_load(&s->discard))
		return true;
	if (s->reset >= least && !memcmp(data, s->before, DM_SECTOR))
		return true;
	if (is == 0)
		return atomic_load(&s->zeroes) >= least && atomic_load(&s->zeroes);
	return is >= least && is <= atomic_load(&s->issued);
}

bool model_check(struct model_area *a, const struct model_view *v, unsigned first, unsigned n, const uint8_t *data, const char *who)
{
	unsigned i;

	for (i = first; i < first + n; i++, data += DM_SECTOR) {
		uint64_t is = stamp_write(a, i, data);

		if (sector_may_be(&a->at[i], v->least[i], is, data))
			continue;
		sector_wrong(a, i, v->least[i], data, is, who);
		return false;
	}
	return true;
}

void model_settle(struct model_area *a, unsigned first, unsigned n, const uint8_t *data)
{
	unsigned i;

	for (i = first; i < first + n; i++, data += DM_SECTOR) {
		uint64_t is = stamp_write(a, i, data);

		if (is && is != UINT64_MAX && is <= atomic_load(&a->at[i].issued))
			raise(&a->at[i].sure, is);
	}
}
