/* SPDX-License-Identifier: BSD-2-Clause */
/* The journal in memory: see journal.h. */
#include "targets/integrity/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/list.h"

#define LAST 8u				/* bytes of a sector of data that are kept in its entry */

static int jring_memory(struct jring *j)
{
	const struct iformat *f = j->f;
	uint32_t heads = 1;
	void *memory;

	while (heads < f->entries && heads < UINT32_C(1) << 31)
		heads *= 2;
	j->mask = heads - 1;
	j->bytes = (size_t)f->section_sectors * f->sections * DM_SECTOR;
	memory = mmap(NULL, j->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	j->memory = memory == MAP_FAILED ? NULL : memory;
	j->state = calloc(f->sections, sizeof(*j->state));
	j->copying = calloc(f->sections, sizeof(*j->copying));
	j->pins = calloc(f->sections, sizeof(*j->pins));
	j->block = malloc(f->entries * sizeof(*j->block));
	j->newer = malloc(f->entries * sizeof(*j->newer));
	j->chain = malloc(f->entries * sizeof(*j->chain));
	j->list = malloc(f->entries * sizeof(*j->list));
	j->heads = malloc(heads * sizeof(*j->heads));
	return j->memory && j->state && j->copying && j->pins && j->block && j->newer && j->chain && j->list && j->heads ? 0 : -ENOMEM;
}

static void jring_empty(struct jring *j)
{
	memset(j->block, 0xff, j->f->entries * sizeof(*j->block));
	memset(j->newer, 0xff, j->f->entries * sizeof(*j->newer));
	memset(j->heads, 0xff, ((size_t)j->mask + 1) * sizeof(*j->heads));
	memset(j->state, SECTION_FREE, j->f->sections);
	j->free = (uint32_t)j->f->entries;
	j->last = &j->line;
}

/* What the superblock says may be wrong. */
static bool is_too_long(const struct iformat *f)
{
	uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);

	return f->entries >= JRING_NONE || (uint64_t)f->section_sectors * f->sections * DM_SECTOR >= memory;
}

int jring_new(struct jring **out, const struct iformat *f, struct seal *seal, unsigned watermark, void (*kick)(void *arg), void *arg,
	      struct err *e)
{
	struct jring *j = is_too_long(f) ? NULL : calloc(1, sizeof(*j));

	if (!j) {
		seal_free(seal);
		return err_set(e, -ENOMEM, "no memory for a journal of %llu blocks", (unsigned long long)f->entries);
	}
	j->f = f;
	j->seal = seal;
	j->kick = kick;
	j->arg = arg;
	j->low = (uint32_t)((f->entries * (100 - watermark) + 50) / 100);
	pthread_mutex_init(&j->lock, NULL);
	pthread_cond_init(&j->copied, NULL);
	if (jring_memory(j) || !(j->run = aligned_alloc(4096, JRING_RUN)) || !(j->run_tags = malloc(JRING_RUN))) {
		jring_free(j);
		return err_set(e, -ENOMEM, "no memory for a journal of %llu blocks", (unsigned long long)f->entries);
	}
	jring_empty(j);
	*out = j;
	return 0;
}

void jring_free(struct jring *j)
{
	if (!j)
		return;
	seal_free(j->seal);
	if (j->memory)
		munmap(j->memory, j->bytes);
	free(j->state);
	free(j->copying);
	free(j->pins);
	free(j->block);
	free(j->newer);
	free(j->chain);
	free(j->list);
	free(j->heads);
	free(j->run);
	free(j->run_tags);
	pthread_cond_destroy(&j->copied);
	pthread_mutex_destroy(&j->lock);
	free(j);
}

void jring_begin_at(struct jring *j, uint32_t section, unsigned seq)
{
	jring_empty(j);
	j->oldest = j->first_open = j->fill = section;
	j->n_open = j->fill_entry = 0;
	j->seq = seq;
	j->used = false;
}

