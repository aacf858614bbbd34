/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables whose stores take time to open: nobody else waits, and a caller that gives up need not wait either. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/table/opening.h"
#include "support/world.h"

static struct fixture f;
static char why[ERR_TEXT];

/* The store slow:NAME: while it is shut, openings do not continue. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool shut;
	unsigned begun, waiting, opened, closed;	/* in the end all that have begun are closed, opened or not */
} slow = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

extern const struct dm_store_type slow_type;

static void slow_wait(unsigned *count)
{
	pthread_mutex_lock(&slow.lock);
	slow.waiting++;
	pthread_cond_broadcast(&slow.changed);
	while (slow.shut)
		pthread_cond_wait(&slow.changed, &slow.lock);
	slow.waiting--;
	++*count;
	pthread_cond_broadcast(&slow.changed);
	pthread_mutex_unlock(&slow.lock);
}

static void slow_let(bool shut)
{
	pthread_mutex_lock(&slow.lock);
	slow.shut = shut;
	pthread_cond_broadcast(&slow.changed);
	pthread_mutex_unlock(&slow.lock);
}

/* Waits until *COUNT (of slow's counters) is N. */
static void slow_until(const unsigned *count, unsigned n)
{
	pthread_mutex_lock(&slow.lock);
	while (*count != n)
		pthread_cond_wait(&slow.changed, &slow.lock);
	pthread_mutex_unlock(&slow.lock);
}

static void slow_closed(void)
{
	pthread_mutex_lock(&slow.lock);
	slow.closed++;
	pthread_cond_broadcast(&slow.changed);
	pthread_mutex_unlock(&slow.lock);
}

static void slow_close(struct dm_store *s)
{
	free(s);
	slow_closed();
}

static uint64_t slow_hash(const char *word)
{
	return (unsigned char)word[1];
}

static bool slow_same(const struct dm_store *s, const void *word)
{
	return s->type == &slow_type && !strcmp(s->name + 4, word);
}

static bool slow_alike(const struct dm_opening *a, const struct dm_opening *b)
{
	return !strcmp(a->spec.word, b->spec.word);
}

static void slow_do(struct dm_opening *o)
{
	struct dm_store *s = o->own;

	slow_wait(&slow.opened);
	if (strstr(o->spec.word, "bad"))
		err_set(&o->said, -EIO, "%s is bad", o->spec.word);
	else if (asprintf(&s->name, "slow%s", o->spec.word) < 0)
		abort();
}

static void slow_done(struct dm_opening *o)
{
	struct dm_store *s = o->own;

	if (o->said.code) {
		dm_opening_end(o, NULL);
		return;
	}
	o->own = NULL;
	assert_int_equal(dm_store_enter(o->spec.world, s, slow_hash(o->spec.word)), 0);
	dm_opening_end(o, s);
}

static void slow_start(struct dm_opening *o)
{
	struct dm_store *s = dm_store_find(o->spec.world, slow_hash(o->spec.word), slow_same, o->spec.word);
	struct dm_opening *leader = s ? NULL : dm_opening_like(o, slow_alike);

	if (s) {
		dm_store_ref(s);
		dm_opening_end(o, s);
	} else if (leader) {
		o->then = slow_start;
		dm_opening_join(o, leader);
	} else {
		o->own = s = calloc(1, sizeof(*s));
		*s = (struct dm_store){ .type = &slow_type, .sectors = 2048, .limits = dm_limits_default };
		o->looked = &slow_type;
		o->leads = true;
		slow.begun++;
		dm_opening_call(o, slow_do, slow_done);
	}
}

static void slow_forget(struct dm_opening *o)
{
	free(((struct dm_store *)o->own)->name);
	free(o->own);
	slow_closed();
}

static void slow_submit(struct dm_store *s, struct dm_io *io, struct dm_req *r)
{
	(void)s;
	(void)io;
	dm_done(r, 0);
}

const struct dm_store_type slow_type = {
	.name = "slow", .usage = "slow:NAME", .about = "opens late", .start = slow_start, .forget = slow_forget, .close = slow_close,
	.submit = slow_submit,
};

