/* SPDX-License-Identifier: BSD-2-Clause */
/* Clients of the control socket: order, hang-ups, slow readers, the daemon's end. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "proto/dict_client.h"
#include "support/client.h"

#define COMMAND(c) "<key>command</key><string>" c "</string>"
#define NAME(n) "<key>name</key><string>" n "</string>"
#define EVENT_0 "<key>event_nr</key><integer>0</integer>"
#define TABLE(t) "<key>table</key><string>" t "</string>"

#define NETBSD_ESHUTDOWN 58

static void a_disk_from_beginning_to_end(void **state)
{
	struct server *s = *state;
	int fd = client_new(s);
	plist_t r;

	assert_int_equal(client_ask(s, fd, COMMAND("create") NAME("d") TABLE("0 10 zero"), NULL), 0);
	client_request(s, fd, COMMAND("table") NAME("d"));
	r = client_reply(s, fd);
	assert_int_equal(plist_size(plist_dict_get_item(r, "cmd_data")), 1);
	plist_free(r);
	assert_int_equal(client_ask(s, fd, COMMAND("remove") NAME("d"), NULL), 0);
	assert_int_equal(client_ask(s, fd, COMMAND("info") NAME("d"), NULL), ENOENT);
	close(fd);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
	struct server *s = *state;
	int fd = client_new(s), i;
	char keys[200];

	for (i = 0; i < 100; i++) {
		snprintf(keys, sizeof(keys), COMMAND("create") NAME("p%d") "<key>n</key><integer>%d</integer>", i, i);
		client_request(s, fd, keys);
	}
	for (i = 0; i < 100; i++) {
		plist_t r = client_reply(s, fd);

		assert_int_equal(reply_errno(r), 0);
		assert_int_equal(reply_number(r, "n"), i);
		plist_free(r);
	}
	close(fd);
}

/*
 * A command that waits delays what was sent after it, but not what was sent before. A client that has sent everything
 * may stop sending.
 */
static void what_is_sent_ahead_of_a_wait_is_answered_before_it(void **state)
{
	struct server *s = *state;
	int fd = client_new(s), other = client_new(s), i;
	plist_t r;

	for (i = 0; i < 40; i++)
		client_request(s, fd, i == 20 ? COMMAND("wait") NAME("w") EVENT_0 : i ? COMMAND("version") :
			       COMMAND("create") NAME("w"));
	shutdown(fd, SHUT_WR);
	for (i = 0; i < 40; i++) {
		if (i == 20)
			assert_int_equal(client_ask(s, other, COMMAND("remove") NAME("w"), NULL), 0);
		r = client_reply(s, fd);
		assert_int_equal(reply_errno(r), 0);
		assert_string_equal(reply_text(r, "command"), i == 20 ? "wait" : i ? "version" : "create");
		plist_free(r);
	}
	assert_null(client_reply(s, fd));
	close(fd);
	close(other);
}

static void wait_is_cancelled_by_a_hang_up(void **state)
{
	struct server *s = *state;
	int fd = client_new(s), other = client_new(s);
	const struct dm_device *d;

	assert_int_equal(client_ask(s, other, COMMAND("create") NAME("w"), NULL), 0);
	d = dm_find_name(s->f.world, "w");
	client_request(s, fd, COMMAND("wait") NAME("w") EVENT_0);
	while (list_empty(&d->waiting))
		loop_turn(s->f.loop, -1);
	close(fd);
	while (!list_empty(&d->waiting))
		loop_turn(s->f.loop, -1);
	assert_int_equal(client_ask(s, other, COMMAND("remove") NAME("w"), NULL), 0);
	close(other);
}

static void wait_is_answered_by_the_event_while_others_go_on(void **state)
{
	struct server *s = *state;
	int fd = client_new(s), other = client_new(s);
	plist_t r;

	assert_int_equal(client_ask(s, other, COMMAND("create") NAME("w"), NULL), 0);
	client_request(s, fd, COMMAND("waitevent") NAME("w") EVENT_0);
	client_request(s, fd, COMMAND("version"));	/* waits after it */
	assert_int_equal(client_ask(s, other, COMMAND("version"), NULL), 0);
	assert_int_equal(client_ask(s, other, COMMAND("rename") NAME("w")
				    "<key>cmd_data</key><array><string>v</string></array>", NULL), 0);
	r = client_reply(s, fd);
	assert_string_equal(reply_text(r, "command"), "waitevent");
	assert_string_equal(reply_text(r, "name"), "v");
	assert_int_equal(reply_number(r, "event_nr"), 1);
	plist_free(r);
	r = client_reply(s, fd);
	assert_string_equal(reply_text(r, "command"), "version");
	plist_free(r);
	close(fd);
	close(other);
}