/* --- the index, with the lock ---------------------------------------------------------------------------------------------- */

static uint32_t *head_of(struct jring *j, uint64_t block)
{
	return &j->heads[block * UINT64_C(0x9e3779b97f4a7c15) >> 32 & j->mask];
}

/* The link to the entry that has BLOCK, or to the end of the chain. */
static uint32_t *index_find(struct jring *j, uint64_t block)
{
	uint32_t *at = head_of(j, block);

	while (*at != JRING_NONE && j->block[*at] != block)
		at = &j->chain[*at];
	return at;
}

/* E takes the place of an older one. */
static void index_add(struct jring *j, uint64_t block, uint32_t e)
{
	uint32_t *at = index_find(j, block), old = *at;

	j->block[e] = block;
	j->newer[e] = JRING_NONE;
	j->chain[e] = old == JRING_NONE ? JRING_NONE : j->chain[old];
	if (old != JRING_NONE)
		j->newer[old] = e;
	*at = e;
}

void jring_index(struct jring *j, uint64_t block, uint32_t entry)
{
	index_add(j, block, entry);
}

static void index_remove(struct jring *j, uint32_t e)
{
	uint32_t *at = index_find(j, j->block[e]);

	if (*at == e)
		*at = j->chain[e];
	j->block[e] = UINT64_MAX;
}

/* --- writes ---------------------------------------------------------------------------------------------------------------- */

static uint32_t entry_next(const struct jring *j, uint32_t e)
{
	return e + 1 == j->f->entries ? 0 : e + 1;
}

static void take_entry(struct jring *j, uint64_t block)
{
	uint32_t s = j->fill;

	if (!j->fill_entry)
		j->n_open++;
	j->state[s] = SECTION_OPEN;
	j->copying[s]++;
	index_add(j, block, s * j->f->per_section + j->fill_entry);
	if (++j->fill_entry == j->f->per_section) {
		j->fill_entry = 0;
		j->fill = jring_next(j, s);
	}
}

static void take_entries(struct jring *j, struct jring_put *p)
{
	uint32_t i;

	p->first = j->fill * j->f->per_section + j->fill_entry;
	for (i = 0; i < p->n; i++)
		take_entry(j, p->sector / j->f->block + i);
	j->free -= p->n;
	j->used = true;
}

bool jring_put_begin(struct jring *j, struct jring_put *p)
{
	bool fits, low;

	p->err = 0;
	p->next = NULL;
	pthread_mutex_lock(&j->lock);
	fits = !j->line && j->free >= p->n;
	if (fits) {
		take_entries(j, p);
	} else {
		*j->last = p;
		j->last = &p->next;
	}
	low = j->free <= j->low || !fits;
	pthread_mutex_unlock(&j->lock);
	if (low)
		j->kick(j->arg);
	return fits;
}

void jring_put_block(struct jring *j, const struct jring_put *p, uint32_t i, struct vec data, const uint8_t *tag)
{
	uint32_t e = (uint32_t)((p->first + (uint64_t)i) % j->f->entries);
	uint8_t *entry = jring_entry(j, e), *to = jring_data(j, e);
	unsigned s;

	iformat_entry_set(entry, p->sector + (uint64_t)i * j->f->block);
	if (data.iov)
		vec_get(data, to, (size_t)j->f->block * DM_SECTOR);
	else
		memset(to, 0, (size_t)j->f->block * DM_SECTOR);
	for (s = 0; s < j->f->block; s++)
		memcpy(entry + 8 + s * LAST, to + (s + 1) * DM_SECTOR - LAST, LAST);
	memcpy(iformat_entry_tag(j->f, entry), tag, j->f->tag_size);
}

void jring_put_over(struct jring *j, const struct jring_put *p)
{
	uint32_t i, e = p->first;

	pthread_mutex_lock(&j->lock);
	for (i = 0; i < p->n; i++, e = entry_next(j, e))
		j->copying[e / j->f->per_section]--;
	pthread_cond_signal(&j->copied);
	pthread_mutex_unlock(&j->lock);
}

