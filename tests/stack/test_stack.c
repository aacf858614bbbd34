/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sample targets stacked eight deep (life.h) under clients that know what they must read (client.h), while memory and threads
 * are scarce (scarce.h) and devices are suspended, resumed and swapped, alone and in groups, lower before upper too, and
 * commands are cancelled. A world lives for a second or so; then it is let come to rest and checked, or ends as it is.
 *
 *   STACK_SECONDS   how long (4)          STACK_SEED   the first life's, to see the same choices again
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/device/devices.h"
#include "stack/life.h"
#include "stack/scarce.h"
#include "stack/types.h"

#define OPS 24u
#define BUSY 4u			/* at once, but for those that bring all to rest */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SLOW 6u
#else
#define SLOW 2u
#endif
#define MS UINT64_C(1000000)
#define LIFE_MS 1200u
#define STUCK_MS 300u		/* then what is suspended is resumed, whoever waits for it */
#define DEAD_MS (10000u * SLOW)

static struct life life;
static struct op {
	struct dm_cmd cmd;
	bool busy;
	uint64_t since;
	char name[32], text[LIFE_TABLE];
	const char *names[LIFE_DEVICES];
} ops[OPS];
static struct {
	unsigned lives, rests;
	uint64_t answered, failed, done, refused, cancelled;
} sum;
static enum { X_GONE, X_COMES, X_WORKS, X_STOPS, X_GOES } x;
static struct dm_device *x_device;

static uint64_t now_ms(void)
{
	return clock_now(&clock_monotonic) / MS;
}

static void op_done(struct dm_cmd *c)
{
	struct op *o = container(c, struct op, cmd);

	o->busy = false;
	if (c->reply.err.code && strlen(c->reply.err.text) < 8)
		types_found("a command has failed without a sentence");
	sum.done += !c->reply.err.code;
	sum.refused += c->reply.err.code != 0;
	dm_reply_free(&c->reply);
}

static unsigned ops_busy(void)
{
	unsigned i, n = 0;

	for (i = 0; i < OPS; i++)
		n += ops[i].busy;
	return n;
}

static struct op *op_free(void)
{
	unsigned i;

	for (i = 0; i < OPS; i++)
		if (!ops[i].busy)
			return &ops[i];
	return NULL;
}

static void op_start(struct op *o, enum dm_verb v, const char *name, uint32_t flags)
{
	snprintf(o->name, sizeof(o->name), "%s", name);
	o->cmd = (struct dm_cmd){ .verb = v, .name = o->name, .flags = flags, .cwd = "/", .done = op_done,
				  .text = v == DM_DO_RELOAD || v == DM_DO_CREATE ? o->text : NULL };
	o->busy = true;
	o->since = now_ms();
	dm_do(life.f.world, &o->cmd);
}

static void op_start_group(struct op *o, enum dm_verb v, uint32_t flags)
{
	unsigned i, j, n = 0;

	for (i = 0; i < LIFE_DEVICES; i++) {
		if (types_random(2))
			continue;
		j = types_random(++n);
		o->names[n - 1] = o->names[j];
		o->names[j] = life_devices[i];
	}
	if (!n)
		return;
	o->cmd = (struct dm_cmd){ .verb = v, .names = o->names, .n_names = n, .flags = flags, .cwd = "/", .done = op_done };
	snprintf(o->name, sizeof(o->name), "%u devices", n);
	o->busy = true;
	o->since = now_ms();
	dm_do(life.f.world, &o->cmd);
}

static uint32_t some_flags(void)
{
	return (types_random(2) ? DM_WITH_NOFLUSH : 0) | (types_random(2) ? DM_WITH_NOLOCKFS : 0);
}

