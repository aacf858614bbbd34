/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a later program has to know of a mirror: which legs have failed and which one is the first, so that none is read, or copied
 * to the others, that lacks something. That is recorded when it changes. When the daemon is replaced there is more: which
 * regions are synchronous, unless a log on a disk knows it.
 *
 *   1 throttle=PERCENT first=LEG failed=0|1 flush=0|1
 *   FAILURES HOW                                          for each leg
 *   rests begun=0|1 begins=SYNC synced=0|1 regions=N      only when all stands still
 *   N bits                                                if it has begun
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "targets/mirror/mirror.h"

#define HEAD "1 throttle=%u first=%u failed=%d flush=%d\n"
#define LEG "%u %u\n"
#define RESTS "rests begun=%d begins=%d synced=%d regions=%llu\n"

static size_t bitmap_bytes(const struct regions *g)
{
	return (g->n + 7) / 8;
}

static void save_regions(const struct mirror *m, struct text *out)
{
	const struct regions *g = &m->regions;
	uint64_t region, end;
	uint8_t byte;

	for (region = 0; region < g->n;) {
		end = g->n - region < 8 ? g->n : region + 8;
		for (byte = 0; region < end; region++)
			byte |= (uint8_t)(region_is_synchronous(g, region) << region % 8);
		text_add_n(out, (const char *)&byte, 1);
	}
}

int mirror_save(const struct dm_target *t, bool at_rest, struct text *out, struct err *e)
{
	const struct mirror *m = t->priv;
	unsigned i;

	(void)e;
	text_printf(out, HEAD, copier_percent(m->resync.copier), legs_first(&m->legs), (int)atomic_load(&m->leg_failed),
		    (int)atomic_load(&m->flush_failed));
	for (i = 0; i < m->legs.n; i++)
		text_printf(out, LEG, atomic_load(&m->legs.of[i].failures), atomic_load(&m->legs.of[i].how));
	if (!at_rest)
		return 0;
	text_printf(out, RESTS, m->begun, (int)m->begins, (int)atomic_load(&m->in_sync), (unsigned long long)m->regions.n);
	if (m->begun)
		save_regions(m, out);
	return 0;
}

/* --- back --------------------------------------------------------------------------------------------------------------- */

static bool restore_legs(struct mirror *m, char **saved)
{
	unsigned percent, first, failures, how, i;
	int failed, flush, n = 0;

	if (sscanf(*saved, HEAD "%n", &percent, &first, &failed, &flush, &n) != 4 || first >= m->legs.n || !percent || percent > 100)
		return false;
	for (i = 0, *saved += n; i < m->legs.n; i++, *saved += n) {
		n = 0;
		if (sscanf(*saved, LEG "%n", &failures, &how, &n) != 2 || !n)
			return false;
		atomic_store(&m->legs.of[i].failures, failures);
		atomic_store(&m->legs.of[i].how, how);
	}
	copier_throttle(m->resync.copier, percent);
	atomic_store(&m->legs.first, first);
	atomic_store(&m->leg_failed, failed);
	atomic_store(&m->flush_failed, flush);
	return true;
}

/* The bits are used when the line is resumed: see begin_in_memory(). */
static bool restore_rest(struct mirror *m, const char *saved, size_t left)
{
	int begun, begins, synced;
	unsigned long long regions;
	const char *bits = memchr(saved, '\n', left);
	size_t bytes = bitmap_bytes(&m->regions);

	if (!bits || sscanf(saved, RESTS, &begun, &begins, &synced, &regions) != 4 || regions != m->regions.n)
		return false;
	atomic_store(&m->in_sync, synced);
	if (!begun) {
		m->begins = (enum mirror_sync)begins;
		return true;
	}
	m->begun = !m->words.on_disk;
	if ((size_t)(saved + left - ++bits) != bytes)
		return false;
	m->restored = m->words.on_disk ? NULL : malloc(bytes);
	if (m->restored)
		memcpy(m->restored, bits, bytes);
	return m->restored || m->words.on_disk;
}

int mirror_restore(struct dm_target *t, char *saved, size_t len, struct err *e)
{
	struct mirror *m = t->priv;
	const char *end = saved + len;

	if (!restore_legs(m, &saved) || (saved < end && !restore_rest(m, saved, (size_t)(end - saved))))
		return err_set(e, -EINVAL, "its legs were saved in a form that this version does not know");
	return 0;
}
