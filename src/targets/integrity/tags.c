/* SPDX-License-Identifier: BSD-2-Clause */
/* Tags in memory: see tags.h. */
#include "targets/integrity/tags_own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/list.h"
#include "core/path/child.h"

struct tags_set *tags_set_of(struct tags *c, uint64_t number)
{
	return &c->set[(number ^ number >> 13) % TAGS_SETS];
}

static void set_init(struct tags_set *s, uint8_t *memory)
{
	unsigned i;

	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	for (i = 0; i < TAGS_WAYS; i++)
		s->way[i].data = memory + (size_t)i * TAGS_BLOCK;
}

int tags_new(struct tags **out, void (*full)(void *arg), void *arg, struct err *e)
{
	struct tags *c = calloc(1, sizeof(*c));
	size_t bytes = ((size_t)TAGS_SETS * TAGS_WAYS + TAGS_RUN) * TAGS_BLOCK;
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	unsigned i;

	if (c)
		c->dirty = calloc(TAGS_SETS * TAGS_WAYS, sizeof(*c->dirty));
	if (!c || !c->dirty || memory == MAP_FAILED) {
		if (memory != MAP_FAILED)
			munmap(memory, bytes);
		if (c)
			free(c->dirty);
		free(c);
		return err_set(e, -ENOMEM, "no memory for %u blocks of tags", TAGS_SETS * TAGS_WAYS);
	}
	c->full = full;
	c->arg = arg;
	c->memory = memory;
	c->run = c->memory + (size_t)TAGS_SETS * TAGS_WAYS * TAGS_BLOCK;
	for (i = 0; i < TAGS_SETS; i++)
		set_init(&c->set[i], c->memory + (size_t)i * TAGS_WAYS * TAGS_BLOCK);
	*out = c;
	return 0;
}

void tags_free(struct tags *c)
{
	unsigned i;

	if (!c)
		return;
	for (i = 0; i < TAGS_SETS; i++) {
		pthread_mutex_destroy(&c->set[i].lock);
		pthread_cond_destroy(&c->set[i].changed);
	}
	munmap(c->memory, ((size_t)TAGS_SETS * TAGS_WAYS + TAGS_RUN) * TAGS_BLOCK);
	free(c->dirty);
	free(c);
}

void tags_bind(struct tags *c, const struct dm_at *at, uint64_t sectors)
{
	bool same = c->at.store == at->store && c->at.offset == at->offset && c->sectors == sectors;
	unsigned i;

	c->at = *at;
	c->sectors = sectors;
	for (i = 0; i < TAGS_SETS * TAGS_WAYS; i++) {
		struct tag_block *b = &c->set[i / TAGS_WAYS].way[i % TAGS_WAYS];

		b->dirty &= same;
		if (!b->dirty)
			b->state = TAGS_FREE;
	}
}

uint64_t tags_block_sectors(const struct tags *c, uint64_t number)
{
	uint64_t first = number * TAGS_BLOCK_SECTORS;

	return c->sectors - first < TAGS_BLOCK_SECTORS ? c->sectors - first : TAGS_BLOCK_SECTORS;
}

/* --- a set, with its lock ------------------------------------------------------------------------------------------------- */

static struct tag_block *set_find(struct tags_set *s, uint64_t number)
{
	unsigned i;

	for (i = 0; i < TAGS_WAYS; i++)
		if (s->way[i].state != TAGS_FREE && s->way[i].number == number)
			return &s->way[i];
	return NULL;
}

/* For another block: a free one, or the clean one that was used longest ago; or NULL. */
static struct tag_block *set_place(struct tags_set *s)
{
	struct tag_block *b, *best = NULL;

	for (b = s->way; b < s->way + TAGS_WAYS; b++) {
		if (b->state == TAGS_FREE)
			return b;
		if (b->state == TAGS_LOADING || b->dirty || b->writing)
			continue;
		if (!best || s->clock - b->used > s->clock - best->used)
			best = b;
	}
	return best;
}

struct tags_op *tags_line_take(struct tags_set *s)
{
	struct tags_op *all = s->line;

	s->line = NULL;
	return all;
}

static void block_copy(struct tags_set *s, struct tag_block *b, size_t off, size_t n, uint8_t *bytes, bool writes)
{
	b->used = ++s->clock;
	b->dirty |= writes;
	if (writes)
		memcpy(b->data + off, bytes, n);
	else
		memcpy(bytes, b->data + off, n);
}

