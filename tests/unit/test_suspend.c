/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Suspend, resume and swap with requests in flight: those that have begun are drained, new ones are held, nothing is
 * lost.
 */
#include <errno.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/device/devices.h"
#include "stores/file.h"
#include "support/place.h"
#include "support/world.h"

#define THREADS 3

static struct fixture f;

static int begin(void **state)
{
	(void)state;
	fixture_begin(&f, THREADS, AIO_AUTO);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

struct pending {
	struct dm_cmd c;
	bool over;
};

static void pending_over(struct dm_cmd *c)
{
	container(c, struct pending, c)->over = true;
}

static void pending_start(struct pending *p, enum dm_verb v, const char *name, uint32_t flags)
{
	*p = (struct pending){ .c = { .verb = v, .name = name, .flags = flags, .done = pending_over } };
	dm_do(f.world, &p->c);
	settle_threads(&f);
}

static void pending_wait(struct pending *p)
{
	while (!p->over)
		loop_turn(f.loop, -1);
	dm_reply_free(&p->c.reply);
}

/* One request on each io thread, held by the gate. */
static void start_held(struct job *jobs, struct dm_device *d)
{
	unsigned i;

	gate_shut();
	for (i = 0; i < THREADS; i++)
		job_start(&f, &jobs[i], d, i, DM_WRITE, 0, i, 1, NULL);
	settle_threads(&f);
	assert_int_equal(gate_held(), THREADS);
}

static void suspend_waits_for_every_thread(void **state)
{
	struct job jobs[THREADS];
	struct dm_device *d;
	struct pending p;
	unsigned i;

	(void)state;
	create(&f, "d", "0 64 gate", NULL);
	d = open_device(&f, "d");
	start_held(jobs, d);
	pending_start(&p, DM_DO_SUSPEND, "d", 0);
	assert_false(p.over);
	assert_int_equal(d->state, DM_SUSPENDING);
	gate_open(&f);
	pending_wait(&p);
	assert_int_equal(d->state, DM_SUSPENDED);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(job_wait(&jobs[i]), 0);
	verb(&f, DM_DO_RESUME, "d", 0, NULL);
	dm_close(d);
}

static void a_suspended_device_holds_what_comes(void **state)
{
	struct job jobs[THREADS];
	uint8_t data[THREADS][512];
	struct dm_device *d;
	unsigned i;

	(void)state;
	create(&f, "d", "0 64 zero", NULL);
	d = open_device(&f, "d");
	verb(&f, DM_DO_SUSPEND, "d", 0, NULL);
	for (i = 0; i < THREADS; i++) {
		memset(data[i], 0xaa, 512);
		job_start(&f, &jobs[i], d, i, DM_READ, 0, 0, 1, data[i]);
	}
	settle_threads(&f);
	settle_threads(&f);
	for (i = 0; i < THREADS; i++) {
		assert_false(jobs[i].over);
		assert_int_equal(data[i][0], 0xaa);
	}
	verb(&f, DM_DO_RESUME, "d", 0, NULL);
	for (i = 0; i < THREADS; i++) {
		assert_int_equal(job_wait(&jobs[i]), 0);
		assert_int_equal(data[i][0], 0);
	}
	dm_close(d);
}

static void held_requests_go_to_the_new_table(void **state)
{
	uint8_t data[512] = { 1 };
	struct dm_device *d;
	struct job j;

	(void)state;
	create(&f, "d", "0 64 zero", NULL);
	d = open_device(&f, "d");
	verb(&f, DM_DO_SUSPEND, "d", 0, NULL);
	job_start(&f, &j, d, 1, DM_READ, 0, 0, 1, data);
	settle_threads(&f);
	assert_int_equal(reload(&f, "d", "0 64 error", NULL), 0);
	verb(&f, DM_DO_RESUME, "d", 0, NULL);
	assert_int_equal(job_wait(&j), -EIO);
	dm_close(d);
}

static void a_suspend_that_is_given_up_is_taken_back(void **state)
{
	struct job jobs[THREADS], late;
	struct dm_device *d;
	struct pending p;
	unsigned i;

	(void)state;
	create(&f, "d", "0 64 gate", NULL);
	d = open_device(&f, "d");
	start_held(jobs, d);
	pending_start(&p, DM_DO_SUSPEND, "d", 0);
	job_start(&f, &late, d, 0, DM_WRITE, 0, 9, 1, NULL);
	settle_threads(&f);
	assert_int_equal(gate_held(), THREADS);		/* the late one is parked */
	dm_cancel(&p.c);
	pending_wait(&p);
	assert_int_equal(p.c.reply.err.code, -EINTR);
	assert_int_equal(d->state, DM_ACTIVE);
	settle_threads(&f);
	assert_int_equal(gate_held(), THREADS + 1);
	gate_open(&f);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(job_wait(&jobs[i]), 0);
	assert_int_equal(job_wait(&late), 0);
	dm_close(d);
}

/* Keeps an io thread where it is until it is told to continue. */
struct standstill {
	struct loop_msg msg;
	sem_t reached, go;
};

static void standstill_run(struct loop_msg *m)
{
	struct standstill *s = container(m, struct standstill, msg);

	sem_post(&s->reached);
	sem_wait(&s->go);
}

static void standstill_begin(struct standstill *s, unsigned io)
{
	s->msg.run = standstill_run;
	sem_init(&s->reached, 0, 0);
	sem_init(&s->go, 0, 0);
	loop_post(f.world->io[io].loop, &s->msg);
	sem_wait(&s->reached);
}

/* What was sent to an io thread is part of the device, so the device must stay until the thread has read it. */
static void a_device_outlives_what_its_threads_were_sent(void **state)
{
	struct standstill still[THREADS];
	struct pending suspend, removal;
	struct dm_device *d;
	bool early;
	unsigned i;

	(void)state;
	create(&f, "d", "0 64 zero", NULL);
	d = open_device(&f, "d");
	suspend = (struct pending){ .c = { .verb = DM_DO_SUSPEND, .name = "d", .done = pending_over } };
	dm_do(f.world, &suspend.c);
	for (i = 0; i < THREADS; i++)
		standstill_begin(&still[i], i);		/* all have answered, and the answers were not read yet */
	dm_cancel(&suspend.c);
	removal = (struct pending){ .c = { .verb = DM_DO_REMOVE, .name = "d", .done = pending_over } };
	dm_do(f.world, &removal.c);
	dm_close(d);
	for (i = 0; i < 10; i++)
		loop_turn(f.loop, 0);
	early = removal.over;
	for (i = 0; i < THREADS; i++)
		sem_post(&still[i].go);
	pending_wait(&suspend);
	pending_wait(&removal);
	settle_threads(&f);
	assert_false(early);
	assert_int_equal(suspend.c.reply.err.code, -EINTR);
	assert_int_equal(removal.c.reply.err.code, 0);
	assert_int_equal(f.world->n_devices, 0);
}

static void commands_queue_behind_a_transition(void **state)
{
	struct job jobs[THREADS];
	struct dm_device *d;
	struct pending p, q, r;
	unsigned i;

	(void)state;
	create(&f, "d", "0 64 gate", NULL);
	d = open_device(&f, "d");
	start_held(jobs, d);
	pending_start(&p, DM_DO_SUSPEND, "d", 0);
	pending_start(&q, DM_DO_RESUME, "d", 0);
	pending_start(&r, DM_DO_REMOVE, "d", DM_WITH_DEFERRED);
	assert_false(p.over || q.over || r.over);
	assert_int_equal(verb(&f, DM_DO_INFO, "d", 0, NULL), 0);	/* info never waits */
	gate_open(&f);
	pending_wait(&p);
	pending_wait(&q);
	pending_wait(&r);
	assert_int_equal(d->state, DM_ACTIVE);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(job_wait(&jobs[i]), 0);
	dm_close(d);
	assert_int_equal(f.world->n_devices, 0);
}

static void an_upper_device_drains_through_a_suspended_lower_one(void **state)
{
	uint8_t data[512];
	struct dm_device *d;
	struct pending p;
	struct job j;

	(void)state;
	create(&f, "low", "0 64 zero", NULL);
	create(&f, "top", "0 64 linear /dev/mapper/low 0", NULL);
	d = open_device(&f, "top");
	verb(&f, DM_DO_SUSPEND, "low", 0, NULL);
	job_start(&f, &j, d, 2, DM_READ, 0, 0, 1, data);
	pending_start(&p, DM_DO_SUSPEND, "top", 0);
	assert_false(p.over);
	verb(&f, DM_DO_RESUME, "low", 0, NULL);
	pending_wait(&p);
	assert_int_equal(job_wait(&j), 0);
	verb(&f, DM_DO_RESUME, "top", 0, NULL);
	dm_close(d);
}

static void suspending_from_below_never_hangs_when_idle(void **state)
{
	(void)state;
	create(&f, "low", "0 64 linear memory,size=64K:m 0", NULL);
	create(&f, "top", "0 64 linear /dev/mapper/low 0", NULL);
	dm_open(dm_find_name(f.world, "top"));
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "low", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "top", 0, NULL), 0);
	dm_close(dm_find_name(f.world, "top"));
}