static void put_home(struct loop_msg *m)
{
	struct jring_put *p = container(m, struct jring_put, msg);

	p->got(p, p->err);
}

/* With the lock: those that there is room for now, or all, with ERR. */
static struct jring_put *line_take(struct jring *j, int err)
{
	struct jring_put *ready = NULL, **last = &ready, *p;

	while ((p = j->line) && (err || j->free >= p->n)) {
		if (!(j->line = p->next))
			j->last = &j->line;
		p->err = err;
		if (!err)
			take_entries(j, p);
		p->next = NULL;
		*last = p;
		last = &p->next;
	}
	return ready;
}

void jring_wake(struct jring *j, int err)
{
	struct jring_put *ready, *p;
	bool more;

	pthread_mutex_lock(&j->lock);
	ready = line_take(j, err);
	more = j->line;
	pthread_mutex_unlock(&j->lock);
	while ((p = ready)) {
		ready = p->next;
		p->msg.run = put_home;
		loop_post(p->home, &p->msg);
	}
	if (more)
		j->kick(j->arg);
}

/* --- reads ----------------------------------------------------------------------------------------------------------------- */

uint32_t jring_find(struct jring *j, uint64_t sector, uint32_t n, uint64_t *bits)
{
	uint64_t block = sector / j->f->block;
	uint32_t i, e, found = 0;

	pthread_mutex_lock(&j->lock);
	for (i = 0; i < n; i++) {
		e = *index_find(j, block + i);
		if (e == JRING_NONE)
			continue;
		j->pins[e / j->f->per_section]++;
		bits[i / 64] |= (uint64_t)1 << i % 64;
		found++;
	}
	pthread_mutex_unlock(&j->lock);
	return found;
}

void jring_entry_get(const struct jring *j, uint32_t e, struct vec to)
{
	const uint8_t *entry = jring_entry(j, e), *data = jring_data(j, e);
	unsigned s;

	for (s = 0; s < j->f->block; s++) {
		vec_put(vec_from(to, (size_t)s * DM_SECTOR), data + (size_t)s * DM_SECTOR, DM_SECTOR - LAST);
		vec_put(vec_from(to, (size_t)(s + 1) * DM_SECTOR - LAST), entry + 8 + s * LAST, LAST);
	}
}

void jring_get(struct jring *j, uint64_t sector, const struct vec *data, uint8_t *tag)
{
	uint32_t e, section;
	bool freed;

	pthread_mutex_lock(&j->lock);
	e = *index_find(j, sector / j->f->block);
	pthread_mutex_unlock(&j->lock);
	section = e / j->f->per_section;
	if (data)
		jring_entry_get(j, e, *data);
	if (tag)
		memcpy(tag, iformat_entry_tag(j->f, jring_entry(j, e)), j->f->tag_size);
	pthread_mutex_lock(&j->lock);
	freed = --j->pins[section] == 0 && j->state[section] == SECTION_WRITTEN;
	if (freed)
		jring_free_sections(j);
	pthread_mutex_unlock(&j->lock);
	if (freed)
		jring_wake(j, 0);
}

/* With the lock: sections whose blocks are in their places and that nobody reads. */
void jring_free_sections(struct jring *j)
{
	uint32_t s, e, i;

	for (s = j->oldest; j->state[s] == SECTION_WRITTEN && !j->pins[s]; s = jring_next(j, s)) {
		for (i = 0; i < j->f->per_section; i++) {
			e = s * j->f->per_section + i;
			if (j->block[e] != UINT64_MAX)
				index_remove(j, e);
			iformat_entry_clear(jring_entry(j, e));
		}
		j->state[s] = SECTION_FREE;
		j->free += j->f->per_section;
	}
	j->oldest = s;
}
