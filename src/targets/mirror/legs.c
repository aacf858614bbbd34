/* SPDX-License-Identifier: BSD-2-Clause */
/* The legs of a mirror: see legs.h. */
#include "targets/mirror/legs.h"

int legs_good(const struct legs *l)
{
	unsigned first = legs_first(l), i;

	if (leg_is_good(&l->of[first]))
		return (int)first;
	for (i = 0; i < l->n; i++)
		if (leg_is_good(&l->of[i]))
			return (int)i;
	return -1;
}

int legs_to_read(const struct legs *l, const struct dm_io *io)
{
	const uint32_t *under_way = l->reads[io->index].of;
	int best = legs_good(l);
	unsigned i;

	if (best < 0 || !l->balanced || !under_way[best])
		return best;
	for (i = 0; i < l->n; i++)
		if (under_way[i] < under_way[best] && leg_is_good(&l->of[i]))
			best = (int)i;
	return best;
}

bool leg_fails(struct legs *l, unsigned i, enum leg_failure how)
{
	atomic_fetch_add(&l->of[i].failures, 1);
	return !(atomic_fetch_or(&l->of[i].how, 1u << how) >> how & 1);
}

void legs_forgive(struct legs *l)
{
	unsigned i;

	for (i = 0; i < l->n; i++) {
		atomic_store(&l->of[i].how, 0);
		atomic_store(&l->of[i].failures, 0);
	}
}

char leg_letter(const struct leg *l)
{
	static const struct { enum leg_failure how; char letter; } letters[] = {
		{ LEG_FLUSH, 'F' }, { LEG_WRITE, 'D' }, { LEG_SYNC, 'S' }, { LEG_READ, 'R' },
	};
	unsigned how = atomic_load(&l->how), i;

	if (leg_is_good(l))
		return 'A';
	for (i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (how >> letters[i].how & 1)
			return letters[i].letter;
	return 'U';
}