/* A target that wants a second device only if the first is not a stand-in. */
static int late_ctr(struct dm_target *t, struct dm_args *a)
{
	struct dm_at at = dm_arg_at(a, t->len);

	if (!dm_args_failed(a) && at.store->sectors == 2048)
		dm_arg_at(a, t->len);
	return dm_args_end(a);
}

static int late_map(const struct dm_target *t, struct dm_req *r)
{
	(void)t;
	(void)r;
	return DM_DONE;
}

static const struct dm_type late_type = {
	.name = "late", .usage = "<device> <offset> <device> <offset>", .about = "wants more", .version = { 1, 0, 0 },
	.ctr = late_ctr, .map = late_map,
};

static int begin(void **state)
{
	(void)state;
	fixture_stop_clock();
	fixture_store = &slow_type;
	slow.begun = slow.opened = slow.closed = 0;
	slow.shut = true;
	fixture_begin(&f, 2, AIO_AUTO);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_end(&f);
	slow_let(false);
	slow_until(&slow.closed, slow.begun);	/* what was opened in vain is closed on its own thread */
	return 0;
}

struct pending {
	struct dm_cmd c;
	char table[160];
	bool over;
};

static void pending_over(struct dm_cmd *c)
{
	struct pending *p = container(c, struct pending, c);

	p->over = true;
	strcpy(why, c->reply.err.text);
	dm_reply_free(&c->reply);
}

static void start(struct pending *p, enum dm_verb v, const char *name, const char *table)
{
	*p = (struct pending){ .c = { .verb = v, .name = name, .text = p->table, .cwd = "/", .done = pending_over } };
	strcpy(p->table, table);
	dm_do(f.world, &p->c);
}

static int finish(struct pending *p)
{
	while (!p->over)
		loop_turn(f.loop, -1);
	return p->c.reply.err.code;
}

/* N openings are under way: a build goes on in the loop, on a busy machine. */
static void openings_wait(unsigned n)
{
	bool so;

	do {
		loop_turn(f.loop, 1);
		pthread_mutex_lock(&slow.lock);
		so = slow.waiting == n;
		pthread_mutex_unlock(&slow.lock);
	} while (!so);
}

/* Another opening waits for the one that is under way. */
static void opening_is_shared(void)
{
	struct list *n, *next;
	bool so = false;

	while (!so) {
		loop_turn(f.loop, 1);
		list_each(n, next, &f.world->openings)
			so = so || !list_empty(&container(n, struct dm_opening, node)->joined);
	}
}

static void others_go_on_meanwhile(void **state)
{
	struct pending p;

	(void)state;
	start(&p, DM_DO_CREATE, "x", "0 8 linear slow:a 0\n8 8 linear slow:b 0");
	openings_wait(2);
	assert_int_equal(create(&f, "y", "0 8 zero", why), 0);
	assert_int_equal(create(&f, "z", "0 8 linear /dev/null 0", why), -ENOTBLK);	/* opens something itself */
	assert_false(p.over);
	slow_let(false);
	assert_int_equal(finish(&p), 0);
	assert_int_equal(info(&f, "x").sectors, 16);
}

static void two_that_want_the_same_open_it_once(void **state)
{
	struct pending p, q;

	(void)state;
	start(&p, DM_DO_CREATE, "x", "0 8 linear slow:a 0");
	start(&q, DM_DO_CREATE, "y", "0 8 linear slow:a 0");
	opening_is_shared();
	slow_let(false);
	assert_int_equal(finish(&p), 0);
	assert_int_equal(finish(&q), 0);
	assert_int_equal(slow.opened, 1);
	assert_int_equal(create(&f, "z", "0 8 linear slow:a 0", why), 0);
	assert_int_equal(slow.opened, 1);
}

static void both_fail_if_it_cannot_be_opened(void **state)
{
	struct pending p, q;

	(void)state;
	start(&p, DM_DO_CREATE, "x", "0 8 linear slow:bad 0");
	start(&q, DM_DO_DISK, "y", "slow:bad");
	opening_is_shared();
	slow_let(false);
	assert_int_equal(finish(&p), -EIO);
	assert_int_equal(finish(&q), -EIO);
	assert_string_equal(why, "disk 'y': :bad is bad");
	assert_int_equal(slow.opened, 1);
}

