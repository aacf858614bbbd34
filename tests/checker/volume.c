/* SPDX-License-Identifier: BSD-2-Clause */
/* See volume.h. */
#include "checker/volume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "checker/found.h"
#include "checker/ground.h"
#include "core/device/devices.h"
#include "core/table/table.h"
#include "stack/types.h"

#define TABLE 8192

void leg_table(const struct leg *l, unsigned any, char *out, size_t size)
{
	static const char *const types[] = { "linear", "holds", "backs", "bites", "powercut" };
	const char *type = types[any % 5];

	snprintf(out, size, "0 %u %s disk:%u 0%s", GROUND_SECTORS, type, l->disk, strcmp(type, "powercut") ? "" : " seed 1 memory 65536");
}

/* Each has one %u for the disk; those with more name it again. */
static const char *const faults[] = {
	"0 2048 error", "0 2048 flakey disk:%u 0 0 1", "0 2048 flakey disk:%u 0 0 1 1 error_writes",
	"0 2048 flakey disk:%u 0 0 1 1 error_reads", "0 2048 delay disk:%u 0 1 disk:%u 0 3 disk:%u 0 2", "0 2048 dust disk:%u 0 512",
};

unsigned leg_faults(void)
{
	return sizeof(faults) / sizeof(faults[0]);
}

void leg_fault_table(const struct leg *l, unsigned fault, char *out, size_t size)
{
	const char *from = faults[fault % leg_faults()];
	size_t n = 0;

	for (; *from && n + 8 < size; from++)
		if (!strncmp(from, "%u", 2)) {
			n += (size_t)snprintf(out + n, size - n, "%u", l->disk);
			from++;
		} else {
			out[n++] = *from;
		}
	out[n] = '\0';
}

bool leg_has_power(struct fixture *f, const struct leg *l)
{
	const struct dm_device *d = dm_find_name(f->world, l->name);

	return d && d->active && d->active->n && d->active->targets[0].type->power;
}

bool volume_has_power(struct volume *v)
{
	struct leg *legs[LINES * KIND_DISKS];
	unsigned n = volume_legs(v, legs, LINES * KIND_DISKS), i;

	for (i = 0; i < n; i++)
		if (leg_has_power(v->f, legs[i]))
			return true;
	for (i = 0; i < v->n_lines; i++)
		if (v->lines[i].kind->type->power)
			return true;
	return false;
}

static void leg_make(struct volume *v, unsigned line, unsigned number, struct leg *l, unsigned disk)
{
	char table[256], why[ERR_TEXT];
	unsigned tries = 0;

	l->disk = disk;
	snprintf(l->name, sizeof(l->name), "volume%u.l%ud%u.%u", v->number, line, number, ++v->made);
	leg_table(l, types_random(5), table, sizeof(table));
	while (create(v->f, l->name, table, why))	/* backs refuses a few times */
		if (++tries == 100)
			fail_msg("%s: %s", l->name, why);
}

static struct kind_names line_names(const struct line *l)
{
	struct kind_names n;
	unsigned i;

	for (i = 0; i < KIND_DISKS; i++)
		n.disks[i] = l->legs[i].name;
	for (i = 0; i < KIND_OTHERS; i++)
		n.others[i] = l->others[i].name;
	return n;
}

static void other_make(struct volume *v, struct other *o, const char *table)
{
	char why[ERR_TEXT];
	unsigned tries = 0;

	while (create(v->f, o->name, table, why))	/* backs refuses a few times */
		if (++tries == 100)
			fail_msg("%s: %s", o->name, why);
	o->device = dm_find_name(v->f->world, o->name);
	dm_open(o->device);
}

static void others_make(struct volume *v, unsigned line)
{
	struct line *l = &v->lines[line];
	struct kind_names names = line_names(l);
	unsigned i;

	memset(l->others, 0, sizeof(l->others));
	for (i = 0; i < KIND_OTHERS; i++)
		snprintf(l->others[i].name, sizeof(l->others[i].name), "volume%u.l%uo%u.%u", v->number, line, i, ++v->made);
	for (i = 0; i < KIND_OTHERS; i++) {
		struct text table = TEXT_INIT;

		if (kind_other(l->kind, i, &names, &table))
			other_make(v, &l->others[i], text_str(&table));
		text_free(&table);
	}
}

