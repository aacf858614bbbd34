/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The socket's file (base/own_socket.c), for the control socket: its mode, what exists there already, two daemons at
 * once, a socket that was passed in.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/own_socket.h"
#include "support/client.h"
#include "support/temp.h"

struct place {
	char directory[TEMP_PATH], path[TEMP_PATH + 16], lock[TEMP_PATH + 24];
	struct own_socket s;
	struct err e;
};

static int socket_new(struct own_socket *s, const char *path, bool others, struct err *e)
{
	const struct own_socket_opts o = { .name = "control", .path = path, .lock = true, .others = others };

	return own_socket_new(s, &o, e);
}

static int begin(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(mkdtemp(temp_template(p->directory, "socket")));
	snprintf(p->path, sizeof(p->path), "%s/control", p->directory);
	snprintf(p->lock, sizeof(p->lock), "%s.lock", p->path);
	*state = p;
	return 0;
}

/* Nothing may be left in the directory. */
static int end(void **state)
{
	struct place *p = *state;

	assert_int_equal(rmdir(p->directory), 0);
	free(p);
	return 0;
}

static void make(struct place *p)
{
	if (socket_new(&p->s, p->path, false, &p->e))
		fail_msg("%s", p->e.text);
}

static void refused(struct place *p, int code, const char *part)
{
	struct own_socket other;

	assert_int_equal(socket_new(&other, p->path, false, &p->e), code);
	if (!strstr(p->e.text, part))
		fail_msg("'%s' does not say '%s'", p->e.text, part);
}

static unsigned mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 0777;
}

static bool there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* A socket on which nobody listens any more, as left by a daemon that was killed. */
static void leave_dead_socket(const struct place *p)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(at.sun_path, p->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	close(fd);
}

static void only_its_owner_may_connect(void **state)
{
	struct place *p = *state;
	mode_t was = umask(0);

	make(p);
	umask(was);
	assert_int_equal(mode_of(p->path), 0600);
	assert_int_equal(mode_of(p->lock), 0600);
	own_socket_free(&p->s);
	assert_false(there(p->path));
	assert_false(there(p->lock));
}

static void others_may_if_that_is_wanted(void **state)
{
	struct place *p = *state;
	mode_t was = umask(077);

	assert_int_equal(socket_new(&p->s, p->path, true, &p->e), 0);
	umask(was);
	assert_int_equal(mode_of(p->path), 0666);
	assert_int_equal(mode_of(p->lock), 0600);
	own_socket_free(&p->s);
}

static void a_dead_socket_is_replaced(void **state)
{
	struct place *p = *state;

	leave_dead_socket(p);
	make(p);
	own_socket_free(&p->s);
}

static void so_is_a_dead_lock(void **state)
{
	struct place *p = *state;

	close(open(p->lock, O_CREAT | O_RDWR, 0600));
	leave_dead_socket(p);
	make(p);
	own_socket_free(&p->s);
}

static void a_second_daemon_is_refused(void **state)
{
	struct place *p = *state;

	make(p);
	refused(p, -EADDRINUSE, p->path);
	assert_true(there(p->path));
	own_socket_deafen(&p->s);	/* it is ending, and still writes to its disks */
	refused(p, -EADDRINUSE, p->path);
	own_socket_free(&p->s);
	make(p);
	own_socket_free(&p->s);
}

/* A server that got its socket from systemd has no lock. */
static void one_that_is_ending_is_waited_for(void **state)
{
	struct place *p = *state;

	make(p);
	assert_false(own_socket_is_ending(p->path));
	own_socket_deafen(&p->s);
	assert_true(own_socket_is_ending(p->path));
	refused(p, -EADDRINUSE, "has not ended yet: try again when it has");
	own_socket_free(&p->s);
	assert_false(own_socket_is_ending(p->path));
	own_socket_await_end(p->path);
	make(p);
	own_socket_free(&p->s);
}

static void one_without_a_lock_is_noticed_too(void **state)
{
	struct place *p = *state;
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(at.sun_path, p->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 0), 0);
	refused(p, -EADDRINUSE, p->path);
	refused(p, -EADDRINUSE, p->path);	/* its queue is full now, for which the kernel has another error */
	assert_false(there(p->lock));
	close(fd);
	unlink(p->path);
}