static void who_gives_up_need_not_wait(void **state)
{
	struct pending p, q;

	(void)state;
	start(&p, DM_DO_CREATE, "x", "0 8 linear slow:a 0");
	start(&q, DM_DO_DISK, "d", "slow:b");
	openings_wait(2);
	dm_cancel(&p.c);
	dm_cancel(&q.c);
	assert_int_equal(finish(&p), -EINTR);
	assert_int_equal(finish(&q), -EINTR);
	assert_int_equal(slow.opened, 0);
	assert_true(list_empty(&f.world->stores));
	slow_let(false);
	slow_until(&slow.opened, 2);
}

/* The second waits for the first's opening, which continues for it. */
static void the_other_one_goes_on(void **state)
{
	struct pending p, q;

	(void)state;
	start(&p, DM_DO_CREATE, "x", "0 8 linear slow:a 0");
	openings_wait(1);
	start(&q, DM_DO_CREATE, "y", "0 8 linear slow:a 0");
	opening_is_shared();
	dm_cancel(&p.c);
	assert_int_equal(finish(&p), -EINTR);
	slow_let(false);
	assert_int_equal(finish(&q), 0);
	assert_int_equal(slow.opened, 1);
}

static void an_opening_has_a_bound(void **state)
{
	struct pending p;

	(void)state;
	start(&p, DM_DO_CREATE, "x", "0 8 zero\n8 8 linear slow:a 0");
	openings_wait(1);
	time_passes(&f, DM_OPEN_TIMEOUT - 1);
	assert_false(p.over);
	time_passes(&f, 1);
	assert_int_equal(finish(&p), -ETIMEDOUT);
	assert_string_equal(why, "table line 2: linear <device> <offset>: word 1 <device>: 'slow:a' could not be opened within "
			    "30 seconds: its file system does not answer");
	slow_let(false);
	slow_until(&slow.opened, 1);
}

/* Words after the one that fails are not waited for, and the sentence is that of the first wrong line. */
static void what_comes_behind_a_failure_is_not_waited_for(void **state)
{
	struct pending p;

	(void)state;
	start(&p, DM_DO_CREATE, "x", "0 8 linear /dev/null 0\n8 8 linear slow:a 0");
	assert_int_equal(finish(&p), -ENOTBLK);
	start(&p, DM_DO_CREATE, "x", "0 8 linear memory,size=1M:m 0\n8 8 linear memory:m 0 0\n16 8 linear slow:b 0");
	assert_int_equal(finish(&p), -EINVAL);
	assert_non_null(strstr(why, "table line 2"));
}

static void its_device_may_go_meanwhile(void **state)
{
	struct pending p;

	(void)state;
	assert_int_equal(create(&f, "x", "0 8 zero", why), 0);
	start(&p, DM_DO_RELOAD, "x", "0 8 linear slow:a 0");
	openings_wait(1);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "x", 0, why), 0);
	assert_int_equal(finish(&p), -ENXIO);
	slow_let(false);
	slow_until(&slow.opened, 1);
}

static void its_name_may_be_taken_meanwhile(void **state)
{
	struct pending p;

	(void)state;
	start(&p, DM_DO_CREATE, "x", "0 8 linear slow:a 0");
	assert_int_equal(create(&f, "x", "0 8 zero", why), 0);
	slow_let(false);
	assert_int_equal(finish(&p), -EEXIST);
	assert_int_equal(info(&f, "x").target_count, 1);
}

/* The table that was built for it would now lead back to it. */
static void a_loop_that_was_closed_meanwhile_is_refused(void **state)
{
	struct pending p;

	(void)state;
	assert_int_equal(create(&f, "x", "0 8 zero", why), 0);
	assert_int_equal(create(&f, "y", "0 8 zero", why), 0);
	start(&p, DM_DO_RELOAD, "x", "0 8 linear /dev/mapper/y 0\n8 8 linear slow:a 0");
	openings_wait(1);
	if (reload(&f, "y", "0 8 linear /dev/mapper/x 0", why))
		fail_msg("%s", why);
	slow_let(false);
	assert_int_equal(finish(&p), -EINVAL);
	assert_non_null(strstr(why, "would be mapped onto itself"));
	assert_int_equal(verb(&f, DM_DO_CLEAR, "y", 0, why), 0);
}

