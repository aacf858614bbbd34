/* SPDX-License-Identifier: BSD-2-Clause */
/* The tests' world: see world.h. */
#include "support/world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/command/ask.h"
#include "core/path/held.h"
#include "stores/stores.h"
#include "targets/targets.h"

#define TYPES_MAX 64

static struct {
	struct dm_req *held;
	bool shut;
	pthread_mutex_t lock;
	unsigned n;
} gate = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Checks the promise for a small private part: it is inside the target, and keeps its content when that moves. */
static int gate_ctr(struct dm_target *t, struct dm_args *a)
{
	uint64_t *start = t->priv;

	*start = t->start;
	return dm_args_end(a);
}

static void gate_dtr(struct dm_target *t)
{
	const uint64_t *start = t->priv;

	assert_ptr_equal(start, t->small);
	assert_int_equal(*start, t->start);
}

static int gate_map(const struct dm_target *t, struct dm_req *r)
{
	bool hold;

	(void)t;
	pthread_mutex_lock(&gate.lock);
	hold = gate.shut;
	if (hold) {
		r->next = gate.held;
		gate.held = r;
		gate.n++;
	}
	pthread_mutex_unlock(&gate.lock);
	return hold ? DM_HELD : DM_DONE;
}

static int gate_message(struct dm_target *t, struct dm_ask *a)
{
	(void)t;
	if (a->argc == 1 && !strcmp(a->argv[0], "hello"))
		text_add(&a->out, "world");
	else
		return err_set(&a->err, -EINVAL, "gate knows only 'hello'");
	return 0;
}

/* It sends nothing on, so nothing below can fail. */
static bool gate_failed(const struct dm_target *t, const void *end)
{
	(void)t;
	(void)end;
	return true;
}

const struct dm_type gate_type = {
	.name = "gate", .usage = "", .about = "holds requests", .version = { 1, 0, 0 },
	.size = sizeof(uint64_t), .ctr = gate_ctr, .dtr = gate_dtr, .map = gate_map, .failed = gate_failed,
	.message = gate_message,
};

unsigned gate_held(void)
{
	unsigned n;

	pthread_mutex_lock(&gate.lock);
	n = gate.n;
	pthread_mutex_unlock(&gate.lock);
	return n;
}

void gate_shut(void)
{
	pthread_mutex_lock(&gate.lock);
	gate.shut = true;
	pthread_mutex_unlock(&gate.lock);
}

struct gate_opening {
	struct loop_msg msg;
	struct dm_req *mine;
	int err;
};

/* On the requests' io thread. */
static void gate_let_go(struct loop_msg *m)
{
	struct gate_opening *o = container(m, struct gate_opening, msg);
	struct dm_req *r, *next;

	for (r = o->mine; r; r = next) {
		next = r->next;
		dm_go_on_here(r, o->err);
	}
	free(o);
}

static void gate_open_one(struct dm_io *io, struct dm_req **held, int err)
{
	struct gate_opening *o = calloc(1, sizeof(*o));
	struct dm_req **at = held, *r;

	while ((r = *at)) {
		if (r->io != io) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		r->next = o->mine;
		o->mine = r;
	}
	o->err = err;
	o->msg.run = gate_let_go;
	loop_post(io->loop, &o->msg);
}

void gate_end(struct fixture *f, int err)
{
	struct dm_req *held;
	unsigned i;

	pthread_mutex_lock(&gate.lock);
	held = gate.held;
	gate.held = NULL;
	gate.shut = false;
	gate.n = 0;
	pthread_mutex_unlock(&gate.lock);
	for (i = 0; i < f->world->n_io; i++)
		gate_open_one(&f->world->io[i], &held, err);
}

void gate_open(struct fixture *f)
{
	gate_end(f, 0);
}

static _Atomic uint64_t stopped_at;

static uint64_t stopped_now(struct clock *c)
{
	(void)c;
	return atomic_load(&stopped_at);
}