static void what_is_no_socket_stays(void **state)
{
	struct place *p = *state;

	close(open(p->path, O_CREAT | O_RDWR, 0600));
	refused(p, -EEXIST, "is not a socket");
	assert_true(there(p->path));
	assert_false(there(p->lock));
	unlink(p->path);
}

static void paths_that_cannot_be(void **state)
{
	struct place *p = *state, bad = *p;
	char longer[200];

	snprintf(bad.path, sizeof(bad.path), "%s/no/control", p->directory);
	refused(&bad, -ENOENT, bad.path);
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(socket_new(&p->s, longer, false, &p->e), -ENAMETOOLONG);
	assert_non_null(strstr(p->e.text, "199 bytes: the limit is 107"));
}

/* Another socket has replaced it, which is not ours to remove. */
static void a_foreign_socket_is_not_removed(void **state)
{
	struct place *p = *state;

	make(p);
	unlink(p->path);
	leave_dead_socket(p);
	own_socket_free(&p->s);
	assert_true(there(p->path));
	unlink(p->path);
}

#define DAEMONS 8
#define ROUNDS 50

struct contest {
	struct place *p;
	pthread_barrier_t start, over;
	int wins[DAEMONS];
};

struct contender {
	struct contest *contest;
	int number;
};

static void *contend(void *arg)
{
	struct contender *me = arg;
	struct contest *c = me->contest;
	struct own_socket s;
	int round, r;

	for (round = 0; round < ROUNDS; round++) {
		pthread_barrier_wait(&c->start);
		r = socket_new(&s, c->p->path, false, NULL);
		c->wins[me->number] = r == 0 ? 1 : r == -EADDRINUSE ? 0 : r;
		pthread_barrier_wait(&c->over);
		if (!r)
			own_socket_free(&s);
	}
	return NULL;
}

static void of_many_at_once_one_wins(void **state)
{
	struct contest c = { .p = *state };
	struct contender who[DAEMONS];
	pthread_t threads[DAEMONS];
	int i, round, sum, bad = 0;

	pthread_barrier_init(&c.start, NULL, DAEMONS + 1);
	pthread_barrier_init(&c.over, NULL, DAEMONS + 1);
	for (i = 0; i < DAEMONS; i++) {
		who[i] = (struct contender){ &c, i };
		pthread_create(&threads[i], NULL, contend, &who[i]);
	}
	for (round = 0; round < ROUNDS; round++) {
		if (round % 2 && !there(c.p->path))
			leave_dead_socket(c.p);
		pthread_barrier_wait(&c.start);
		pthread_barrier_wait(&c.over);
		for (sum = i = 0; i < DAEMONS; i++)
			sum += c.wins[i];
		bad += sum != 1;
	}
	for (i = 0; i < DAEMONS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&c.start);
	pthread_barrier_destroy(&c.over);
	assert_int_equal(bad, 0);
}

static void a_socket_that_was_handed_in_is_used_and_kept(void **state)
{
	struct place *p = *state;
	struct server s = { .control = NULL };
	struct control_opts o = { .path = s.path };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd;

	strcpy(s.path, p->path);
	strcpy(at.sun_path, p->path);
	o.fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(o.fd, (struct sockaddr *)&at, sizeof(at)), 0);
	fixture_begin(&s.f, 1, AIO_POOL);
	assert_int_equal(control_new(&s.control, s.f.world, &o, &p->e), -EINVAL);	/* nobody listens on it yet */
	assert_non_null(strstr(p->e.text, "not a listening socket"));
	assert_int_equal(listen(o.fd, 1), 0);
	assert_int_equal(control_new(&s.control, s.f.world, &o, &p->e), 0);
	control_serve(s.control);
	assert_false(there(p->lock));
	fd = client_new(&s);
	assert_int_equal(client_ask(&s, fd, "<key>command</key><string>version</string>", NULL), 0);
	close(fd);
	control_free(s.control);
	fixture_end(&s.f);
	assert_true(there(p->path));
	unlink(p->path);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		T(only_its_owner_may_connect),
		T(others_may_if_that_is_wanted),
		T(a_dead_socket_is_replaced),
		T(so_is_a_dead_lock),
		T(a_second_daemon_is_refused),
		T(one_that_is_ending_is_waited_for),
		T(one_without_a_lock_is_noticed_too),
		T(what_is_no_socket_stays),
		T(paths_that_cannot_be),
		T(a_foreign_socket_is_not_removed),
		T(of_many_at_once_one_wins),
		T(a_socket_that_was_handed_in_is_used_and_kept),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