/* A table that is ready while its device is being suspended is loaded when that has ended. */
static void it_waits_for_a_transition(void **state)
{
	struct pending p, s;
	struct dm_device *d;
	struct job j;

	(void)state;
	assert_int_equal(create(&f, "x", "0 8 gate", why), 0);
	d = dm_find_name(f.world, "x");
	dm_open(d);
	gate_shut();
	job_start(&f, &j, d, 0, DM_READ, 0, 0, 1, why);
	settle_threads(&f);
	start(&p, DM_DO_RELOAD, "x", "0 8 linear slow:a 0");
	openings_wait(1);
	start(&s, DM_DO_SUSPEND, "x", "");
	slow_let(false);
	slow_until(&slow.opened, 1);
	settle_threads(&f);
	assert_false(p.over || s.over);
	gate_open(&f);
	assert_int_equal(finish(&s), 0);
	assert_int_equal(finish(&p), 0);
	assert_true(info(&f, "x").inactive);
	assert_int_equal(job_wait(&j), 0);
	dm_close(d);
}

static void a_word_that_only_a_made_line_wants_is_opened_too(void **state)
{
	struct pending p;
	char *text;

	(void)state;
	slow_let(false);
	start(&p, DM_DO_CHECK, "x", "0 8 zero\n8 8 late slow:a 0 slow:b 8\n16 8 late slow:b 0 slow:c 0");
	assert_int_equal(finish(&p), 0);
	assert_int_equal(slow.opened, 3);
	assert_int_equal(create(&f, "x", "0 8 zero\n8 8 late slow:a 0 slow:bad 0", why), -EIO);
	assert_non_null(strstr(why, "table line 2: late"));
	text = rows(&f, DM_DO_TABLE, "x", 0);
	assert_string_equal(text, "");
	free(text);
}

/* Its helper returns when everything is gone. */
static void the_end_does_not_wait_for_it(void **state)
{
	struct pending p, q;

	(void)state;
	start(&p, DM_DO_CREATE, "x", "0 8 linear slow:a 0");
	start(&q, DM_DO_DISK, "d", "slow:b");
	openings_wait(2);
	fixture_end(&f);
	assert_true(p.over && q.over);
	assert_int_equal(p.c.reply.err.code, -EINTR);
	slow_let(false);
	slow_until(&slow.closed, 2);
	fixture_begin(&f, 1, AIO_AUTO);
}

static void text_read(struct dm_cmd *c)
{
	assert_null(dm_find_name(f.world, "x"));	/* before anything is recorded */
	free(c->text);
	c->text = NULL;
}

static void a_text_that_was_read_may_go(void **state)
{
	struct dm_cmd c = { .verb = DM_DO_CREATE, .name = "x", .text = strdup("0 8 zero\n8 8 zero"), .text_read = text_read };

	(void)state;
	assert_int_equal(dm_do_now(f.world, &c), 0);
	assert_null(c.text);
	dm_reply_free(&c.reply);
	assert_int_equal(dm_device_sectors(dm_find_name(f.world, "x")), 16);
	c = (struct dm_cmd){ .verb = DM_DO_CREATE, .name = "y", .text = strdup("0 8 nothing"), .text_read = text_read };
	dm_do_now(f.world, &(struct dm_cmd){ .verb = DM_DO_REMOVE, .name = "x" });
	assert_int_equal(dm_do_now(f.world, &c), -ENOPKG);
	assert_null(c.text);
	assert_non_null(strstr(c.reply.err.text, "nothing"));
	dm_reply_free(&c.reply);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(others_go_on_meanwhile),
		CASE(two_that_want_the_same_open_it_once),
		CASE(both_fail_if_it_cannot_be_opened),
		CASE(who_gives_up_need_not_wait),
		CASE(the_other_one_goes_on),
		CASE(an_opening_has_a_bound),
		CASE(what_comes_behind_a_failure_is_not_waited_for),
		CASE(its_device_may_go_meanwhile),
		CASE(its_name_may_be_taken_meanwhile),
		CASE(a_loop_that_was_closed_meanwhile_is_refused),
		CASE(it_waits_for_a_transition),
		CASE(a_word_that_only_a_made_line_wants_is_opened_too),
		CASE(a_text_that_was_read_may_go),
		CASE(the_end_does_not_wait_for_it),
	};

	fixture_add_type(&late_type);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