/* On the disks from FIRST on, with l->kept, if that can be put there. */
static void line_make(struct volume *v, unsigned i, const struct kind *k, unsigned first)
{
	struct line *l = &v->lines[i];
	unsigned n;

	l->kind = k;
	l->turned = false;
	ground_base(first);
	if (k->sample->format)
		k->sample->format();
	if (k->placed)
		kind_put(k, l->kept);
	for (n = 0; n < k->disks; n++) {
		ground_make_durable(first + n);
		leg_make(v, i, n, &l->legs[n], first + n);
	}
	others_make(v, i);
}

static void volume_table(const struct volume *v, int blank, struct text *out)
{
	unsigned i;

	for (i = 0; i < v->n_lines; i++) {
		struct kind_names names = line_names(&v->lines[i]);

		if ((int)i == blank)
			text_printf(out, "%u %u error\n", i * SAMPLE_SECTORS, SAMPLE_SECTORS);
		else
			kind_line(out, v->lines[i].kind, i * SAMPLE_SECTORS, &names, v->lines[i].turned);
	}
}

int volume_load(struct volume *v, int blank, char *why)
{
	struct text table = TEXT_INIT;
	int r;

	volume_table(v, blank, &table);
	r = sample_reload(v->f, v->lines[0].kind->sample, v->name, text_str(&table), why);
	text_free(&table);
	return r;
}

/* What remembers failures needs its table to be loaded again, by which a write cache in the same table would be lost. */
static bool line_suits(const struct kind *k, const struct kind *other)
{
	return !k->alone && !other->alone && !(k->remembers && other->type->power) && !(other->remembers && k->type->power);
}

bool volume_suits(const struct volume *v, unsigned i, const struct kind *kind)
{
	unsigned k;

	for (k = 0; k < v->n_lines; k++)
		if (k != i && !line_suits(v->lines[k].kind, kind))
			return false;
	return v->readonly == kind->sample->readonly;
}

static const struct kind *next_that_suits(const struct volume *v, unsigned i, unsigned wanted)
{
	while (i && !volume_suits(v, i, &kinds[wanted % n_kinds]))
		wanted++;
	return &kinds[wanted % n_kinds];
}

static int volume_add(struct volume *v, unsigned i, const struct kind *k)
{
	struct line *l = &v->lines[i];
	int first = ground_take(k->disks);

	if (first < 0)
		return -1;
	l->kept = calloc(SAMPLE_SECTORS, DM_SECTOR);
	l->before = calloc(SAMPLE_SECTORS, DM_SECTOR);
	assert_non_null(l->kept);
	assert_non_null(l->before);
	memcpy(l->kept, k->before, sizeof(k->before));
	v->n_lines++;
	line_make(v, i, k, (unsigned)first);
	return 0;
}

int volume_make(struct volume *v, struct fixture *f, unsigned number, unsigned n_lines, const unsigned *line_kinds)
{
	struct text table = TEXT_INIT;
	char why[ERR_TEXT];
	unsigned i, tries = 0;

	memset(v, 0, sizeof(*v));
	v->f = f;
	v->number = number;
	snprintf(v->name, sizeof(v->name), "volume%u", number);
	v->readonly = kinds[line_kinds[0] % n_kinds].sample->readonly;
	for (i = 0; i < n_lines && !(i && v->lines[0].kind->alone); i++)
		if (volume_add(v, i, next_that_suits(v, i, line_kinds[i])))
			return -1;
	volume_table(v, -1, &table);
	while (sample_create(f, v->lines[0].kind->sample, v->name, text_str(&table), why))
		if (++tries == 100)	/* backs refuses a few times */
			fail_msg("%s: %s", text_str(&table), why);
	v->device = dm_find_name(f->world, v->name);
	dm_open(v->device);
	text_free(&table);
	return 0;
}

static void others_close(struct line *l)
{
	unsigned i;

	for (i = 0; i < KIND_OTHERS; i++)
		if (l->others[i].device)
			dm_close(l->others[i].device);
}