static void op_choose(struct op *o)
{
	const char *name = life_devices[types_random(LIFE_DEVICES)];

	switch (types_random(14)) {
	case 0: case 1: case 2:
		op_start(o, DM_DO_SUSPEND, name, some_flags());
		break;
	case 3: case 4: case 5:
		life_table(&life, name, o->text);
		op_start(o, DM_DO_RELOAD, name, 0);
		break;
	case 6:
		op_start_group(o, DM_DO_SUSPEND, some_flags());
		break;
	case 7: case 8:
		op_start_group(o, DM_DO_RESUME, some_flags());
		break;
	default:
		op_start(o, DM_DO_RESUME, name, some_flags());
		break;
	}
}

static void cancel_some(void)
{
	struct op *o = &ops[types_random(OPS)];

	if (o->busy && types_random(4) == 0) {
		sum.cancelled++;
		dm_cancel(&o->cmd);
	}
}

/* x is made, has a client for a while, and is removed, perhaps before that one is through. */
static void x_turn(bool may_come)
{
	struct client *c = &life.clients[LIFE_CLIENTS - 1];
	struct op *o = op_free();

	if (x == X_GONE && may_come && o && types_random(20) == 0) {
		snprintf(o->text, sizeof(o->text), "0 4096 backs %s 0", types_random(2) ? "d5" : "e4");
		op_start(o, DM_DO_CREATE, "x", 0);
		x = X_COMES;
	} else if (x == X_COMES && (x_device = dm_find_name(life.f.world, "x")) && !dm_device_moving(x_device)) {
		dm_open(x_device);
		client_start(c, x_device);
		x = X_WORKS;
	} else if (x == X_COMES && !ops_busy()) {
		x = X_GONE;
	} else if (x == X_WORKS && (!may_come || types_random(100) == 0)) {
		client_stop(c);
		if (o && types_random(2))
			op_start(o, DM_DO_REMOVE, "x", DM_WITH_DEFERRED);
		x = X_STOPS;
	} else if (x == X_STOPS && atomic_load(&c->stopped)) {
		dm_close(x_device);
		x = X_GOES;
	} else if (x == X_GOES && !dm_find_name(life.f.world, "x")) {
		x = X_GONE;
	} else if (x == X_GOES && o && types_random(10) == 0) {
		op_start(o, DM_DO_REMOVE, "x", 0);
	}
}

static void check(const char *what)
{
	const char *wrong = types_wrong();

	if (wrong) {
		life_tell(&life);
		fail_msg("%s: %s", what, wrong);
	}
}

static void nothing_turns(int signal)
{
	(void)signal;
	life_tell(&life);
	abort();
}

static void turn(void)
{
	alarm(100 * SLOW);
	loop_turn(life.f.loop, 1);
	backs_let_go();
	check("meanwhile");
}

static bool is_stuck(void)
{
	unsigned i;

	for (i = 0; i < OPS; i++)
		if (ops[i].busy && now_ms() - ops[i].since > STUCK_MS)
			return true;
	return false;
}

static void tell_and_fail(const char *what)
{
	unsigned i;

	for (i = 0; i < OPS; i++)
		if (ops[i].busy)
			fprintf(stderr, "# command %d of %s waits for %" PRIu64 " ms\n", ops[i].cmd.verb, ops[i].name,
				now_ms() - ops[i].since);
	life_tell(&life);
	fprintf(stderr, "# %s\n", what);
	abort();
}

/* Resumes what is suspended until all is active, and no command is under way. */
static bool resume_all(void)
{
	bool all = true;
	unsigned i;

	for (i = 0; i < LIFE_DEVICES; i++) {
		const struct dm_device *d = dm_find_name(life.f.world, life_devices[i]);
		struct op *o = op_free();

		if (d->state == DM_ACTIVE)
			continue;
		all = false;
		if (d->state == DM_SUSPENDED && !dm_device_moving(d) && o)
			op_start(o, DM_DO_RESUME, life_devices[i], 0);
	}
	return all && !ops_busy();
}

