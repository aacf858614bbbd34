/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes and discards: see request.c for what becomes of them. */
#include <errno.h>
#include <string.h>

#include "core/world.h"
#include "targets/integrity/job.h"

/* --- writes ----------------------------------------------------------------------------------------------------------------- */

static void write_durable(struct job *j)
{
	job_over(j, 0);
}

static void write_done(struct job *j)
{
	if (j->req->flags & DM_FUA)
		job_waits(j, write_durable, false);
	else
		job_over(j, 0);
}

static void write_tags_are(struct tags_op *op, int err)
{
	struct job *j = container(op, struct job, op);

	if (err)
		job_over(j, err);
	else
		write_done(j);
}

/* The data are there, or the digests. */
static void write_came(struct job *j)
{
	if (--j->coming)
		return;
	if (j->err)
		job_over(j, j->err);
	else
		job_tags(j, true, write_tags_are);
}

static void write_direct(struct job *j)
{
	if (!job_child(j, j->req->op)) {
		job_over(j, -ENOMEM);
		return;
	}
	j->coming = 2;
	job_send(j);
	job_digests(j, write_came);
}

static void put_fill(struct job *j)
{
	struct jring *ring = j->it->journal;
	uint32_t i;

	if (j->put.err) {
		job_over(j, j->put.err);
		return;
	}
	for (i = 0; i < j->n; i++)
		jring_put_block(ring, &j->put, i, job_block(j, i), job_tag(j, i));
	integrity_is_used(j->it);
	jring_put_over(ring, &j->put);
	write_done(j);
}

static void put_got(struct jring_put *p, int err)
{
	struct job *j = container(p, struct job, put);

	(void)err;
	dm_io_turn(j->req->io);
	put_fill(j);
}

static void write_put(struct job *j)
{
	j->put = (struct jring_put){ .sector = j->req->sector, .n = j->n, .got = put_got, .home = j->req->io->loop };
	if (jring_put_begin(j->it->journal, &j->put))
		put_fill(j);
}

/* --- discards --------------------------------------------------------------------------------------------------------------- */

static void discard_data(struct job *j)
{
	if (job_child(j, DM_DISCARD))
		job_send(j);
	else
		job_over(j, -ENOMEM);
}

static void discard_tags_are(struct tags_op *op, int err)
{
	struct job *j = container(op, struct job, op);

	if (err)
		job_over(j, err);
	else if (j->it->journal)
		job_waits(j, discard_data, true);
	else
		discard_data(j);
}

static void discard_tags(struct job *j)
{
	memset(j->tags, INTEGRITY_FILLER, (size_t)j->n * j->it->f.tag_size);
	job_tags(j, true, discard_tags_are);
}

/* What is in the journal is in its place before: it would come back else. */
static void discard_go(struct job *j)
{
	uint32_t n = j->it->journal ? jring_find(j->it->journal, j->req->sector, j->n, j->found) : 0;

	if (!n) {
		discard_tags(j);
		return;
	}
	j->n_found = n;
	job_take_found(j, false);
	j->n_found = 0;
	job_waits(j, discard_tags, true);
}

/* --- both ------------------------------------------------------------------------------------------------------------------ */

/* In mode B its bits are set before anything changes. */
static void marked(struct job *j, void (*next)(struct job *j))
{
	struct integrity *it = j->it;

	if (!it->bitmap) {
		next(j);
		return;
	}
	j->generation = epoch_enter(it->epoch, j->req->io);
	j->in_epoch = true;
	j->next = next;
	if (ibitmap_may_write(it->bitmap, j->req->sector, j->req->count))
		next(j);
	else
		integrity_want_mark(it, j->req);
}

void job_write(struct job *j)
{
	if (j->it->journal)
		job_digests(j, write_put);
	else
		marked(j, write_direct);
}

void job_discard(struct job *j)
{
	marked(j, discard_go);
}

void job_write_child(struct job *j, int err)
{
	if (j->req->op != DM_DISCARD) {
		j->err = err;
		write_came(j);
	} else if (err) {
		job_over(j, err);
	} else {
		write_done(j);
	}
}
