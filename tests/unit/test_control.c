/* SPDX-License-Identifier: BSD-2-Clause */
/* Clients of the control socket: order, hang-ups, garbage, slow readers, other users, the daemon's end. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "proto/dict_client.h"
#include "support/client.h"

#define COMMAND(c) "<key>command</key><string>" c "</string>"
#define NAME(n) "<key>name</key><string>" n "</string>"
#define EVENT_0 "<key>event_nr</key><integer>0</integer>"
#define TABLE(t) "<key>table</key><string>" t "</string>"

#define NETBSD_ESHUTDOWN 58

/* A sanitizer report or a lost event must end the test, not hang it. */
#define LIMIT 60

static int begin(void **state)
{
	struct server *s = calloc(1, sizeof(*s));

	alarm(LIMIT);
	server_begin(s, false);
	*state = s;
	return 0;
}

static int begin_open(void **state)
{
	struct server *s = calloc(1, sizeof(*s));

	alarm(LIMIT);
	server_begin(s, true);
	*state = s;
	return 0;
}

static int end(void **state)
{
	server_end(*state);
	free(*state);
	return 0;
}

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

static void bytes_may_come_one_by_one(void **state)
{
	static const char xml[] = "<plist version=\"1.0\"><dict>" COMMAND("version") "</dict></plist>";
	struct server *s = *state;
	uint32_t head = htonl(sizeof(xml) - 1);
	int fd = client_new(s);
	plist_t r;
	size_t i;

	for (i = 0; i < sizeof(head); i++) {
		client_send(s, fd, (char *)&head + i, 1);
		loop_turn(s->f.loop, 0);
	}
	for (i = 0; i < sizeof(xml) - 1; i++) {
		client_send(s, fd, xml + i, 1);
		loop_turn(s->f.loop, 0);
	}
	r = client_reply(s, fd);
	assert_int_equal(reply_errno(r), 0);
	plist_free(r);
	close(fd);
}

/* One sentence, then the connection ends. */
static void refused_for_good(struct server *s, const void *bytes, size_t n, const char *part)
{
	int fd = client_new(s);
	plist_t r;

	client_send(s, fd, bytes, n);
	r = client_reply(s, fd);
	assert_non_null(r);
	assert_int_equal(reply_errno(r), EIO);
	if (!strstr(reply_text(r, "error"), part))
		fail_msg("'%s' does not say '%s'", reply_text(r, "error"), part);
	plist_free(r);
	assert_null(client_reply(s, fd));
	close(fd);
}

static void garbage_gets_a_sentence_and_is_closed(void **state)
{
	struct server *s = *state;

	refused_for_good(s, "GET / HTTP/1.1\r\n\r\n", 18, "message of 1195725856 bytes");
	refused_for_good(s, "\xff\xff\xff\xff", 4, "4294967295 bytes");
	refused_for_good(s, "\x10\x00\x00\x01", 4, "268435457 bytes");
	refused_for_good(s, "\0\0\1\0bplist00whatever", 20, "binary");
	refused_for_good(s, "\0\0\1\0garbage", 11, "not an XML property list");
	refused_for_good(s, "\0\0\1\0\0\0\0\0\0\0", 10, "not an XML property list");
}

/* The framing is intact, so the connection continues. */
static void a_bad_dictionary_does_not_end_the_connection(void **state)
{
	struct server *s = *state;
	int fd = client_new(s);
	char sentence[ERR_TEXT];

	assert_int_equal(client_ask(s, fd, "<key>command</key><integer>12x</integer>", sentence), EIO);
	assert_non_null(strstr(sentence, "byte"));
	assert_int_equal(client_ask(s, fd, COMMAND("frobnicate"), sentence), EINVAL);
	assert_non_null(strstr(sentence, "'frobnicate'"));
	assert_int_equal(client_ask(s, fd, COMMAND("version"), NULL), 0);
	close(fd);
}

