/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory of a cache: see memory.h. */
#include "targets/powercut/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define BLOCK 4096u		/* records are cut from */

struct memory_free {
	struct memory_free *next;
	uint64_t place;		/* of a hole in the spill file */
};

int memory_new(struct memory *m, size_t size, uint32_t unit, struct err *e)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	*m = (struct memory){ .unit = unit };
	if (p == MAP_FAILED)
		return err_set(e, -ENOMEM, "no memory for a write cache of %zu bytes", size);
	m->region = p;
	m->size = size;
	m->most_data = size / 4 * 3;
	return 0;
}

void memory_end(struct memory *m)
{
	if (m->region)
		munmap(m->region, m->size);
	*m = (struct memory){ .size = 0 };
}

static struct memory_free *take(struct memory_free **from)
{
	struct memory_free *f = *from;

	if (f)
		*from = f->next;
	return f;
}

static void give(struct memory_free **to, void *p)
{
	struct memory_free *f = p;

	f->next = *to;
	*to = f;
}

static void *cut(struct memory *m, size_t bytes)
{
	void *p = m->region + m->used;

	if (bytes > m->size - m->used)
		return NULL;
	m->used += bytes;
	return p;
}

bool memory_has(const struct memory *m, size_t n)
{
	return n <= m->n_records + (m->size - m->used) / BLOCK * (BLOCK / MEMORY_RECORD);
}

void *memory_record(struct memory *m)
{
	uint8_t *block;
	unsigned i;

	if (!m->records) {
		block = cut(m, BLOCK);
		for (i = 0; block && i < BLOCK / MEMORY_RECORD; i++)
			memory_give_record(m, block + i * MEMORY_RECORD);
	}
	m->n_records -= m->records != NULL;
	return take(&m->records);
}

void memory_give_record(struct memory *m, void *record)
{
	m->n_records++;
	give(&m->records, record);
}

/* Records are cut from what is left for data, too. */
bool memory_has_units(const struct memory *m, uint64_t n)
{
	uint64_t lacking = n > m->n_records ? n - m->n_records : 0, each = BLOCK / MEMORY_RECORD;
	size_t records = (size_t)((lacking + each - 1) / each) * BLOCK;
	size_t fresh = m->most_data - m->data, left = m->size - m->used;
	const struct memory_free *f = m->units;

	if (records > left)
		return false;
	left -= records;
	for (; f && n; f = f->next)
		n--;
	return n <= (fresh < left ? fresh : left) / m->unit;
}

void *memory_unit(struct memory *m)
{
	void *p = take(&m->units);

	if (p || m->data + m->unit > m->most_data)
		return p;
	p = cut(m, m->unit);
	m->data += p ? m->unit : 0;
	return p;
}

void memory_give_unit(struct memory *m, void *data)
{
	give(&m->units, data);
}

uint64_t memory_spill(struct memory *m)
{
	struct memory_free *hole = take(&m->holes);
	uint64_t place = hole ? hole->place : m->spill_end++;

	m->spilled++;
	if (hole)
		memory_give_record(m, hole);
	return place;
}

/* Places that are given back in the order in which they were taken are taken in that order again. */
static void settle(struct memory *m)
{
	struct memory_free *f;

	while (!m->readers && (f = take(&m->resting)))
		give(&m->holes, f);
	while (!m->readers && !m->spilled && (f = take(&m->holes)))
		memory_give_record(m, f);
	if (!m->readers && !m->spilled)
		m->spill_end = 0;
}

void memory_give_spill(struct memory *m, void *record, uint64_t place)
{
	((struct memory_free *)record)->place = place;
	give(&m->resting, record);
	m->spilled--;
	if (!m->readers)
		settle(m);
}

void memory_read_spill(struct memory *m)
{
	m->readers++;
}

void memory_spill_read(struct memory *m)
{
	if (!--m->readers)
		settle(m);
}