static struct clock stopped = { .now = stopped_now }, *fixture_clock;

void fixture_stop_clock(void)
{
	fixture_clock = &stopped;
	atomic_store(&stopped_at, TIMERS_SECOND);
}

void time_jumps(uint64_t seconds)
{
	atomic_fetch_add(&stopped_at, seconds * TIMERS_SECOND);
}

void time_passes(struct fixture *f, uint64_t seconds)
{
	time_jumps(seconds);
	settle_threads(f);
	settle_threads(f);
}

static const struct dm_type *more_types[TYPES_MAX];
static size_t n_more_types;

void fixture_add_type(const struct dm_type *type)
{
	assert_true(n_more_types < TYPES_MAX);
	more_types[n_more_types++] = type;
}

const struct dm_store_type *fixture_store;

void fixture_begin(struct fixture *f, unsigned threads, enum aio_engine engine)
{
	static const struct dm_type *types[2 * TYPES_MAX];
	static const struct dm_store_type *stores[TYPES_MAX];
	struct dm_world_opts o = { .types = types, .store_types = stores, .open_timeout = DM_OPEN_TIMEOUT, .io_threads = threads,
				   .engine = engine, .clock = fixture_clock };
	struct err e = ERR_INIT;
	size_t n;

	for (n = 0; dm_types[n]; n++)
		types[n] = dm_types[n];
	types[n++] = &gate_type;
	memcpy(&types[n], more_types, n_more_types * sizeof(*types));
	types[n + n_more_types] = NULL;
	for (n = 0; dm_store_types[n]; n++)
		stores[n] = dm_store_types[n];
	stores[n] = fixture_store;
	stores[n + !!fixture_store] = NULL;
	if (loop_new(&f->loop, &e))
		fail_msg("%s", e.text);
	o.loop = f->loop;
	if (dm_world_new(&f->world, &o, &e))
		fail_msg("%s", e.text);
}

void fixture_end(struct fixture *f)
{
	struct err e = ERR_INIT;

	if (dm_world_stop(f->world, &e))
		fail_msg("%s", e.text);
	assert_int_equal(f->world->n_devices, 0);
	assert_true(list_empty(&f->world->stores));
	dm_world_free(f->world);
	loop_free(f->loop);
}

int run(struct fixture *f, struct dm_cmd *c, char *sentence)
{
	int r = dm_do_now(f->world, c);

	if (r)
		assert_true(strlen(c->reply.err.text) > 8);
	if (sentence)
		strcpy(sentence, r ? c->reply.err.text : "");
	return r;
}

static int run_with_table(struct fixture *f, enum dm_verb v, const char *name, const char *table, char *sentence)
{
	char *text = strdup(table);
	struct dm_cmd c = { .verb = v, .name = name, .text = text, .cwd = "/" };
	int r = run(f, &c, sentence);

	dm_reply_free(&c.reply);
	free(text);
	return r;
}

int create(struct fixture *f, const char *name, const char *table, char *sentence)
{
	return run_with_table(f, DM_DO_CREATE, name, table, sentence);
}

int reload(struct fixture *f, const char *name, const char *table, char *sentence)
{
	return run_with_table(f, DM_DO_RELOAD, name, table, sentence);
}

int verb(struct fixture *f, enum dm_verb v, const char *name, uint32_t flags, char *sentence)
{
	struct dm_cmd c = { .verb = v, .name = name, .flags = flags };
	int r = run(f, &c, sentence);

	dm_reply_free(&c.reply);
	return r;
}

struct dm_info info(struct fixture *f, const char *name)
{
	struct dm_cmd c = { .verb = DM_DO_INFO, .name = name };
	struct dm_info i;

	run(f, &c, NULL);
	i = c.reply.info;
	dm_reply_free(&c.reply);
	return i;
}

struct dm_device *open_device(struct fixture *f, const char *name)
{
	struct dm_device *d = dm_find_name(f->world, name);

	dm_open(d);
	return d;
}