static void a_released_world_fails_what_it_held(void **state)
{
	uint8_t data[512];
	struct dm_device *d;
	struct job held, later;

	(void)state;
	create(&f, "d", "0 64 zero", NULL);
	d = open_device(&f, "d");
	verb(&f, DM_DO_SUSPEND, "d", 0, NULL);
	job_start(&f, &held, d, 0, DM_READ, 0, 0, 1, data);
	settle_threads(&f);
	dm_world_release(f.world);
	assert_int_equal(job_wait(&held), -ESHUTDOWN);
	job_start(&f, &later, d, 1, DM_READ, 0, 0, 1, data);
	assert_int_equal(job_wait(&later), -ESHUTDOWN);
	dm_close(d);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* --- a read whose bytes the front takes from the file --------------------------------------------------------------- */

static struct {
	struct dm_req req;
	struct loop_msg msg;
	struct dm_device *device;
	sem_t takes, taken;
	int err;
} shown;

static void shown_done(struct dm_req *r, int err)
{
	shown.err = r->flags & DM_SHOWN ? err : -ENOSYS;
	sem_post(&shown.takes);
	sem_wait(&shown.taken);
}

static void shown_submit(struct loop_msg *m)
{
	(void)m;
	dm_submit(&f.world->io[1], shown.device, &shown.req);
}

static void shown_start(struct dm_device *d)
{
	static uint8_t data[512];

	sem_init(&shown.takes, 0, 0);
	sem_init(&shown.taken, 0, 0);
	shown.device = d;
	shown.req = (struct dm_req){ .op = DM_READ, .flags = DM_MAY_SHOW, .count = 1, .done = shown_done };
	dm_req_buffer(&shown.req, data, sizeof(data));
	shown.msg.run = shown_submit;
	loop_post(f.world->io[1].loop, &shown.msg);
	settle_threads(&f);
}

/* It waits in a device below. When it goes on, whoever suspends the upper one must not be told before the front has all bytes. */
static void a_suspend_waits_until_a_read_was_taken(void **state)
{
	struct dm_cmd resume = { .verb = DM_DO_RESUME, .name = "low" };
	struct pending p, q = { .c = resume };
	char path[PLACE_PATH], table[PLACE_PATH + 32];
	bool early;
	unsigned i;

	(void)state;
	place_begin();
	place_file(path, "file", 65536);
	snprintf(table, sizeof(table), "0 64 linear %s 0", path);
	((struct file *)make_device(&f, "low", table)->active->stores[0])->in_memory = true;
	make_device(&f, "d", "0 64 linear low 0");
	verb(&f, DM_DO_SUSPEND, "low", 0, NULL);
	shown_start(open_device(&f, "d"));
	pending_start(&p, DM_DO_SUSPEND, "d", DM_WITH_NOFLUSH);
	assert_false(p.over);
	q.c.done = pending_over;
	dm_do(f.world, &q.c);
	while (sem_trywait(&shown.takes))
		loop_turn(f.loop, 0);
	for (i = 0; i < 16; i++)
		loop_turn(f.loop, 0);
	early = p.over;
	sem_post(&shown.taken);
	pending_wait(&p);
	pending_wait(&q);
	assert_false(early);
	assert_int_equal(shown.err, 0);
	dm_close(shown.device);
	verb(&f, DM_DO_REMOVE_ALL, NULL, 0, NULL);
	place_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(suspend_waits_for_every_thread),
		CASE(a_suspended_device_holds_what_comes),
		CASE(held_requests_go_to_the_new_table),
		CASE(a_suspend_that_is_given_up_is_taken_back),
		CASE(a_device_outlives_what_its_threads_were_sent),
		CASE(commands_queue_behind_a_transition),
		CASE(an_upper_device_drains_through_a_suspended_lower_one),
		CASE(suspending_from_below_never_hangs_when_idle),
		CASE(a_released_world_fails_what_it_held),
		CASE(a_suspend_waits_until_a_read_was_taken),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
