/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's life: see serve.h. It is started from the inside out and stopped in the reverse order: no new commands,
 * what sessions have mounted, requests held by suspended devices, NBD clients, mounts, then the last flush.
 */
#include "cmd/serve.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/keep.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/text.h"
#include "cmd/major.h"
#include "cmd/serve_state.h"
#include "cmd/signals.h"
#include "cmd/tables.h"
#include "cmd/watchdog.h"
#include "core/state/restore.h"
#include "core/world.h"
#include "fronts/fuse/fuse.h"
#include "session/sessions.h"
#include "stores/stores.h"
#include "targets/targets.h"

#define SERVE_FRONTS_LEAST 6	/* seconds for requests to end if --stop-timeout is less: clients that do not read have 5 */
#define SERVE_AFTER_HANG 3	/* seconds for each step after one that took too long */
#define SERVE_BARRIER 1000	/* milliseconds for the keeper to let go of what the next daemon may need, such as a port of TCP */

/* What stops, one step after another. */
enum serve_step { SERVE_RUNS, SERVE_SESSIONS, SERVE_NBD, SERVE_FUSE, SERVE_STOPPED };

static const char *const serve_steps[] = {
	[SERVE_SESSIONS] = "the devices of sessions", [SERVE_NBD] = "requests of NBD clients", [SERVE_FUSE] = "requests to mounts",
};

struct serve {
	const struct serve_opts *o;
	struct loop *loop;
	struct dm_world *world;
	struct serve_state state;
	struct control *control;
	struct nbd *nbd;
	struct fuse_front *fuse;
	struct sessions *sessions;
	struct replace *replace;
	struct signals signals;
	struct loop_watch life;
	struct timer patience;	/* with the step */
	struct watchdog watchdog;
	enum serve_step step;
	bool ending, lossy;	/* lossy: ending a session failed */
	bool up;		/* serve_up() is over: what it makes can be stopped */
	bool wanted_to_end;	/* before that */
	bool served;		/* all was started */
	bool hangs;		/* a step took too long: what it uses is not freed */
};

static unsigned serve_patience(const struct serve *s)
{
	if (s->hangs)
		return SERVE_AFTER_HANG;
	return s->o->stop_timeout > SERVE_FRONTS_LEAST ? s->o->stop_timeout : SERVE_FRONTS_LEAST;
}

static void serve_next(struct serve *s);

/* A request hangs, in a disk or a target: everything else is stopped without it. */
static void serve_step_hangs(struct timer *t)
{
	struct serve *s = container(t, struct serve, patience);

	log_error("%s have not ended within %u seconds; the daemon ends without them", serve_steps[s->step], serve_patience(s));
	s->hangs = true;
	serve_next(s);
}

/* A step that ends too late changes nothing any more. */
static void serve_step_over(struct serve *s, enum serve_step step)
{
	if (s->step == step)
		serve_next(s);
}

static void serve_sessions_stopped(void *arg)
{
	serve_step_over(arg, SERVE_SESSIONS);
}

static void serve_nbd_stopped(void *arg)
{
	serve_step_over(arg, SERVE_NBD);
}

static void serve_fuse_stopped(void *arg)
{
	serve_step_over(arg, SERVE_FUSE);
}

/* After the last step loop_run() returns, and serve_down() does the rest. */
static void serve_next(struct serve *s)
{
	timer_stop(&s->patience);
	s->step++;
	if (s->step < SERVE_STOPPED)
		loop_timer(s->loop, &s->patience, serve_patience(s) * TIMERS_SECOND);
	if (s->step == SERVE_SESSIONS && s->sessions)
		sessions_stop(s->sessions, serve_sessions_stopped, s);
	else if (s->step == SERVE_NBD && s->nbd)
		nbd_stop(s->nbd, serve_nbd_stopped, s);
	else if (s->step == SERVE_FUSE && s->fuse)
		fuse_front_stop(s->fuse, serve_fuse_stopped, s);
	else if (s->step == SERVE_STOPPED)
		loop_stop(s->loop);
	else
		serve_next(s);
}

/* From now on nothing waits at a gate, and no transition begins. */
static void serve_release(struct serve *s)
{
	dm_world_release(s->world);
	timer_init(&s->patience, serve_step_hangs);
	serve_next(s);
}

