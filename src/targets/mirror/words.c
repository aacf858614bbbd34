/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of a mirror's line, its status, and what `measure` says: as on Linux. */
#include <stdlib.h>
#include <string.h>

#include "targets/mirror/mirror.h"

/* --- the log --------------------------------------------------------------------------------------------------------------- */

static void words_sync(struct mirror *m, struct dm_args *a)
{
	const char *word = dm_arg_word(a, "sync|nosync");

	m->words.sync = !strcmp(word, "nosync") ? MIRROR_NOSYNC : MIRROR_SYNC;
	if (!dm_args_failed(a) && strcmp(word, "sync") && strcmp(word, "nosync"))
		dm_args_fail(a, "'%.80s' is neither sync nor nosync", word);
}

#define REGION_MOST (1u << 31)		/* sectors: 32 bits, as on Linux */

static void words_region(const struct dm_target *t, struct mirror *m, struct dm_args *a)
{
	uint64_t size = dm_arg_sectors(a, "<region size>", 0, UINT64_MAX);

	m->words.region = size;
	if (!dm_args_failed(a) && (size < 2 || size & (size - 1) || size > t->len))
		dm_args_fail(a, "a region of %llu sectors: it has to be a power of two, from 2 to the %llu sectors of the line",
			     (unsigned long long)size, (unsigned long long)t->len);
	if (!dm_args_failed(a) && size > REGION_MOST)
		dm_args_fail(a, "a region of %llu sectors: %u is the most", (unsigned long long)size, REGION_MOST);
}

static void words_log(const struct dm_target *t, struct mirror *m, struct dm_args *a)
{
	const char *log = dm_arg_word(a, "core|disk");
	uint64_t least, n;

	m->words.on_disk = !strcmp(log, "disk");
	if (!dm_args_failed(a) && !m->words.on_disk && strcmp(log, "core"))
		dm_args_fail(a, "'%.80s' is no log that there is: core (in memory) or disk", log);
	least = m->words.on_disk ? 2 : 1;
	n = dm_arg_number(a, "<#log words>", least, least + 1);
	if (m->words.on_disk)
		m->log.at = dm_arg_device(a, "<log device>", DM_WHOLE);
	words_region(t, m, a);
	if (n > least)
		words_sync(m, a);
}

/* --- legs and features ------------------------------------------------------------------------------------------------------ */

static void words_legs(const struct dm_target *t, struct mirror *m, struct dm_args *a)
{
	unsigned i;

	m->legs.n = (unsigned)dm_arg_number(a, "<#legs>", 2, MIRROR_LEGS);
	for (i = 0; i < m->legs.n; i++)
		m->legs.of[i].at = dm_arg_at(a, t->len);
}

static void words_features(struct mirror *m, struct dm_args *a)
{
	uint64_t n = dm_args_left(a) ? dm_arg_number(a, "<#features>", 0, UINT32_MAX) : 0;
	const char *word;

	for (; n && !dm_args_failed(a); n--) {
		word = dm_arg_word(a, "handle_errors|keep_log");
		if (!strcmp(word, "handle_errors"))
			m->words.handle_errors = true;
		else if (!strcmp(word, "keep_log"))
			m->words.keep_log = true;
		else
			dm_args_fail(a, "'%.80s' is no feature of a mirror: handle_errors or keep_log", word);
	}
	if (m->words.keep_log && !m->words.handle_errors)
		dm_args_fail(a, "keep_log needs handle_errors");
}

/* --- what the words must not say together ------------------------------------------------------------------------------------ */

static bool places_overlap(const struct dm_at *a, uint64_t a_len, const struct dm_at *b, uint64_t b_len)
{
	return dm_store_end(a->store) == dm_store_end(b->store) && a->offset < b->offset + b_len && b->offset < a->offset + a_len;
}

/* Sectors that are two legs would be written by both, and a copy would have nothing to copy. */
static void check_places(const struct dm_target *t, const struct mirror *m, struct dm_args *a)
{
	uint64_t log = mlog_bytes(m->regions.n, DM_SECTOR) / DM_SECTOR;
	unsigned i, j;

	for (i = 0; i < m->legs.n; i++) {
		for (j = 0; j < i; j++)
			if (places_overlap(&m->legs.of[i].at, t->len, &m->legs.of[j].at, t->len))
				dm_args_fail(a, "legs %u and %u share sectors of '%.200s': each leg has to be a place of its own", j + 1, i + 1,
					     m->legs.of[i].at.store->name);
		if (m->words.on_disk && places_overlap(&m->legs.of[i].at, t->len, &m->log.at, log))
			dm_args_fail(a, "leg %u and the log share sectors of '%.200s'", i + 1, m->log.at.store->name);
	}
	if (m->words.region * DM_SECTOR < a->block)
		dm_args_fail(a, "a region of %llu sectors is less than a block of the devices (%u bytes)", (unsigned long long)m->words.region,
			     a->block);
}

