/* SPDX-License-Identifier: BSD-2-Clause */
/* Children of requests while there is no memory: each table has spare ones, so that no request fails and none waits for ever. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/device/devices.h"
#include "core/path/child.h"
#include "support/world.h"

#define JOBS 200u

static struct fixture f;
static atomic_bool scarce;
static atomic_uint failures, lacks;

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);

void *__wrap_malloc(size_t n)
{
	if (!atomic_load(&scarce))
		return __real_malloc(n);
	atomic_fetch_add(&failures, 1);
	return NULL;
}

/* twins: two children at once, then a third; in pairs: what is declared is the most at a time. */
static int twins_ctr(struct dm_target *t, struct dm_args *a)
{
	struct dm_at *at = t->priv;

	*at = dm_arg_at(a, t->len);
	return dm_args_end(a);
}

static int twins_any(const struct dm_target *t, struct dm_req *r)
{
	struct dm_req *c[2];

	r->own[0] = NULL;
	if (dm_children(r, c, 2)) {
		atomic_fetch_add(&lacks, 1);
		return -ENOMEM;
	}
	dm_send(r->io, t->priv, c[0]);
	dm_send(r->io, t->priv, c[1]);
	return DM_HELD;
}

static int twins_child(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err)
{
	if (!r->own[0]) {
		r->own[0] = r;
		c->sector = r->sector;
		dm_send(c->io, t->priv, c);
		return DM_HELD;
	}
	return err;
}

static const struct dm_type twins_type = {
	.name = "twins", .usage = "<device> <offset>", .about = "has two children", .size = sizeof(struct dm_at), .ctr = twins_ctr,
	.map = twins_any, .flush = twins_any, .child = twins_child, .children = 2, .flush_children = 2,
};

static int begin(void **state)
{
	(void)state;
	fixture_begin(&f, 2, AIO_POOL);
	gate_shut();
	make_device(&f, "low", "0 64 gate");
	make_device(&f, "mid", "0 64 twins low 0");
	dm_open(make_device(&f, "top", "0 64 twins mid 0"));
	atomic_store(&lacks, 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	atomic_store(&scarce, false);
	dm_close(dm_find_name(f.world, "top"));
	fixture_end(&f);
	return 0;
}

/* All of them wait for the first one of each thread, whose children are held at the bottom. */
static void no_request_fails_for_lack_of_memory(void **state)
{
	static struct job jobs[JOBS];
	static uint8_t data[512];
	struct dm_device *top = dm_find_name(f.world, "top");
	unsigned i, held;

	(void)state;
	atomic_store(&scarce, true);
	for (i = 0; i < JOBS; i++)
		job_start(&f, &jobs[i], top, i % 2, i % 5 ? DM_WRITE : DM_FLUSH, 0, 0, i % 5 ? 1 : 0, data);
	settle_threads(&f);
	settle_threads(&f);
	held = gate_held();
	assert_true(atomic_load(&failures) > 0);
	assert_true(held > 0 && held <= 2 * 4);
	gate_open(&f);
	for (i = 0; i < JOBS; i++)
		assert_int_equal(job_wait(&jobs[i]), 0);
	assert_int_equal(atomic_load(&lacks), 0);
	assert_int_equal(f.world->io[0].n_promised + f.world->io[1].n_promised, 0);
}

/* With memory nothing waits for anything. */
static void requests_wait_only_without_memory(void **state)
{
	static struct job jobs[20];
	static uint8_t data[512];
	struct dm_device *top = dm_find_name(f.world, "top");
	unsigned i;

	(void)state;
	for (i = 0; i < 20; i++)
		job_start(&f, &jobs[i], top, i % 2, DM_WRITE, 0, 0, 1, data);
	while (gate_held() < 20 * 4)
		settle_threads(&f);
	gate_open(&f);
	for (i = 0; i < 20; i++)
		assert_int_equal(job_wait(&jobs[i]), 0);
	assert_int_equal(f.world->io[0].n_promised + f.world->io[1].n_promised, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_request_fails_for_lack_of_memory, begin, end),
		cmocka_unit_test_setup_teardown(requests_wait_only_without_memory, begin, end),
	};

	fixture_add_type(&twins_type);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