static void serve_sessions_ended(void *arg, const struct err *e)
{
	struct serve *s = arg;

	s->lossy = e->code;
	serve_release(s);
}

/* What takes time while it comes up (a file that does not open) turns the loop: the end begins after it. */
static void serve_end(struct serve *s)
{
	s->wanted_to_end = true;
	if (s->ending || !s->up)
		return;
	s->ending = true;
	if (s->served)		/* else it has failed, and the keeper of an earlier one starts the next */
		notify_send("STOPPING=1", -1, NULL);
	if (s->replace)
		replace_stop(s->replace);
	if (s->control)
		control_stop(s->control);
	if (s->sessions)
		sessions_end(s->sessions, serve_sessions_ended, s);
	else
		serve_release(s);
}

static void serve_shutdown(struct dm_world *w)
{
	serve_end(w->owner);
}

/* A second signal means that nothing is to be waited for. */
static void serve_signal(struct signals *signals, int number)
{
	struct serve *s = container(signals, struct serve, signals);

	if (s->sessions && sessions_stop_waiting(s->sessions))
		return;
	log_info("%s: ending", strsignal(number));
	serve_end(s);
}

static void serve_orphaned(struct loop_watch *watch, uint32_t events)
{
	struct serve *s = container(watch, struct serve, life);

	(void)events;
	loop_unwatch(s->loop, watch);
	serve_end(s);
}

/* The other end never sends anything: it is open, or it is not. */
static int serve_life(struct serve *s, struct err *e)
{
	int r;

	if (s->o->life < 0)
		return 0;
	s->life = (struct loop_watch){ .fd = s->o->life, .events = EPOLLIN, .ready = serve_orphaned };
	r = loop_watch(s->loop, &s->life);
	return r ? err_set(e, r, "cannot watch descriptor %d: %s", s->o->life, strerror(-r)) : 0;
}