static void a_draining_suspend_is_taken_back_by_a_hang_up(void **state)
{
	struct server *s = *state;
	int fd = client_new(s), other = client_new(s);
	struct dm_device *d;
	struct job j;

	assert_int_equal(client_ask(s, other, COMMAND("create") NAME("g") TABLE("0 8 gate"), NULL), 0);
	d = dm_find_name(s->f.world, "g");
	dm_open(d);
	gate_shut();
	job_start(&s->f, &j, d, 0, DM_WRITE, 0, 0, 1, NULL);
	while (!gate_held())
		settle_threads(&s->f);
	client_request(s, fd, COMMAND("suspend") NAME("g"));
	while (d->state != DM_SUSPENDING)
		loop_turn(s->f.loop, -1);
	close(fd);
	while (d->state != DM_ACTIVE)
		loop_turn(s->f.loop, -1);
	gate_open(&s->f);
	assert_int_equal(job_wait(&j), 0);
	dm_close(d);
	close(other);
}

/* Each reply to `names` is far larger than a socket's buffer, and nobody reads them. */
static void a_client_that_does_not_read_blocks_nobody(void **state)
{
	struct server *s = *state;
	int slow = client_new(s), fd = client_new(s), i;
	char keys[200];
	plist_t r;

	for (i = 0; i < 2000; i++) {
		snprintf(keys, sizeof(keys), COMMAND("create") NAME("device-with-a-name-%d"), i);
		assert_int_equal(client_ask(s, fd, keys, NULL), 0);
	}
	for (i = 0; i < 3; i++)
		client_request(s, slow, COMMAND("names"));
	for (i = 0; i < 20; i++)
		assert_int_equal(client_ask(s, fd, COMMAND("version"), NULL), 0);
	for (i = 0; i < 3; i++) {
		r = client_reply(s, slow);
		assert_int_equal(plist_size(plist_dict_get_item(r, "cmd_data")), 2000);
		plist_free(r);
	}
	client_request(s, slow, COMMAND("names"));
	assert_int_equal(client_ask(s, fd, COMMAND("version"), NULL), 0);
	close(slow);		/* in the middle of a reply */
	assert_int_equal(client_ask(s, fd, COMMAND("remove_all"), NULL), 0);
	close(fd);
}

static void a_stopped_server_refuses_and_stays(void **state)
{
	struct server *s = *state;
	int idle = client_new(s), waiting = client_new(s), late;
	struct err e = ERR_INIT;
	plist_t r;

	assert_int_equal(client_ask(s, idle, COMMAND("create") NAME("w"), NULL), 0);
	client_request(s, waiting, COMMAND("wait") NAME("w") EVENT_0);
	while (list_empty(&dm_find_name(s->f.world, "w")->waiting))
		loop_turn(s->f.loop, -1);
	control_stop(s->control);
	r = client_reply(s, waiting);
	assert_int_equal(reply_errno(r), NETBSD_ESHUTDOWN);
	plist_free(r);
	assert_int_equal(client_ask(s, idle, COMMAND("names"), NULL), NETBSD_ESHUTDOWN);
	late = dict_connect(s->path, &e);
	assert_int_equal(late, -ECONNREFUSED);
	control_free(s->control);
	s->control = NULL;
	assert_null(client_reply(s, idle));
	assert_null(client_reply(s, waiting));
	close(idle);
	close(waiting);
}

static void the_end_with_commands_under_way_is_safe(void **state)
{
	struct server *s = *state;
	int fds[8], i;

	assert_int_equal(create(&s->f, "w", "0 8 zero", NULL), 0);
	for (i = 0; i < 8; i++) {
		fds[i] = client_new(s);
		client_request(s, fds[i], COMMAND("wait") NAME("w") EVENT_0);
	}
	while (list_empty(&dm_find_name(s->f.world, "w")->waiting))
		loop_turn(s->f.loop, -1);
	close(fds[0]);
	control_free(s->control);
	s->control = NULL;
	for (i = 1; i < 8; i++)
		close(fds[i]);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, server_setup, server_teardown)
	const struct CMUnitTest tests[] = {
		T(a_disk_from_beginning_to_end),
		T(pipelined_requests_are_answered_in_order),
		T(what_is_sent_ahead_of_a_wait_is_answered_before_it),
		T(wait_is_cancelled_by_a_hang_up),
		T(wait_is_answered_by_the_event_while_others_go_on),
		T(a_draining_suspend_is_taken_back_by_a_hang_up),
		T(a_client_that_does_not_read_blocks_nobody),
		T(a_stopped_server_refuses_and_stays),
		T(the_end_with_commands_under_way_is_safe),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
