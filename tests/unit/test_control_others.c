/* SPDX-License-Identifier: BSD-2-Clause */
/* Other users on the control socket: who gets in, and what they may ask. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "proto/dict_client.h"
#include "support/client.h"

#define COMMAND(c) "<key>command</key><string>" c "</string>"
#define NAME(n) "<key>name</key><string>" n "</string>"
#define TABLE(t) "<key>table</key><string>" t "</string>"

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

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, server_setup, server_teardown)
	const struct CMUnitTest tests[] = {
		T(others_do_not_get_in),
		cmocka_unit_test_setup_teardown(others_may_only_ask, server_setup_open, server_teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