static void rest(void)
{
	uint64_t since = now_ms();

	sum.rests++;
	while (!resume_all()) {
		turn();
		if (now_ms() - since > DEAD_MS)
			tell_and_fail("what waits is not over although nothing is suspended");
	}
}

static void stop_clients(void)
{
	uint64_t since = now_ms();
	unsigned i;

	for (i = 0; i < LIFE_CLIENTS; i++)
		client_stop(&life.clients[i]);
	while (!life_clients_stopped(&life)) {
		turn();
		if (now_ms() - since > DEAD_MS)
			tell_and_fail("requests have not ended");
	}
}

static void live(void)
{
	uint64_t until = now_ms() + LIFE_MS;

	while (now_ms() < until) {
		struct op *o = op_free();

		if (ops_busy() < BUSY && types_random(3) == 0)
			op_choose(o);
		cancel_some();
		x_turn(true);
		turn();
		if (is_stuck())
			rest();
	}
}

static void end_in_order(void)
{
	uint64_t since = now_ms();

	scarce_end();
	while (x != X_GONE) {
		x_turn(false);
		turn();
		rest();
		if (now_ms() - since > DEAD_MS)
			tell_and_fail("x does not go");
	}
	rest();
	stop_clients();
	backs_may_keep(false);
	life_check(&life);
	backs_may_keep(true);
	check("at rest");
}

static void end_as_it_is(void)
{
	scarce_end();
	dm_world_release(life.f.world);
	stop_clients();
	x = X_GONE;
}

static void one_life(const char *file)
{
	bool in_order = types_random(3);
	unsigned i;

	backs_may_keep(false);		/* nobody lets go yet */
	life_begin(&life, types_random(2) ? file : NULL);
	scarce_begin();
	backs_may_keep(true);
	live();
	if (in_order)
		end_in_order();
	else
		end_as_it_is();
	life_end(&life, in_order);
	check("at the end");
	if (ops_busy())
		tell_and_fail("a command has no answer");
	for (i = 0; i < LIFE_CLIENTS; i++) {
		sum.answered += atomic_load(&life.clients[i].answered);
		sum.failed += atomic_load(&life.clients[i].failed);
	}
	sum.lives++;
}

static unsigned long long number(const char *name, unsigned long long otherwise)
{
	const char *s = getenv(name);

	return s && *s ? strtoull(s, NULL, 10) : otherwise;
}

static void clients_read_what_they_wrote_whatever_happens(void **state)
{
	unsigned long long seconds = number("STACK_SECONDS", 4), seed = number("STACK_SEED", now_ms() * 1000003 % 1000000);
	uint64_t until = now_ms() + seconds * 1000;
	const char *folder = getenv("TMPDIR");
	char file[100];
	int fd;

	(void)state;
	snprintf(file, sizeof(file), "%s/stack.XXXXXX", folder ? folder : "/tmp");
	fd = mkstemp(file);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 2 << 20), 0);
	close(fd);
	fprintf(stderr, "# seed %llu\n", seed);
	types_seed(seed);
	signal(SIGALRM, nothing_turns);
	log_set_level(getenv("STACK_LOG") ? LOG_LEVEL_DEBUG : 0);
	while (now_ms() < until)
		one_life(file);
	unlink(file);
	fprintf(stderr, "# %u lives, %" PRIu64 " requests answered, of which %" PRIu64 " failed; %" PRIu64 " commands done, %" PRIu64
		" refused, %" PRIu64 " cancelled; brought to rest %u times; %u times no memory or thread\n", sum.lives, sum.answered,
		sum.failed, sum.done, sum.refused, sum.cancelled, sum.rests, scarce_failures());
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(clients_read_what_they_wrote_whatever_happens) };

	fixture_add_type(&holds_type);
	fixture_add_type(&backs_type);
	fixture_add_type(&bites_type);
	fixture_add_type(&xors_type);
	fixture_add_type(&legs_type);
	fixture_add_type(&cows_type);
	fixture_add_type(&commits_type);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
