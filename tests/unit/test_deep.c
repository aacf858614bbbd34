/* SPDX-License-Identifier: BSD-2-Clause */
/* Thousands of devices, each on the one before: commands that walk down or up need no more stack than for one. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "core/device/above.h"
#include "core/device/devices.h"
#include "support/world.h"

#define DEPTH 4000u
#define STACK ((size_t)PTHREAD_STACK_MIN + (96u << 10))

static struct fixture f;

static void make_stack(void)
{
	char name[20], table[60];
	unsigned i;

	make_device(&f, "d0", "0 8 zero");
	for (i = 1; i < DEPTH; i++) {
		snprintf(name, sizeof(name), "d%u", i);
		snprintf(table, sizeof(table), "0 8 linear /dev/mapper/d%u 0", i - 1);
		make_device(&f, name, table);
	}
}

struct answers {
	int onto_top, suspend, swap, resume, written, unused;
	char why[ERR_TEXT];
};

static int group(enum dm_verb v)
{
	char top[20];
	const char *names[2] = { "d0", top };
	struct dm_cmd c = { .verb = v, .names = names, .n_names = 2 };

	snprintf(top, sizeof(top), "d%u", DEPTH - 1);
	return run(&f, &c, NULL);
}

/* The control thread, with a small stack; what it found is checked by the thread of the test. */
static void *ask(void *arg)
{
	struct answers *a = arg;
	struct err e = ERR_INIT;
	char table[60], top[20];

	snprintf(top, sizeof(top), "d%u", DEPTH - 1);
	snprintf(table, sizeof(table), "0 8 linear /dev/mapper/%s 0", top);
	a->onto_top = reload(&f, "d0", table, a->why);
	a->suspend = group(DM_DO_SUSPEND);
	a->resume = group(DM_DO_RESUME);
	snprintf(table, sizeof(table), "0 8 linear /dev/mapper/d%u 0", DEPTH - 2);
	if (!verb(&f, DM_DO_SUSPEND, "d0", 0, NULL) && !reload(&f, top, table, NULL))
		a->swap = group(DM_DO_RESUME);
	verb(&f, DM_DO_CLEAR, top, 0, NULL);
	verb(&f, DM_DO_RESUME, "d0", 0, NULL);
	dm_write_begin(dm_find_name(f.world, top));
	a->written = dm_above_unused(dm_find_name(f.world, "d0"), &e);
	dm_write_end(dm_find_name(f.world, top));
	a->unused = dm_above_unused(dm_find_name(f.world, "d0"), &e);
	fixture_end(&f);
	return NULL;
}

static void a_deep_stack_of_devices_needs_no_deep_stack(void **state)
{
	struct answers a = { .swap = 0 };
	pthread_attr_t small;
	pthread_t thread;

	(void)state;
	fixture_begin(&f, 1, AIO_AUTO);
	make_stack();
	pthread_attr_init(&small);
	assert_int_equal(pthread_attr_setstacksize(&small, STACK), 0);
	assert_int_equal(pthread_create(&thread, &small, ask, &a), 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&small);
	assert_int_equal(a.onto_top, -EINVAL);
	assert_non_null(strstr(a.why, "leads back to it"));
	assert_int_equal(a.suspend, 0);
	assert_int_not_equal(a.swap, 0);		/* what stands on one that is resumed cannot have another table */
	assert_int_equal(a.resume, 0);
	assert_int_equal(a.written, -EBUSY);
	assert_int_equal(a.unused, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_deep_stack_of_devices_needs_no_deep_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