/* --- the constructor --------------------------------------------------------------------------------------------------------- */

static int mirror_reserve(struct mirror *m, struct dm_args *a)
{
	struct dm_at log = m->log.at;

	m->begins = dm_args_are_recorded(a) ? MIRROR_DEFAULT : m->words.sync;
	atomic_store(&m->in_sync, m->begins == MIRROR_NOSYNC);	/* that is no event, as on Linux */
	m->regions.marks = m->words.on_disk;
	m->regions.again = mirror_again;
	m->legs.balanced = m->words.sync != MIRROR_NOSYNC;
	m->legs.reads = leg_reads_new(m->world);
	if (!m->legs.reads)
		return dm_args_fail(a, "no memory for the legs of a mirror");
	if (regions_new(&m->regions, m->regions.n, (unsigned)__builtin_ctzll(m->words.region), a->err) || resync_new(m, a->err))
		return a->err->code;
	return m->words.on_disk ? disk_log_new(&m->log, m, &log, a->err) : 0;
}

int mirror_ctr(struct dm_target *t, struct dm_args *a)
{
	struct mirror *m = t->priv;

	m->world = dm_args_world(a);
	words_log(t, m, a);
	words_legs(t, m, a);
	words_features(m, a);
	if (dm_args_end(a))
		return a->err->code;
	m->regions.n = (t->len + m->words.region - 1) / m->words.region;
	t->chunk = (uint32_t)m->words.region;
	if (!dm_args_may_reserve(a))
		return 0;
	check_places(t, m, a);
	return dm_args_end(a) ? a->err->code : mirror_reserve(m, a);
}

/* --- what is printed ---------------------------------------------------------------------------------------------------------- */

static void table_log(const struct mirror *m, struct text *out)
{
	static const char *const sync[] = { [MIRROR_DEFAULT] = "", [MIRROR_SYNC] = " sync", [MIRROR_NOSYNC] = " nosync" };

	text_printf(out, "%s %u", m->words.on_disk ? "disk" : "core", m->words.on_disk + (m->words.sync == MIRROR_DEFAULT ? 1u : 2u));
	if (m->words.on_disk) {
		text_add(out, " ");
		dm_text_store(out, m->log.at.store);
	}
	text_printf(out, " %llu%s", (unsigned long long)m->words.region, sync[m->words.sync]);
}

void mirror_table(const struct dm_target *t, struct text *out)
{
	const struct mirror *m = t->priv;
	unsigned i;

	table_log(m, out);
	text_printf(out, " %u", m->legs.n);
	for (i = 0; i < m->legs.n; i++) {
		text_add(out, " ");
		dm_text_at(out, &m->legs.of[i].at);
	}
	if (m->words.handle_errors)
		text_add(out, m->words.keep_log ? " 2 handle_errors keep_log" : " 1 handle_errors");
}

/* D: it has failed; F: what it had reported as written may be lost. */
static char log_letter(const struct mirror *m)
{
	if (atomic_load(&m->log.flush_failed))
		return 'F';
	return atomic_load(&m->log.failed) ? 'D' : 'A';
}

static void status_log(const struct mirror *m, struct text *out)
{
	if (!m->words.on_disk) {
		text_add(out, "1 core");
		return;
	}
	text_add(out, "3 disk ");
	dm_text_store(out, m->log.at.store);
	text_printf(out, " %c", log_letter(m));
}

void mirror_status(const struct dm_target *t, struct text *out)
{
	const struct mirror *m = t->priv;
	unsigned i;

	text_printf(out, "%u ", m->legs.n);
	for (i = 0; i < m->legs.n; i++) {
		dm_text_store(out, m->legs.of[i].at.store);
		text_add(out, " ");
	}
	text_printf(out, "%llu/%llu 1 ", (unsigned long long)atomic_load(&m->regions.synchronous), (unsigned long long)m->regions.n);
	for (i = 0; i < m->legs.n; i++)
		text_printf(out, "%c", leg_letter(&m->legs.of[i]));
	text_add(out, " ");
	status_log(m, out);
}

void mirror_measure(const struct dm_target *t, struct text *out)
{
	const struct mirror *m = t->priv;
	unsigned i;

	text_printf(out, ",nr_mirrors=%u", m->legs.n);
	for (i = 0; i < m->legs.n; i++) {
		text_printf(out, ",mirror_device_%u=", i);
		dm_text_store(out, m->legs.of[i].at.store);
		text_printf(out, ",mirror_device_%u_status=%c", i, leg_letter(&m->legs.of[i]));
	}
	/* Linux's logs have nothing to say there. */
	text_printf(out, ",handle_errors=%c,keep_log=%c,log_type_status=;", m->words.handle_errors ? 'y' : 'n', m->words.keep_log ? 'y' : 'n');
}
