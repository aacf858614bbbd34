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

static bool line_make(struct volume *v, unsigned i, const struct kind *k, const uint8_t *content)
{
	struct line *l = &v->lines[i];
	int first = ground_take(k->disks);
	unsigned n;

	if (first < 0)
		return false;
	l->kind = k;
	ground_base((unsigned)first);
	if (k->sample->format)
		k->sample->format();
	for (n = 0; k->placed && n < SAMPLE_SECTORS; n++)
		memcpy(disk_bytes(k->at[n].disk) + k->at[n].sector * DM_SECTOR, content + n * DM_SECTOR, DM_SECTOR);
	for (n = 0; n < k->disks; n++) {
		ground_make_durable((unsigned)first + n);
		leg_make(v, i, n, &l->legs[n], (unsigned)first + n);
	}
	return true;
}

static void volume_table(const struct volume *v, struct text *out)
{
	const char *names[KIND_DISKS];
	unsigned i, k;

	for (i = 0; i < v->n_lines; i++) {
		for (k = 0; k < KIND_DISKS; k++)
			names[k] = v->lines[i].legs[k].name;
		kind_line(out, v->lines[i].kind, i * SAMPLE_SECTORS, names);
	}
}

int volume_make(struct volume *v, struct fixture *f, unsigned number, unsigned n_lines, const unsigned *line_kinds)
{
	struct text table = TEXT_INIT;
	unsigned i;

	memset(v, 0, sizeof(*v));
	v->f = f;
	v->number = number;
	v->n_lines = n_lines;
	snprintf(v->name, sizeof(v->name), "volume%u", number);
	for (i = 0; i < n_lines; i++) {
		v->lines[i].kept = calloc(SAMPLE_SECTORS, DM_SECTOR);
		assert_non_null(v->lines[i].kept);
		if (!line_make(v, i, &kinds[line_kinds[i]], v->lines[i].kept))
			return -1;
	}
	volume_table(v, &table);
	v->device = make_device(f, v->name, text_str(&table));
	dm_open(v->device);
	text_free(&table);
	return 0;
}

void volume_end(struct volume *v)
{
	unsigned i;

	for (i = 0; i < v->n_lines; i++)
		free(v->lines[i].kept);
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

static void line_keep(struct line *l)
{
	const struct kind *k = l->kind;
	unsigned i;

	for (i = 0; k->placed && i < SAMPLE_SECTORS; i++)
		memcpy(l->kept + i * DM_SECTOR, ground_now(l->legs[k->at[i].disk].disk) + k->at[i].sector * DM_SECTOR, DM_SECTOR);
}

bool volume_change(struct volume *v, unsigned i, const struct kind *kind, struct line *old)
{
	struct text table = TEXT_INIT;
	char why[ERR_TEXT];

	*old = v->lines[i];
	line_keep(&v->lines[i]);
	if (!line_make(v, i, kind, v->lines[i].kept)) {
		v->lines[i] = *old;
		return false;
	}
	volume_table(v, &table);
	if (reload(v->f, v->name, text_str(&table), why))
		found("%s: %s", v->name, why);
	text_free(&table);
	return true;
}

void volume_forget(struct volume *v, struct line *old)
{
	char why[ERR_TEXT];
	unsigned k;

	for (k = 0; k < old->kind->disks; k++) {
		if (verb(v->f, DM_DO_REMOVE, old->legs[k].name, 0, why))
			found("%s, which no table uses: %s", old->legs[k].name, why);
		ground_leave(old->legs[k].disk);
	}
}

const uint8_t *volume_left(const struct volume *v, uint64_t s)
{
	const struct line *l = &v->lines[s / SAMPLE_SECTORS];
	unsigned in = s % SAMPLE_SECTORS;

	if (!l->kind->placed)
		return NULL;
	return ground_left(l->legs[l->kind->at[in].disk].disk) + l->kind->at[in].sector * DM_SECTOR;
}