static void an_empty_message_is_answered(void **state)
{
	struct server *s = *state;
	int fd = client_new(s);
	plist_t r;

	client_send(s, fd, "\0\0\0\0", 4);
	r = client_reply(s, fd);
	assert_int_equal(reply_errno(r), EIO);
	plist_free(r);
	assert_int_equal(client_ask(s, fd, COMMAND("version"), NULL), 0);
	close(fd);
}

static void half_a_message_and_hang_up(void **state)
{
	struct server *s = *state;
	int other = client_new(s), fd;
	size_t n;

	for (n = 1; n < 20; n++) {
		fd = client_new(s);
		client_send(s, fd, "\0\0\1\0<?xml version=\"1.0\"?>", n);
		close(fd);
		assert_int_equal(client_ask(s, other, COMMAND("version"), NULL), 0);
	}
	close(other);
}

/* A client that has only stopped sending still reads. */
static void half_a_message_and_no_more(void **state)
{
	struct server *s = *state;
	int fd = client_new(s);
	plist_t r;

	client_send(s, fd, "\0\0\1\0<?xml", 9);
	shutdown(fd, SHUT_WR);
	r = client_reply(s, fd);
	assert_int_equal(reply_errno(r), EIO);
	assert_non_null(strstr(reply_text(r, "error"), "after 5 of 256 bytes"));
	plist_free(r);
	assert_null(client_reply(s, fd));
	close(fd);
}

static void a_client_that_stops_sending_gets_its_replies(void **state)
{
	struct server *s = *state;
	int fd = client_new(s);
	plist_t r;

	client_request(s, fd, COMMAND("version"));
	client_request(s, fd, COMMAND("names"));
	shutdown(fd, SHUT_WR);
	r = client_reply(s, fd);
	assert_int_equal(reply_errno(r), 0);
	plist_free(r);
	r = client_reply(s, fd);
	assert_string_equal(reply_text(r, "command"), "names");
	plist_free(r);
	assert_null(client_reply(s, fd));
	close(fd);
}

