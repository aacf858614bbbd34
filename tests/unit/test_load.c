/* SPDX-License-Identifier: BSD-2-Clause */
/* Several devices are loaded as one: all of their inactive slots have another table then, or none. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <cmocka.h>

#include "core/device/step.h"
#include "support/world.h"

static int load(struct fixture *f, const char *const names[2], const char *a, const char *b, char *why)
{
	char *texts[] = { strdup(a), strdup(b) };
	struct dm_cmd c = { .verb = DM_DO_RELOAD, .name = names[0], .names = names, .n_names = 2, .texts = texts };
	int r = run(f, &c, why);

	dm_reply_free(&c.reply);
	free(texts[0]);
	free(texts[1]);
	return r;
}

static void slots_are(struct fixture *f, const char *a, const char *b)
{
	char *has = rows(f, DM_DO_TABLE, "a", DM_WITH_INACTIVE);

	assert_string_equal(has, a);
	free(has);
	has = rows(f, DM_DO_TABLE, "b", DM_WITH_INACTIVE);
	assert_string_equal(has, b);
	free(has);
}

static const char *const both[] = { "a", "b" };

static void begin(struct fixture *f)
{
	fixture_begin(f, 1, AIO_AUTO);
	make_device(f, "a", "0 8 zero");
	make_device(f, "b", "0 8 zero");
}

static void all_slots_have_their_tables(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	assert_int_equal(load(&f, both, "0 16 zero", "0 24 error", NULL), 0);
	slots_are(&f, "0 16 zero\n", "0 24 error\n");
	assert_int_equal(load(&f, both, "0 32 error", "0 40 zero", NULL), 0);	/* those before are freed */
	slots_are(&f, "0 32 error\n", "0 40 zero\n");
	fixture_end(&f);
}

static void one_that_is_wrong_leaves_all_as_they_were(void **state)
{
	static const char *const none[] = { "a", "c" }, *const twice[] = { "a", "a" };
	struct fixture f;
	char why[ERR_TEXT];

	(void)state;
	begin(&f);
	assert_int_equal(load(&f, both, "0 16 zero", "0 24 error", NULL), 0);
	assert_int_equal(load(&f, both, "0 8 zero", "0 8 linear /no/such 0", why), -ENOENT);
	assert_non_null(strstr(why, "b: table line 1: linear"));
	assert_int_equal(load(&f, both, "0 8", "0 8 zero", why), -EINVAL);
	assert_non_null(strstr(why, "a: table line 1"));
	assert_int_equal(load(&f, none, "0 8 zero", "0 8 zero", why), -ENXIO);
	assert_non_null(strstr(why, "'c'"));
	assert_int_equal(load(&f, twice, "0 8 zero", "0 8 zero", why), -EINVAL);
	assert_non_null(strstr(why, "'a' is named twice"));
	slots_are(&f, "0 16 zero\n", "0 24 error\n");
	fixture_end(&f);
}

/* Each of them is right when it is built, but together they would be mapped onto each other. */
static void devices_of_one_load_are_not_mapped_onto_each_other(void **state)
{
	struct fixture f;
	char why[ERR_TEXT];

	(void)state;
	begin(&f);
	assert_int_equal(load(&f, both, "0 8 linear b 0", "0 8 linear a 0", why), -EINVAL);
	assert_non_null(strstr(why, "mapped onto itself"));
	slots_are(&f, "", "");
	fixture_end(&f);
}

#define MANY 10000u

static char many_names[MANY][8], *many_tables[MANY];
static const char *many[MANY];

static void make_many(struct fixture *f)
{
	unsigned i;

	for (i = 0; i < MANY; i++) {
		snprintf(many_names[i], sizeof(many_names[i]), "m%u", i);
		many[i] = many_names[i];
		assert_int_equal(create(f, many[i], "0 8 zero", NULL), 0);
	}
}

static void load_many(struct fixture *f)
{
	struct dm_cmd c = { .verb = DM_DO_RELOAD, .name = many[0], .names = many, .n_names = MANY, .texts = many_tables };
	unsigned i;

	for (i = 0; i < MANY; i++)
		many_tables[i] = strdup("0 16 zero");
	assert_int_equal(run(f, &c, NULL), 0);
	dm_reply_free(&c.reply);
	for (i = 0; i < MANY; i++)
		free(many_tables[i]);
}

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The time grows with their number, the stack does not. */
static void very_many_devices_are_loaded_as_one(void **state)
{
	struct rlimit limit, small;
	struct fixture f;
	double began;

	(void)state;
	fixture_begin(&f, 1, AIO_AUTO);
	make_many(&f);
	load_many(&f);
	getrlimit(RLIMIT_STACK, &limit);
	small = (struct rlimit){ .rlim_cur = 384 << 10, .rlim_max = limit.rlim_max };
	setrlimit(RLIMIT_STACK, &small);
	began = cpu_seconds();
	load_many(&f);		/* what is in the slots is freed */
	assert_true(cpu_seconds() - began < 2);
	setrlimit(RLIMIT_STACK, &limit);
	fixture_end(&f);
}