char *rows(struct fixture *f, enum dm_verb v, const char *name, uint32_t flags)
{
	struct dm_cmd c = { .verb = v, .name = name, .flags = flags };
	struct text t = TEXT_INIT;
	size_t i;

	run(f, &c, NULL);
	for (i = 0; i < c.reply.n; i++) {
		const struct dm_row *r = &c.reply.rows[i];

		text_printf(&t, "%llu %llu %s%s%s\n", (unsigned long long)r->start, (unsigned long long)r->len, r->type,
			    *r->params ? " " : "", r->params);
	}
	dm_reply_free(&c.reply);
	return text_take(&t);
}

bool status_has(struct fixture *f, const char *name, const char *part)
{
	char *text = rows(f, DM_DO_STATUS, name, 0);
	bool has = strstr(text, part);

	free(text);
	return has;
}

void status_wait(struct fixture *f, const char *name, const char *part)
{
	while (!status_has(f, name, part))
		settle_threads(f);
}

static void job_back(struct loop_msg *m)
{
	container(m, struct job, msg)->over = true;
}

static void job_done(struct dm_req *r, int err)
{
	struct job *j = container(r, struct job, req);

	j->err = err;
	j->msg.run = job_back;
	loop_post(j->f->loop, &j->msg);
}

static void job_submit(struct loop_msg *m)
{
	struct job *j = container(m, struct job, msg);

	dm_io_tick(j->io);
	dm_submit(j->io, j->device, &j->req);
}

/* Every second job has its data in three buffers that end at arbitrary places. */
static void job_data(struct job *j, uint8_t *data, size_t n)
{
	static unsigned jobs;
	size_t first = n / 3 - 1, second = n / 4;

	if (jobs++ % 2 == 0 || !data || n > PTRDIFF_MAX) {	/* a length that no buffer has is a test, too */
		dm_req_buffer(&j->req, data, n);
		return;
	}
	j->iov[0] = (struct iovec){ data, first };
	j->iov[1] = (struct iovec){ data + first, second };
	j->iov[2] = (struct iovec){ data + first + second, n - first - second };
	j->req.data = (struct vec){ j->iov, 0 };
}

void job_start(struct fixture *f, struct job *j, struct dm_device *d, unsigned io, enum dm_op op, uint32_t flags,
	       uint64_t sector, uint64_t count, void *data)
{
	*j = (struct job){ .f = f, .device = d, .io = &f->world->io[io], .msg = { .run = job_submit } };
	memset(&j->req, 0xa5, sizeof(j->req));	/* a front sets only its own fields */
	j->req.op = op;
	j->req.flags = flags;
	j->req.sector = sector;
	j->req.count = count;
	job_data(j, data, count * DM_SECTOR);
	j->req.done = job_done;
	loop_post(j->io->loop, &j->msg);
}

int job_wait(struct job *j)
{
	while (!j->over)
		loop_turn(j->f->loop, -1);
	return j->err;
}

int request(struct fixture *f, struct dm_device *d, unsigned io, enum dm_op op, uint32_t flags, uint64_t sector,
	    uint64_t count, void *data)
{
	struct job j;

	job_start(f, &j, d, io, op, flags, sector, count, data);
	return job_wait(&j);
}

struct ping {
	struct loop_msg msg;
	struct loop *back;
	bool *over;
};

static void ping_back(struct loop_msg *m)
{
	*container(m, struct ping, msg)->over = true;
}

static void ping_there(struct loop_msg *m)
{
	struct ping *p = container(m, struct ping, msg);

	p->msg.run = ping_back;
	loop_post(p->back, &p->msg);
}

void settle_threads(struct fixture *f)
{
	unsigned i;

	for (i = 0; i < f->world->n_io; i++) {
		bool over = false;
		struct ping p = { .msg = { .run = ping_there }, .back = f->loop, .over = &over };

		loop_post(f->world->io[i].loop, &p.msg);
		while (!over)
			loop_turn(f->loop, -1);
	}
}
