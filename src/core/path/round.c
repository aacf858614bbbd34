/* SPDX-License-Identifier: BSD-2-Clause */
/* Rounds: see round.h. A device that nobody has open needs no messages: no io thread uses its lanes. */
#include "core/path/round.h"

#include "core/path/submit.h"
#include "core/world.h"

static void round_answered(struct dm_device *d)
{
	if (--d->acks == 0)
		d->then(d);
}

static void round_acked(struct loop_msg *m)
{
	round_answered(container(m, struct dm_lane, ack)->device);
}

static void round_cancel_acked(struct loop_msg *m)
{
	round_answered(container(m, struct dm_lane, cancel)->device);
}

static void lane_ack(struct dm_lane *lane)
{
	lane->ack.run = round_acked;
	loop_post(lane->device->world->loop, &lane->ack);
}

static void lane_take_gate(struct dm_lane *lane)
{
	lane->gate = lane->want_gate;
	if (lane->gate != DM_GATE_SHUT) {
		lane->table = lane->want_table;
		dm_io_tick(lane->io);
		dm_unpark(lane);
	}
	lane_ack(lane);
}

/*
 * On the io thread. When draining, it waits for the last request. When opening, it waits for the core's own flush that
 * is passing the shut gate on its way from a device above, because the table that it uses may be freed next.
 */
static void lane_asked(struct loop_msg *m)
{
	struct dm_lane *lane = container(m, struct dm_lane, ask);

	if (lane->want_gate == DM_GATE_SHUT)
		lane->gate = DM_GATE_SHUT;
	lane->draining = lane->inflight &&
			 (lane->want_drain || (lane->want_gate != DM_GATE_SHUT && lane->want_table != lane->table));
	if (!lane->draining)
		lane_take_gate(lane);
}

void dm_lane_drained(struct dm_lane *lane)
{
	lane->draining = false;
	lane_take_gate(lane);
}

/* Answered separately, drained or not: the device must not go while a message to its lanes is on its way. */
static void lane_drain_cancelled(struct loop_msg *m)
{
	struct dm_lane *lane = container(m, struct dm_lane, cancel);

	if (lane->draining)
		lane_ack(lane);
	lane->draining = false;
	m->run = round_cancel_acked;
	loop_post(lane->device->world->loop, m);
}

static void round_direct(struct dm_device *d, enum dm_gate gate, const struct dm_table *table)
{
	unsigned i;

	for (i = 0; i < d->world->n_io; i++) {
		d->lanes[i].gate = gate;
		if (gate != DM_GATE_SHUT)
			d->lanes[i].table = table;
	}
}

/* A flush that was given up may still be in flight in a device that nobody has open. */
static bool round_is_direct(const struct dm_device *d)
{
	return d->open_count == 0 && !(d->active && d->active->holds);
}

void dm_round(struct dm_device *d, enum dm_gate gate, bool drain, const struct dm_table *table,
	      void (*then)(struct dm_device *d))
{
	struct dm_world *w = d->world;
	unsigned i;

	d->gate = gate;
	if (round_is_direct(d)) {
		round_direct(d, gate, table);
		then(d);
		return;
	}
	d->acks = w->n_io;
	d->then = then;
	for (i = 0; i < w->n_io; i++) {
		d->lanes[i].want_gate = gate;
		d->lanes[i].want_drain = drain;
		d->lanes[i].want_table = table;
		d->lanes[i].ask.run = lane_asked;
		loop_post(w->io[i].loop, &d->lanes[i].ask);
	}
}

void dm_round_cancel_drain(struct dm_device *d)
{
	unsigned i;

	d->acks += d->world->n_io;
	for (i = 0; i < d->world->n_io; i++) {
		d->lanes[i].cancel.run = lane_drain_cancelled;
		loop_post(d->world->io[i].loop, &d->lanes[i].cancel);
	}
}