static void an_announced_message_costs_no_memory(void **state)
{
	struct server *s = *state;
	int fds[64], other = client_new(s);
	struct rusage before, after;
	size_t i;

	getrusage(RUSAGE_SELF, &before);
	for (i = 0; i < 64; i++) {
		fds[i] = client_new(s);
		client_send(s, fds[i], "\x10\0\0\0<?xml version=\"1.0\"?>", 25);
	}
	assert_int_equal(client_ask(s, other, COMMAND("version"), NULL), 0);
	getrusage(RUSAGE_SELF, &after);
	assert_true(after.ru_maxrss - before.ru_maxrss < 32 << 10);	/* in KiB; they announced 16 GiB */
	for (i = 0; i < 64; i++)
		close(fds[i]);
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

/* What a client of another user gets: the reply's errno, or 1000 if it cannot connect at all. */
static unsigned stranger(const char *path, const char *command, bool reset)
{
	plist_t request = plist_new_dict(), data = plist_new_array(), reply;
	struct err e = ERR_INIT;
	uint64_t code = 2000;
	int fd;

	if (setuid(65534))
		return 3000;
	fd = dict_connect(path, &e);
	if (fd < 0)
		return 1000;
	plist_dict_set_item(request, "command", plist_new_string(command));
	plist_dict_set_item(request, "name", plist_new_string("d"));
	plist_dict_set_item(request, "message", plist_new_string("hello"));
	if (!strcmp(command, "rename") || !strcmp(command, "set_uuid")) {
		plist_array_append_item(data, plist_new_string("new"));
		plist_dict_set_item(request, "cmd_data", data);
	} else {
		plist_dict_set_item(request, "table", plist_new_string("0 8 zero"));
	}
	if (reset)
		plist_dict_set_item(request, "reset", plist_new_bool(1));
	if (!dict_call(fd, request, &reply, &e)) {
		code = plist_uint(plist_dict_get_item(reply, "errno"));
		plist_free(reply);
	}
	plist_free(request);
	return (unsigned)code;
}

struct pipe_watch {
	struct loop_watch watch;
	unsigned code;
	bool over;
};

static void pipe_ready(struct loop_watch *w, uint32_t events)
{
	struct pipe_watch *p = container(w, struct pipe_watch, watch);

	(void)events;
	p->over = true;
	assert_int_equal(read(w->fd, &p->code, sizeof(p->code)), sizeof(p->code));
}

static unsigned ask_as_stranger(struct server *s, const char *command, bool reset)
{
	struct pipe_watch p = { .watch = { .events = EPOLLIN, .ready = pipe_ready } };
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (!pid) {
		unsigned code = stranger(s->path, command, reset);

		_exit(write(ends[1], &code, sizeof(code)) != sizeof(code));
	}
	p.watch.fd = ends[0];
	loop_watch(s->f.loop, &p.watch);
	while (!p.over)
		loop_turn(s->f.loop, -1);
	loop_unwatch(s->f.loop, &p.watch);
	waitpid(pid, NULL, 0);
	close(ends[0]);
	close(ends[1]);
	return p.code;
}

static void others_do_not_get_in(void **state)
{
	struct server *s = *state;
	char directory[64];

	if (geteuid()) {
		print_message("# skip: this takes root, to play another user\n");
		skip();
	}
	strcpy(directory, s->directory);
	assert_int_equal(chmod(directory, 0755), 0);
	assert_int_equal(ask_as_stranger(s, "version", false), 1000);
	assert_int_equal(chmod(s->path, 0666), 0);	/* a user who gets past the mode is refused by uid */
	assert_int_equal(ask_as_stranger(s, "version", false), EPERM);
}

static void others_may_only_ask(void **state)
{
	static const char *const asks[] = { "version", "targets", "stores", "info", "mknodes", "names", "status", "table",
					    "deps", "stats" };
	static const char *const changes[] = { "create", "suspend", "resume", "reload", "clear", "remove", "remove_all",
					       "rename", "set_uuid", "message", "check", "shutdown" };
	struct server *s = *state;
	int fd = client_new(s);
	size_t i;

	if (geteuid()) {
		print_message("# skip: this takes root, to play another user\n");
		skip();
	}
	assert_int_equal(chmod(s->directory, 0755), 0);
	assert_int_equal(client_ask(s, fd, COMMAND("create") NAME("d") TABLE("0 8 zero"), NULL), 0);
	for (i = 0; i < sizeof(asks) / sizeof(*asks); i++)
		if (ask_as_stranger(s, asks[i], false))
			fail_msg("'%s' is refused", asks[i]);
	for (i = 0; i < sizeof(changes) / sizeof(*changes); i++)
		if (ask_as_stranger(s, changes[i], false) != EPERM)
			fail_msg("'%s' is not refused", changes[i]);
	assert_int_equal(ask_as_stranger(s, "stats", true), EPERM);
	assert_int_equal(client_ask(s, fd, COMMAND("info") NAME("d"), NULL), 0);
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
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		T(a_disk_from_beginning_to_end),
		T(pipelined_requests_are_answered_in_order),
		T(what_is_sent_ahead_of_a_wait_is_answered_before_it),
		T(bytes_may_come_one_by_one),
		T(garbage_gets_a_sentence_and_is_closed),
		T(a_bad_dictionary_does_not_end_the_connection),
		T(an_empty_message_is_answered),
		T(half_a_message_and_hang_up),
		T(half_a_message_and_no_more),
		T(a_client_that_stops_sending_gets_its_replies),
		T(an_announced_message_costs_no_memory),
		T(wait_is_cancelled_by_a_hang_up),
		T(wait_is_answered_by_the_event_while_others_go_on),
		T(a_draining_suspend_is_taken_back_by_a_hang_up),
		T(a_client_that_does_not_read_blocks_nobody),
		T(others_do_not_get_in),
		cmocka_unit_test_setup_teardown(others_may_only_ask, begin_open, end),
		T(a_stopped_server_refuses_and_stays),
		T(the_end_with_commands_under_way_is_safe),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
