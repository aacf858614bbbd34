/* SPDX-License-Identifier: BSD-2-Clause */
/* The choice of a mode and a seed: see survive.h. */
#include "targets/powercut/survive.h"

#include <string.h>

#define PIECES 64u		/* a request of more units is torn between runs of them */

static const char *const names[SURVIVE_MODES] = {
	[SURVIVE_LOST] = "lost", [SURVIVE_KEPT] = "kept", [SURVIVE_PREFIX] = "prefix", [SURVIVE_SUBSET] = "subset",
	[SURVIVE_REORDERED] = "reordered", [SURVIVE_TORN] = "torn", [SURVIVE_ANY] = "any",
};

const char *survive_mode_name(enum survive_mode mode)
{
	return names[mode];
}

enum survive_mode survive_mode_find(const char *name)
{
	unsigned i;

	for (i = 0; i < SURVIVE_MODES; i++)
		if (!strcmp(name, names[i]))
			break;
	return i;
}

/* splitmix64: the step, and its finalizer. */
static uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

uint64_t survive_next_seed(uint64_t seed)
{
	return mix(seed);
}

/* What is tossed for: no two draws use the same one. */
enum toss { TOSS_MODE, TOSS_END, TOSS_SHARE, TOSS_REQUEST, TOSS_ORDER, TOSS_TEAR, TOSS_LENGTH, TOSS_PIECE };

static uint64_t toss(uint64_t seed, enum toss what, uint64_t number, uint64_t piece)
{
	return mix(mix(mix(mix(seed) + what) + number) + piece);
}

/* Of sixteen: torn most often, because the others are special cases of it, but rare ones. */
static enum survive_mode any_mode(uint64_t seed)
{
	static const uint8_t last[] = {
		[SURVIVE_LOST] = 0, [SURVIVE_KEPT] = 1, [SURVIVE_PREFIX] = 4, [SURVIVE_SUBSET] = 7, [SURVIVE_REORDERED] = 10,
		[SURVIVE_TORN] = 15,
	};
	unsigned at = toss(seed, TOSS_MODE, 0, 0) % 16, mode = 0;

	while (at > last[mode])
		mode++;
	return mode;
}

/* How much survives differs from draw to draw, so that a state with one request missing, or one there, is not rare. */
static uint64_t any_share(uint64_t seed)
{
	static const uint8_t eighths[] = { 1, 2, 4, 6, 7 };

	return (UINT64_C(1) << 61) * eighths[toss(seed, TOSS_SHARE, 0, 0) % 5];
}

void survive_draw(struct survive_draw *d, enum survive_mode mode, uint64_t seed, uint64_t oldest, uint64_t newest)
{
	*d = (struct survive_draw){ .mode = mode == SURVIVE_ANY ? any_mode(seed) : mode, .seed = seed, .below = any_share(seed) };
	d->end = oldest + toss(seed, TOSS_END, 0, 0) % (newest - oldest + 2);
}

static bool survives(const struct survive_draw *d, uint64_t number, enum toss what, uint64_t piece)
{
	return toss(d->seed, what, number, piece) < d->below;
}

/* The rank of an order of its own: never 0. */
static uint64_t order(const struct survive_draw *d, uint64_t number)
{
	uint64_t at = toss(d->seed, TOSS_ORDER, number, 0);

	return at < d->below ? at | 1 : 0;
}

enum tear { WHOLE, IN_ORDER, ANYHOW };

static enum tear tear(const struct survive_draw *d, const struct survive_req *r)
{
	static const uint8_t tears[] = { WHOLE, WHOLE, IN_ORDER, ANYHOW };

	return r->units > 1 ? tears[toss(d->seed, TOSS_TEAR, r->number, 0) % 4] : WHOLE;
}

/* IN_ORDER: so many units survive, one at least and not all. */
static uint64_t torn_length(const struct survive_draw *d, const struct survive_req *r)
{
	return 1 + toss(d->seed, TOSS_LENGTH, r->number, 0) % (r->units - 1);
}

static uint64_t torn_step(const struct survive_req *r)
{
	return (r->units + PIECES - 1) / PIECES;
}

static bool torn(const struct survive_draw *d, const struct survive_req *r, uint64_t unit)
{
	uint64_t in = unit - r->first;

	switch (tear(d, r)) {
	case IN_ORDER:
		return in < torn_length(d, r);
	case ANYHOW:
		return survives(d, r->number, TOSS_PIECE, in / torn_step(r));
	default:
		return survives(d, r->number, TOSS_REQUEST, 0);
	}
}

uint64_t survive_rank(const struct survive_draw *d, const struct survive_req *r, uint64_t unit)
{
	bool there = false;

	switch (d->mode) {
	case SURVIVE_KEPT:
		there = true;
		break;
	case SURVIVE_PREFIX:
		there = r->number < d->end;
		break;
	case SURVIVE_SUBSET:
		there = survives(d, r->number, TOSS_REQUEST, 0);
		break;
	case SURVIVE_REORDERED:
		return order(d, r->number);
	case SURVIVE_TORN:
		there = torn(d, r, unit);
		break;
	default:
		break;
	}
	return there ? r->number + 1 : 0;
}

uint64_t survive_same(const struct survive_draw *d, const struct survive_req *r, uint64_t unit)
{
	uint64_t in = unit - r->first, left = r->units - in, length;
	enum tear how = d->mode == SURVIVE_TORN ? tear(d, r) : WHOLE;

	if (how == IN_ORDER) {
		length = torn_length(d, r);
		return in < length ? length - in : left;
	}
	if (how == ANYHOW) {
		length = torn_step(r);
		length -= in % length;
		return length < left ? length : left;
	}
	return left;
}
