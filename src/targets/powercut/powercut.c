/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * powercut: a disk with a volatile write cache, whose power can be cut. What is written is seen at once, and is durable after a
 * flush, or if it was written with FUA. The messages `cut` and `restore` do what they say; survive.h says what is left.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "targets/powercut/walk.h"

static int powercut_map(const struct dm_target *t, struct dm_req *r)
{
	switch (r->op) {
	case DM_READ:
		return power_read(t, r);
	case DM_EXTENT:
		return power_extent(t, r);
	default:
		return power_write(t, r);
	}
}

static int powercut_child(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err)
{
	const struct line *l = power_line(t);

	return walk_child(r->op == DM_READ ? &power_reads : &power_writes, l->disk, l, r, c, err);
}

static void powercut_preresume(struct dm_target *t, struct dm_step *s)
{
	power_bind(power_line(t), s);
}

static void line_lets_go(struct line *l, bool lets_go)
{
	struct dm_req *refused = NULL;

	pthread_mutex_lock(&l->disk->lock);
	l->lets_go = lets_go;
	if (lets_go && l->disk->state != POWER_HOLDING)
		refused = power_take(l->disk, l);
	pthread_mutex_unlock(&l->disk->lock);
	power_refuse_all(refused);
}

static void powercut_resume(struct dm_target *t, struct dm_step *s)
{
	line_lets_go(power_line(t), false);
	dm_step_done(s, 0);
}

static void powercut_presuspend(struct dm_target *t, struct dm_step *s)
{
	struct line *l = power_line(t);

	line_lets_go(l, true);
	l->step = s;
	power_steps(l->disk);
}

static int powercut_ctr(struct dm_target *t, struct dm_args *a)
{
	struct line *l = t->priv;

	list_init(&l->node);
	l->table = t->table;
	l->at = dm_arg_at(a, t->len);
	l->offset = l->at.offset;
	power_words(a, &l->words);
	if (!dm_args_failed(a) && l->offset % l->words.shape.unit)
		return dm_args_fail(a, "offset %" PRIu64 " is not a multiple of the %u sectors that are atomic: blocks would be torn", l->offset,
				    l->words.shape.unit);
	if (dm_args_may_reserve(a) && l->words.shape.unit * DM_SECTOR % l->at.store->limits.logical)
		return dm_args_fail(a, "an atomic unit of %u sectors is less than a block of '%s' (%u bytes)", l->words.shape.unit,
				    l->at.store->name, l->at.store->limits.logical);
	if (dm_args_may_reserve(a) && power_get(l, a->err))
		return a->err->code;
	return dm_args_end(a);
}

static void powercut_dtr(struct dm_target *t)
{
	power_put(power_line(t));
}

static void powercut_table(const struct dm_target *t, struct text *out)
{
	dm_text_at(out, &power_line(t)->at);
	power_words_text(&power_line(t)->words, out);
}

static const char *state_word(enum power_state s)
{
	return s == POWER_UP ? "up" : s == POWER_RESTORING ? "restoring" : "cut";
}

/* What status says, all of one moment. */
struct figures {
	enum power_state state;
	enum survive_mode mode;
	uint64_t epoch, requests, sectors, seed, writes, flushes, spilled;
	struct trigger trigger;
};

static struct figures figures_now(struct power *p)
{
	struct figures f;

	pthread_mutex_lock(&p->lock);
	f = (struct figures){ p->state, p->mode, p->epoch, p->cache.requests, p->cache.sectors, p->seed, p->writes, p->flushes,
			      p->cache.memory.spilled * p->shape.unit, p->trigger };
	pthread_mutex_unlock(&p->lock);
	return f;
}

static void trigger_text(const struct figures *f, struct text *out)
{
	const struct trigger *g = &f->trigger;

	if (g->when == AFTER_WRITES)
		text_printf(out, " after %" PRIu64 " writes", g->at - f->writes);
	else if (g->when == AFTER_FLUSHES)
		text_printf(out, " after %" PRIu64 " flushes", g->at - f->flushes);
	else if (g->when == AT_MARK)
		text_printf(out, " at mark %s", g->mark);
}

static void powercut_status(const struct dm_target *t, struct text *out)
{
	struct figures f = figures_now(power_line(t)->disk);

	text_printf(out, "%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %s %" PRIu64 " %" PRIu64 " %" PRIu64, state_word(f.state),
		    f.epoch, f.requests, f.sectors, f.seed, survive_mode_name(f.mode), f.writes, f.flushes, f.spilled);
	trigger_text(&f, out);
}

static int powercut_message(struct dm_target *t, struct dm_ask *a)
{
	if (!strcmp(a->argv[0], "cut"))
		return power_cut_message(t, a);
	if (!strcmp(a->argv[0], "mark"))
		return power_mark_message(t, a);
	if (!strcmp(a->argv[0], "restore") && a->argc == 1)
		return power_restore(t, a);
	return err_set(&a->err, -EINVAL, "'%.32s' is not a message to powercut: cut, cut after <n> writes, cut after <n> flushes, "
		       "cut at mark <name>, cut never, mark <name> or restore", a->argv[0]);
}

static const struct dm_power powercut_power = {
	.may_cut = power_may_cut, .hold = power_hold, .cut = power_cut,
	.is_off = power_is_off, .prepare_restore = power_prepare_restore, .restore = power_restore,
	.release = power_release,
};

const struct dm_type dm_powercut = {
	.name = "powercut",
	.usage = "<device> <offset> [seed <n>] [mode <mode>] [sector|page|chunk <n> atomic] [hang] [memory <size>] [spill <directory>]",
	.about = "a disk with a volatile write cache; the message `cut` cuts its power, `restore` shows what survived",
	.version = { 1, 0, 0 },
	.flags = DM_TARGET_FORGETS,
	.size = sizeof(struct line),
	.ctr = powercut_ctr,
	.dtr = powercut_dtr,
	.map = powercut_map,
	.flush = power_flush,
	.child = powercut_child,
	.children = 1,
	.flush_children = 1,
	.preresume = powercut_preresume,
	.resume = powercut_resume,
	.presuspend = powercut_presuspend,
	.save = power_save,
	.restore = power_take_saved,
	.may_hand_over = power_may_hand_over,
	.table = powercut_table,
	.status = powercut_status,
	.message = powercut_message,
	.power = &powercut_power,
};