struct pending {
	struct dm_cmd c;
	bool over;
};

static void pending_over(struct dm_cmd *c)
{
	container(c, struct pending, c)->over = true;
}

static int end_of(struct fixture *f, struct pending *p)
{
	while (!p->over)
		loop_turn(f->loop, -1);
	dm_reply_free(&p->c.reply);
	return p->c.reply.err.code;
}

/* stuck: its preresume hangs. */
static struct dm_step *stuck[2];
static unsigned n_stuck;

static int stuck_ctr(struct dm_target *t, struct dm_args *a)
{
	(void)t;
	return dm_args_end(a);
}

static int stuck_map(const struct dm_target *t, struct dm_req *r)
{
	(void)t;
	(void)r;
	return DM_DONE;
}

static void stuck_preresume(struct dm_target *t, struct dm_step *s)
{
	(void)t;
	stuck[n_stuck++] = s;
}

static const struct dm_type stuck_type = {
	.name = "stuck", .usage = "", .about = "hangs", .ctr = stuck_ctr, .map = stuck_map, .preresume = stuck_preresume,
};

/* A table in the slot of NAME whose preresume hangs, although the resume was given up. */
static void hang_in_slot(struct fixture *f, const char *name)
{
	struct pending p = { .c = { .verb = DM_DO_RESUME, .name = name, .done = pending_over } };
	unsigned n = n_stuck;

	make_device(f, name, "0 8 zero");
	assert_int_equal(reload(f, name, "0 8 stuck", NULL), 0);
	dm_do(f->world, &p.c);
	while (n_stuck == n)
		loop_turn(f->loop, -1);
	dm_cancel(&p.c);
	assert_int_equal(end_of(f, &p), -EINTR);
}

/*
 * A is removed while a load that began with it waits. The load is given up and frees another table, which closes E for the
 * last time. So E is removed, too, and a command that waits for a table of E is given up meanwhile.
 */
static void a_removal_gives_up_commands_of_several_devices(void **state)
{
	static const char *const names[] = { "a", "h" };
	char *texts[] = { strdup("0 8 zero"), strdup("0 8 zero") };
	struct pending p = { .c = { .verb = DM_DO_RELOAD, .name = "a", .names = names, .n_names = 2, .texts = texts,
				    .done = pending_over } };
	struct pending q = { .c = { .verb = DM_DO_CLEAR, .name = "e", .done = pending_over } };
	struct fixture f;

	(void)state;
	fixture_begin(&f, 1, AIO_AUTO);
	hang_in_slot(&f, "e");
	hang_in_slot(&f, "h");
	make_device(&f, "a", "0 8 zero");
	assert_int_equal(reload(&f, "a", "0 8 linear e 0", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "e", DM_WITH_DEFERRED, NULL), 0);
	dm_do(f.world, &p.c);
	while (list_empty(&f.world->retiring))
		loop_turn(f.loop, -1);
	dm_do(f.world, &q.c);
	assert_false(p.over || q.over);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "a", 0, NULL), 0);
	assert_int_equal(end_of(&f, &p), -ENXIO);
	assert_int_equal(end_of(&f, &q), -ENXIO);
	assert_null(dm_find_name(f.world, "e"));
	while (n_stuck)
		dm_step_done(stuck[--n_stuck], 0);
	while (!list_empty(&f.world->retiring))
		loop_turn(f.loop, -1);
	fixture_end(&f);
	free(texts[0]);
	free(texts[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_slots_have_their_tables),
		cmocka_unit_test(one_that_is_wrong_leaves_all_as_they_were),
		cmocka_unit_test(devices_of_one_load_are_not_mapped_onto_each_other),
		cmocka_unit_test(very_many_devices_are_loaded_as_one),
		cmocka_unit_test(a_removal_gives_up_commands_of_several_devices),
	};

	fixture_add_type(&stuck_type);

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