void volume_close(struct volume *v)
{
	unsigned i;

	if (v->device)
		dm_close(v->device);
	for (i = 0; i < v->n_lines; i++)
		others_close(&v->lines[i]);
}

void volume_end(struct volume *v)
{
	unsigned i;

	for (i = 0; i < v->n_lines; i++) {
		free(v->lines[i].kept);
		free(v->lines[i].before);
	}
}

unsigned volume_legs(struct volume *v, struct leg **out, unsigned most)
{
	unsigned i, k, n = 0;

	for (i = 0; i < v->n_lines; i++)
		for (k = 0; k < v->lines[i].kind->disks && n < most; k++)
			out[n++] = &v->lines[i].legs[k];
	return n;
}

struct leg *volume_leg(struct volume *v, unsigned any)
{
	struct leg *legs[LINES * KIND_DISKS];
	unsigned n = volume_legs(v, legs, LINES * KIND_DISKS);

	return n ? legs[any % n] : NULL;
}

unsigned volume_names(struct volume *v, const char **out, bool others)
{
	struct leg *legs[LINES * KIND_DISKS];
	unsigned n_legs = volume_legs(v, legs, LINES * KIND_DISKS), n = 0, i, k;

	for (i = 0; i < n_legs; i++)
		out[n++] = legs[i]->name;
	for (i = 0; others && i < v->n_lines; i++)
		for (k = 0; k < KIND_OTHERS; k++)
			if (v->lines[i].others[k].device)
				out[n++] = v->lines[i].others[k].name;
	out[n++] = v->name;
	return n;
}

unsigned volume_line_of(const struct volume *v, const struct leg *leg)
{
	unsigned i = 0;

	while (i + 1 < v->n_lines && !(leg >= v->lines[i].legs && leg < v->lines[i].legs + KIND_DISKS))
		i++;
	return i;
}

static void line_keep(struct line *l)
{
	const struct kind *k = l->kind;
	unsigned i;

	for (i = 0; k->placed && i < SAMPLE_SECTORS; i++)
		memcpy(l->kept + i * DM_SECTOR, ground_now(l->legs[k->at[i].disk].disk) + k->at[i].sector * DM_SECTOR, DM_SECTOR);
}

/* Can it be taken from there and put there? */
static bool kind_carries(const struct kind *k)
{
	return k->placed || k->how == KIND_FAILS;
}

bool volume_keeps(const struct volume *v, unsigned i, const struct kind *kind)
{
	return kind_carries(v->lines[i].kind) && kind_carries(kind);
}

bool volume_change(struct volume *v, unsigned i, const struct kind *kind, struct line *old)
{
	int first = ground_take(kind->disks);
	bool keeps = volume_keeps(v, i, kind);
	char why[ERR_TEXT];

	if (first < 0)
		return false;
	*old = v->lines[i];
	if (keeps)
		line_keep(&v->lines[i]);
	else
		memcpy(v->lines[i].kept, kind->before, sizeof(kind->before));
	line_make(v, i, kind, (unsigned)first);
	if (volume_load(v, -1, why))
		found("%s: %s", v->name, why);
	return true;
}

static void forget(struct volume *v, const char *name)
{
	char why[ERR_TEXT];

	if (verb(v->f, DM_DO_REMOVE, name, 0, why))
		found("%s, which no table uses: %s", name, why);
}

void volume_forget(struct volume *v, struct line *old)
{
	unsigned k;

	others_close(old);
	for (k = 0; k < KIND_OTHERS; k++)
		if (old->others[k].device)
			forget(v, old->others[k].name);
	for (k = 0; k < old->kind->disks; k++) {
		forget(v, old->legs[k].name);
		ground_leave(old->legs[k].disk);
	}
}

const uint8_t *volume_left(const struct volume *v, uint64_t s)
{
	const struct line *l = &v->lines[s / SAMPLE_SECTORS];
	unsigned in = s % SAMPLE_SECTORS;

	if (!l->kind->placed || l->kind->sample->does_io)	/* of equal disks, which one is right is in a log */
		return NULL;
	return ground_left(l->legs[l->kind->at[in].disk].disk) + l->kind->at[in].sector * DM_SECTOR;
}
