/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log-writes: everything goes to <device>, and what is written there is logged on <log device>, in the order in which it became
 * durable. `dmuse replay` and other readers of Linux's format make of it the device as it was at any flush. Message: mark <text>.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/command/ask.h"
#include "core/device/step.h"
#include "core/path/child.h"
#include "core/path/held.h"
#include "core/table/target.h"
#include "targets/log_writes/format.h"
#include "targets/log_writes/logger.h"

struct log_writes {
	struct dm_at disk, log;
	struct logger *logger;
	bool joined;			/* it was active once ... */
	bool running;			/* ... and is not suspended */
	struct dm_step *step;		/* a hook that waits for ... */
	struct clerk_job job;		/* ... this */
};

/* R goes to the disk as a child, whose end is the moment to log it. */
static int log_send(const struct log_writes *w, struct dm_req *r, struct block *b)
{
	struct dm_req *c;

	if (dm_children(r, &c, 1)) {
		logger_give(w->logger, b);
		return -ENOMEM;
	}
	r->own[0] = b;
	if (r->op == DM_FLUSH)
		logger_flush_begins(w->logger, b);
	dm_send(r->io, &w->disk, c);
	return DM_HELD;
}

/* A copy of what is going to be logged. */
static void log_fill(const struct log_writes *w, const struct dm_req *r, struct block *b)
{
	b->flags = (r->op == DM_FLUSH ? WLOG_FLUSH : 0) | (r->op == DM_DISCARD ? WLOG_DISCARD : 0) | (r->flags & DM_FUA ? WLOG_FUA : 0);
	b->sector = r->op == DM_FLUSH ? 0 : r->sector;
	b->count = r->op == DM_FLUSH ? 0 : r->count;
	b->zeroes = r->op == DM_ZEROES;
	if (r->op == DM_WRITE)
		logger_keep(w->logger, b, r->data, r->count << DM_SECTOR_SHIFT);
}

static int log_begin(const struct log_writes *w, struct dm_req *r, struct block *b)
{
	log_fill(w, r, b);
	return log_send(w, r, b);
}

void log_writes_got(void *arg, struct dm_req *r, struct block *b)
{
	int verdict = log_begin(dm_holder(r)->priv, r, b);

	(void)arg;
	if (verdict != DM_HELD)
		dm_go_on_here(r, verdict);
}

static int log_take(const struct log_writes *w, struct dm_req *r, size_t bytes)
{
	struct block *b = logger_take(w->logger, r, bytes);

	return b ? log_begin(w, r, b) : DM_HELD;
}

static int log_writes_map(const struct dm_target *t, struct dm_req *r)
{
	const struct log_writes *w = t->priv;

	if (r->op == DM_READ || r->op == DM_EXTENT || !logger_is_on(w->logger))
		return dm_remap(r, &w->disk, r->sector);
	if (r->op != DM_DISCARD && r->count > BLOCK_MOST) {
		r->count = BLOCK_MOST;
		return DM_PART;
	}
	return log_take(w, r, r->op == DM_WRITE ? r->count << DM_SECTOR_SHIFT : 0);
}

/* The core's own flush promises nothing to anybody: it is not logged. */
static int log_writes_flush(const struct dm_target *t, struct dm_req *r)
{
	const struct log_writes *w = t->priv;

	if (r->flags & DM_OWN || !logger_is_on(w->logger)) {
		r->store = w->disk.store;
		return DM_REMAPPED;
	}
	return log_take(w, r, 0);
}

/* What has failed may be there in part, and is logged as on Linux; what has never been tried is not. */
static int log_writes_child(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err)
{
	const struct log_writes *w = t->priv;
	struct block *b = r->own[0];

	(void)c;
	if (r->op == DM_FLUSH)
		logger_flushed(w->logger, b, err);
	else if (err == DM_PUT_BACK)
		logger_give(w->logger, b);
	else
		logger_wrote(w->logger, b);
	return err;
}

/* --- hooks -------------------------------------------------------------------------------------------------------------- */

static void log_writes_preresume(struct dm_target *t, struct dm_step *s)
{
	struct log_writes *w = t->priv;

	if (!w->joined)
		logger_join(w->logger);
	w->joined = true;
	dm_step_done(s, 0);
}

static void log_writes_resume(struct dm_target *t, struct dm_step *s)
{
	((struct log_writes *)t->priv)->running = true;
	dm_step_done(s, 0);
}

static void log_writes_presuspend(struct dm_target *t, struct dm_step *s)
{
	((struct log_writes *)t->priv)->running = false;
	dm_step_done(s, 0);
}

static void job_settled(struct clerk *c, struct clerk_job *j)
{
	(void)c;
	dm_step_done(container(j, struct log_writes, job)->step, 0);
}

/*
 * What was flushed is in the log when the device is suspended. What was not still waits for its flush, unless another program
 * takes over, which does not know it: then it is logged before its flush, as when memory is short.
 */
static void log_writes_postsuspend(struct dm_target *t, struct dm_step *s)
{
	struct log_writes *w = t->priv;

	w->step = s;
	w->job.run = job_settled;
	logger_settle(w->logger, s->hand_over, &w->job);
}

static void job_ended(struct clerk *c, struct clerk_job *j)
{
	struct log_writes *w = container(j, struct log_writes, job);

	dm_step_done(w->step, clerk_flush(c, &w->log));
}