enum tags_answer tags_set_access(struct tags_set *s, uint64_t number, size_t off, size_t n, uint8_t *bytes, bool writes, struct tag_block **out)
{
	struct tag_block *b = set_find(s, number);

	*out = b;
	if (b && b->state == TAGS_LOADING)
		return TAGS_COMING;
	if (!b) {
		*out = b = set_place(s);
		if (!b)
			return TAGS_NO_PLACE;
		b->number = number;
		b->state = n == TAGS_BLOCK && writes ? TAGS_READY : TAGS_LOADING;
		if (b->state == TAGS_LOADING)
			return TAGS_LOAD;
	}
	block_copy(s, b, off, n, bytes, writes);
	return TAGS_COPIED;
}

/* --- io threads ----------------------------------------------------------------------------------------------------------- */

static void tags_go_on(struct tags_op *op);

static void op_home(struct loop_msg *m)
{
	struct tags_op *op = container(m, struct tags_op, msg);

	dm_io_turn(op->io);
	if (op->err)
		op->done(op, op->err);
	else
		tags_go_on(op);
}

void tags_ops_wake(struct tags_op *all, int err)
{
	struct tags_op *op;

	while ((op = all)) {
		all = op->next;
		op->err = err;
		op->msg.run = op_home;
		loop_post(op->io->loop, &op->msg);
	}
}

void tags_block_loaded(struct tags *c, struct tag_block *b, int err)
{
	struct tags_set *s = tags_set_of(c, b->number);
	struct tags_op *waiting, *line;

	pthread_mutex_lock(&s->lock);
	waiting = b->waiting;
	b->waiting = NULL;
	b->state = err ? TAGS_FREE : TAGS_READY;
	line = tags_line_take(s);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	tags_ops_wake(waiting, err);
	tags_ops_wake(line, 0);
}

static void op_loaded(struct dm_req *r, int err)
{
	struct tags_op *op = container(r, struct tags_op, req);

	tags_block_loaded(op->tags, op->block, err);
	if (err)
		op->done(op, err);
	else
		tags_go_on(op);
}

static void op_load(struct tags *c, struct tags_op *op)
{
	uint64_t sectors = tags_block_sectors(c, op->block->number);

	op->req = (struct dm_req){ .op = DM_READ, .sector = op->block->number * TAGS_BLOCK_SECTORS, .count = sectors, .done = op_loaded };
	dm_req_buffer(&op->req, op->block->data, sectors << DM_SECTOR_SHIFT);
	dm_send(op->io, &c->at, &op->req);
}

static void op_wait(struct tags_set *s, struct tags_op *op, enum tags_answer a)
{
	struct tags_op **list = a == TAGS_COMING ? &op->block->waiting : &s->line;

	op->next = *list;
	*list = op;
}

static enum tags_answer op_step(struct tags *c, struct tags_op *op)
{
	size_t off = op->pos % TAGS_BLOCK, n = op->len < TAGS_BLOCK - off ? op->len : TAGS_BLOCK - off;
	struct tags_set *s = tags_set_of(c, op->pos / TAGS_BLOCK);
	enum tags_answer a;

	pthread_mutex_lock(&s->lock);
	a = tags_set_access(s, op->pos / TAGS_BLOCK, off, n, op->bytes, op->writes, &op->block);
	if (a == TAGS_COMING || a == TAGS_NO_PLACE)
		op_wait(s, op, a);
	pthread_mutex_unlock(&s->lock);
	if (a == TAGS_COPIED) {
		op->pos += n;
		op->len -= n;
		op->bytes += n;
	}
	return a;
}

static void tags_go_on(struct tags_op *op)
{
	struct tags *c = op->tags;
	enum tags_answer a = TAGS_COPIED;

	while (op->len && a == TAGS_COPIED)
		a = op_step(c, op);
	if (a == TAGS_COPIED)
		op->done(op, 0);
	else if (a == TAGS_LOAD)
		op_load(c, op);
	else if (a == TAGS_NO_PLACE)
		c->full(c->arg);
}

void tags_begin(struct tags *c, struct tags_op *op)
{
	op->tags = c;
	op->err = 0;
	tags_go_on(op);
}