/* Every file and client needs a descriptor, so the limit is raised as far as possible. */
static void serve_raise_limit(void)
{
	struct rlimit l;

	if (!getrlimit(RLIMIT_NOFILE, &l) && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

static int serve_world(struct serve *s, struct err *e)
{
	struct dm_world_opts o = {
		.loop = s->loop, .types = dm_types, .store_types = dm_store_types, .io_threads = s->o->io_threads,
		.busy_poll = s->o->busy_poll, .open_timeout = s->o->open_timeout,
		.engine = s->o->engine, .major = major_free(),
	};
	int r = dm_world_new(&s->world, &o, e);

	if (r)
		return r;
	log_debug("%u io threads, file engine %s", s->world->n_io, aio_name(s->world->io[0].aio));
	s->world->shutdown = serve_shutdown;
	s->world->owner = s;
	return 0;
}

static int serve_tables(struct serve *s, struct err *e)
{
	struct tables_count n = { 0, 0, 0 };
	char status[500];
	int r;

	if (!s->o->tables)
		return 0;
	r = tables_create(s->world, s->o->tables, &s->wanted_to_end, &n, e);
	if (r)
		return r;
	log_info("%s: %u device%s created, %u failed, %u there already", s->o->tables, n.created, text_plural(n.created), n.failed,
		 n.kept);
	snprintf(status, sizeof(status), "STATUS=%u devices created from %.400s, %u failed", n.created, s->o->tables, n.failed);
	notify_send(status, -1, NULL);
	return 0;
}

/* The last step: from here on clients that an earlier program has served are this one's. */
static int serve_handed(struct serve *s, struct err *e)
{
	const struct handover *h = s->o->handed;
	int r = replace_new(&s->replace, s->world, s->nbd, &s->o->replace, e);

	if (r || !h)
		return r;
	if (*h->back)
		log_error("the other program did not come up, and this one goes on: %s", h->back);
	replace_done(s->replace, h->id, h->back);
	if (s->nbd)
		r = nbd_take_over(s->nbd, h->nbd, h->nbd_len, e);
	if (!r)
		dm_close_unused(s->world);
	return r;
}

/* The control socket comes first: a second daemon must notice before it opens any disk. */
static int serve_up(struct serve *s, struct err *e)
{
	int r = loop_new(&s->loop, e);

	if (!r) {
		notify_loop(s->loop);
		loop_poll_for(s->loop, s->o->busy_poll);
		r = signals_begin(&s->signals, s->loop, e);
	}
	if (!r)
		r = serve_world(s, e);
	if (!r)
		r = control_new(&s->control, s->world, &s->o->control, e);
	if (!r)
		r = serve_state_open(&s->state, s->world, s->o->state, s->o->durable, e);
	if (!r)
		r = fuse_front_new(&s->fuse, s->world, e);
	if (!r)
		r = sessions_new(&s->sessions, s->world, s->fuse, s->o->stop_timeout, e);
	if (!r)
		r = serve_state_restore(&s->state, s->o->handed, e);
	if (!r && s->o->nbd_wanted)
		r = nbd_new(&s->nbd, s->world, &s->o->nbd, e);
	if (!r)
		r = serve_life(s, e);
	if (!r)
		r = serve_tables(s, e);
	if (!r) {
		fuse_front_restore(s->fuse);
		fuse_mounts_again(s->fuse);
	}
	if (!r)
		sessions_restore(s->sessions);
	if (!r)
		r = serve_handed(s, e);
	if (!r && s->o->options)	/* not of one that was refused */
		serve_state_options(&s->state, s->o->options, !s->o->death && !s->o->handed);
	if (!r) {
		control_serve(s->control);
		dm_restore_late(s->world);
	}
	return r;
}

/* Something hangs: threads may still be using it, so it cannot be freed. */
static _Noreturn void serve_break_off(struct serve *s)
{
	if (s->control)
		control_free(s->control);
	_exit(1);
}

static void serve_free_fronts(struct serve *s)
{
	if (s->nbd)
		nbd_free(s->nbd);
	if (s->fuse)
		fuse_front_free(s->fuse);
	if (s->sessions)
		sessions_free(s->sessions);
	if (s->replace)
		replace_free(s->replace);
}

static int serve_down(struct serve *s)
{
	struct err e = ERR_INIT;

	if (s->hangs)
		s->world->end_seconds = SERVE_AFTER_HANG;
	else
		serve_free_fronts(s);
	if (s->world && dm_world_stop(s->world, &e))
		log_error("at shutdown: %s", e.text);
	if (s->hangs || e.code == -ETIMEDOUT)
		serve_break_off(s);
	notify_barrier(SERVE_BARRIER);
	if (s->control)
		control_finish(s->control);	/* answers may wait for the state's disk */
	serve_state_end(&s->state, s->served);
	if (s->control)
		control_free(s->control);	/* from here on `dmuse shutdown` returns, and another daemon may begin */
	if (s->world)
		dm_world_free(s->world);
	signals_end(&s->signals);
	watchdog_stop(&s->watchdog);
	notify_loop(NULL);
	loop_free(s->loop);
	return e.code || s->lossy;
}

static void serve_say_again(const struct serve *s)
{
	size_t n = s->world->n_devices;

	log_warn("%s; it was started again with %zu device%s", s->o->death, n, text_plural(n));
}

/* It was told to end: the other program is, too. If that does not come, the end has begun here already. */
static void serve_go_back(const struct serve *s, const char *why)
{
	if (s->wanted_to_end)
		signals_leave(SIGTERM);
	handover_go_back(s->o->handed, why);
	if (s->wanted_to_end)
		signals_take_back(SIGTERM);
}

int serve(const struct serve_opts *o)
{
	struct serve s = { .o = o, .signals = SIGNALS_NONE };
	struct err e = ERR_INIT;
	int r;

	s.signals.end = serve_signal;
	serve_raise_limit();
	r = serve_up(&s, &e);
	s.up = true;
	if (r) {
		log_error("%s", e.text);
		if (o->handed)
			serve_go_back(&s, e.text);
	} else {
		s.served = true;
		handover_served(o->handed);
		keep_rest();
		o->ready(o->arg);
		if (o->death)
			serve_say_again(&s);
		notify_send("READY=1", -1, NULL);
		watchdog_start(&s.watchdog, s.loop);
	}
	if (s.world && (r || s.wanted_to_end))
		serve_end(&s);
	if (s.world)
		loop_run(s.loop);
	return serve_down(&s) || r ? 1 : 0;
}