static void log_writes_retire(struct dm_target *t, struct dm_step *s)
{
	struct log_writes *w = t->priv;

	w->step = s;
	w->job.run = job_ended;
	w->joined = false;
	if (!logger_leave(w->logger, &w->job))
		dm_step_done(s, 0);
}

/* --- another program ---------------------------------------------------------------------------------------------------- */

/* What no flush has covered is still in memory; and the other program would not end the log when the device is removed. */
static int log_writes_may_hand_over(const struct dm_target *t, struct err *e)
{
	const struct log_writes *w = t->priv;

	if (!w->joined || w->running)
		return 0;
	return err_set(e, -EBUSY, "the log of a device that is suspended cannot be handed over; resume it, or remove it");
}

static int log_writes_save(const struct dm_target *t, bool at_rest, struct text *out, struct err *e)
{
	const struct log_writes *w = t->priv;

	(void)at_rest;
	return logger_save(w->logger, out, e);
}

static int log_writes_restore(struct dm_target *t, char *saved, size_t len, struct err *e)
{
	const struct log_writes *w = t->priv;

	(void)len;
	return logger_restore(w->logger, saved, e);
}

/* --- marks -------------------------------------------------------------------------------------------------------------- */

struct mark {
	struct block block;
	struct dm_ask *ask;
	char text[];
};

static void mark_over(struct block *b, int err)
{
	struct mark *m = container(b, struct mark, block);

	if (err)
		err_set(&m->ask->err, err, "the mark is not in the log: nothing more is logged, because the log device %s",
			err == -ENOSPC ? "is full" : "has failed");
	m->ask->acted = !err;
	dm_ask_done(m->ask, err);
	free(m);
}

static int mark_refuse(struct dm_ask *a, uint32_t room)
{
	if (a->argc != 2)
		return err_set(&a->err, -EINVAL, "the message is: mark <text>, two words, not %d; blanks in the text have a backslash "
			       "before them", a->argc);
	if (strcasecmp(a->argv[0], "mark"))
		return err_set(&a->err, -EINVAL, "log-writes takes the message mark <text>, not '%.80s'", a->argv[0]);
	if (strlen(a->argv[1]) > room)
		return err_set(&a->err, -EINVAL, "a mark has at most %u bytes in this log, not %zu", room, strlen(a->argv[1]));
	return 0;
}

/* Answered when the mark is on the disk. */
static int log_writes_message(struct dm_target *t, struct dm_ask *a)
{
	struct log_writes *w = t->priv;
	struct mark *m;

	if (mark_refuse(a, WLOG_MARK_ROOM(logger_sector_size(w->logger))))
		return a->err.code;
	m = malloc(sizeof(*m) + strlen(a->argv[1]) + 1);
	if (!m)
		return err_set(&a->err, -ENOMEM, "no memory for a mark");
	m->ask = a;
	strcpy(m->text, a->argv[1]);
	m->block = (struct block){ .flags = WLOG_MARK, .mark = m->text, .over = mark_over };
	logger_mark(w->logger, &m->block);
	return DM_HELD;
}

/* --- the line ----------------------------------------------------------------------------------------------------------- */

static int log_writes_ctr(struct dm_target *t, struct dm_args *a)
{
	struct log_writes *w = t->priv;

	w->disk = dm_arg_device(a, "<device>", t->len);
	w->log = dm_arg_device(a, "<log device>", DM_WHOLE);
	if (!dm_args_may_reserve(a))
		return dm_args_rest_ignored(a);
	if (dm_store_end(w->log.store) == dm_store_end(w->disk.store))
		return dm_args_fail(a, "'%.200s' cannot be its own log", w->log.store->name);
	if (logger_get(&w->logger, &w->log, &w->disk, a->block, a->err))
		return a->err->code;
	return dm_args_rest_ignored(a);
}

static void log_writes_dtr(struct dm_target *t)
{
	struct log_writes *w = t->priv;

	logger_put(w->logger);
}

static void log_writes_table(const struct dm_target *t, struct text *out)
{
	const struct log_writes *w = t->priv;

	dm_text_store(out, w->disk.store);
	text_add(out, " ");
	dm_text_store(out, w->log.store);
}

static void log_writes_status(const struct dm_target *t, struct text *out)
{
	const struct log_writes *w = t->priv;

	logger_status(w->logger, out);
}

const struct dm_type dm_log_writes = {
	.name = "log-writes",
	.usage = "<device> <log device>",
	.about = "logs what is written to <device> on <log device>, in the order in which it became durable",
	.version = { 1, 1, 0 },
	.flags = DM_TARGET_FORGETS,
	.size = sizeof(struct log_writes),
	.ctr = log_writes_ctr,
	.dtr = log_writes_dtr,
	.map = log_writes_map,
	.flush = log_writes_flush,
	.child = log_writes_child,
	.children = 1,
	.flush_children = 1,
	.preresume = log_writes_preresume,
	.resume = log_writes_resume,
	.presuspend = log_writes_presuspend,
	.postsuspend = log_writes_postsuspend,
	.retire = log_writes_retire,
	.save = log_writes_save,
	.restore = log_writes_restore,
	.may_hand_over = log_writes_may_hand_over,
	.table = log_writes_table,
	.status = log_writes_status,
	.message = log_writes_message,
};
