/* SPDX-License-Identifier: BSD-2-Clause */
/* Epochs: see epoch.h. */
#include "core/kit/epoch.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "core/world.h"

/* The epoch as one io thread sees it. Only that thread touches it, or who has borrowed its loop. */
struct epoch_lane {
	alignas(64) struct loop_msg turn;
	struct epoch *epoch;
	uint32_t in[2];			/* requests of each generation */
	unsigned now;			/* the generation that requests enter */
	bool asked;			/* the turn waits until none of the other one is left */
};

/* Who waits, in the order of their coming. */
struct epoch_line {
	struct loop_msg *first, **last;
};

struct epoch {
	struct dm_world *world;
	atomic_uint left;		/* lanes that have not answered to this turn; and one, as long as some are not asked yet */
	pthread_mutex_t lock;		/* guards what follows */
	bool turning;
	struct epoch_line now, next;	/* who waits for this turn, and for the one that follows */
	struct epoch_lane lanes[];
};

static void line_init(struct epoch_line *l)
{
	l->first = NULL;
	l->last = &l->first;
}

/* All of FROM; TO is empty. */
static void line_move(struct epoch_line *to, struct epoch_line *from)
{
	if (from->first) {
		*to = *from;
		line_init(from);
	} else {
		line_init(to);
	}
}

/* True: LANE has answered. Nobody is left of the generation before the last one, so its counter is free for the next. */
static bool lane_flip(struct epoch_lane *lane)
{
	unsigned old = lane->now;

	lane->now = !old;
	lane->asked = lane->in[old];
	return !lane->asked;
}

/* A thread that sleeps is not woken for that. */
static bool lane_ask(struct epoch_lane *lane, struct loop *loop)
{
	bool answered;

	if (!loop_borrow(loop)) {
		loop_post(loop, &lane->turn);
		return false;
	}
	answered = lane_flip(lane);
	loop_return(loop);
	return answered;
}

static bool epoch_answered(struct epoch *e, unsigned n)
{
	return atomic_fetch_sub(&e->left, n) == n;
}

/* True: all have answered. Else the epoch may be gone: the last lane to answer tells whoever waits. */
static bool epoch_ask(struct epoch *e)
{
	struct dm_world *w = e->world;
	unsigned i, n = 1;

	atomic_store(&e->left, w->n_io + 1);
	for (i = 0; i < w->n_io; i++)
		n += lane_ask(&e->lanes[i], w->io[i].loop);
	return epoch_answered(e, n);
}

static void wait_over(struct loop_msg *m)
{
	struct epoch_wait *w = container(m, struct epoch_wait, msg);

	w->done(w);
}

/* All lanes have answered. True: somebody waits for the next turn. Else, after the last of them is told, the epoch may be gone. */
static bool epoch_tell(struct epoch *e)
{
	struct loop_msg *m, *next;
	bool again;

	pthread_mutex_lock(&e->lock);
	m = e->now.first;
	line_move(&e->now, &e->next);
	again = e->turning = e->now.first;
	pthread_mutex_unlock(&e->lock);
	for (; m; m = next) {
		next = m->next;
		m->run = wait_over;
		loop_post(container(m, struct epoch_wait, msg)->home, m);
	}
	return again;
}

static void epoch_turned(struct epoch *e)
{
	while (epoch_tell(e) && epoch_ask(e))
		;
}

static void lane_answer(struct epoch_lane *lane)
{
	struct epoch *e = lane->epoch;

	lane->asked = false;
	if (epoch_answered(e, 1))
		epoch_turned(e);
}

static void lane_turn(struct loop_msg *m)
{
	struct epoch_lane *lane = container(m, struct epoch_lane, turn);

	if (lane_flip(lane))
		lane_answer(lane);
}

unsigned epoch_enter(struct epoch *e, const struct dm_io *io)
{
	struct epoch_lane *lane = &e->lanes[io->index];

	lane->in[lane->now]++;
	return lane->now;
}

void epoch_leave(struct epoch *e, const struct dm_io *io, unsigned generation)
{
	struct epoch_lane *lane = &e->lanes[io->index];

	if (--lane->in[generation] == 0 && lane->asked && generation != lane->now)
		lane_answer(lane);
}

void epoch_wait(struct epoch *e, struct epoch_wait *w)
{
	struct epoch_line *line;
	bool first;

	w->msg.next = NULL;
	pthread_mutex_lock(&e->lock);
	first = !e->turning;
	line = first ? &e->now : &e->next;
	e->turning = true;
	*line->last = &w->msg;
	line->last = &w->msg.next;
	pthread_mutex_unlock(&e->lock);
	if (first && epoch_ask(e))
		epoch_turned(e);
}

int epoch_new(struct epoch **out, struct dm_world *w, struct err *err)
{
	size_t size = sizeof(struct epoch) + w->n_io * sizeof(struct epoch_lane);
	struct epoch *e = aligned_alloc(alignof(struct epoch), size);
	unsigned i;

	if (!e)
		return err_set(err, -ENOMEM, "no memory to count the requests under way");
	memset(e, 0, size);
	e->world = w;
	pthread_mutex_init(&e->lock, NULL);
	line_init(&e->now);
	line_init(&e->next);
	for (i = 0; i < w->n_io; i++) {
		e->lanes[i].epoch = e;
		e->lanes[i].turn.run = lane_turn;
	}
	*out = e;
	return 0;
}

void epoch_free(struct epoch *e)
{
	if (!e)
		return;
	pthread_mutex_destroy(&e->lock);
	free(e);
}
