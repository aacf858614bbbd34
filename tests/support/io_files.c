/* SPDX-License-Identifier: BSD-2-Clause */
/* See io_files.h. */
#include "support/io_files.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "fronts/fuse/fuse.h"
#include "support/inside.h"
#include "support/temp.h"

static struct fixture *fixture;
static struct fuse_front *front;
static bool stopped, usable;
static char program[TEMP_PATH];	/* a copy of this one, where other users can run it */

static void front_stopped(void *arg)
{
	(void)arg;
	stopped = true;
}

/* The build directory may not be accessible to the other user. */
static int copy_program(void)
{
	int to = mkstemp(temp_template(program, "io")), from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;	/* sendfile(2) also goes from one file system to another */

	if (to < 0 || from < 0 || fchmod(to, 0755))
		return -errno;
	while (n > 0)
		n = sendfile(to, from, NULL, 1 << 30);
	close(from);
	return close(to) || n ? -errno : 0;
}

int io_begin(struct fixture *f, bool as_user)
{
	struct err e = { 0 };
	int fd = geteuid() ? -EPERM : inside_begin(as_user);

	fixture = f;
	if (fd >= 0 && copy_program()) {
		fd = -errno;
		inside_end();
	}
	usable = fd >= 0;
	if (!usable) {
		printf("# skip: there is no view here: %s\n", strerror(-fd));
		return 0;
	}
	if (as_user && seteuid(INSIDE_USER))
		return -1;
	fixture_begin(f, 2, AIO_AUTO);
	assert_int_equal(fuse_front_new(&front, f->world, &e), 0);
	assert_int_equal(fuse_front_dev(front, fd, inside_pid(), &e), 0);
	return 0;
}

int io_end(void **state)
{
	(void)state;
	if (!usable)
		return 0;
	if (seteuid(0))
		return -1;
	inside_end();
	unlink(program);
	stopped = false;
	fuse_front_stop(front, front_stopped, NULL);
	while (!stopped)
		loop_turn(fixture->loop, -1);
	fuse_front_free(front);
	fixture_end(fixture);
	return 0;
}

int io_clean(void **state)
{
	(void)state;
	return usable ? verb(fixture, DM_DO_REMOVE_ALL, NULL, 0, NULL) : 0;
}

void io_need(void)
{
	if (!usable)
		skip();
}

void device(const char *name, const char *table)
{
	io_need();
	assert_int_equal(create(fixture, name, table, NULL), 0);
}

void gone(const char *name)
{
	assert_int_equal(verb(fixture, DM_DO_REMOVE, name, 0, NULL), 0);
}

void script(const char *text, const char *wanted)
{
	char all[6000], *got;

	io_need();
	snprintf(all, sizeof(all), "PROGRAM=%s; export PROGRAM; %s", program, text);
	got = inside_sh(fixture, all);
	if (strcmp(got, wanted))
		print_error("# $ %s\n", text);
	assert_string_equal(got, wanted);
	free(got);
}

void does(const char *how, const char *path, const char *words, const char *wanted)
{
	char text[4096];

	snprintf(text, sizeof(text), "exec 2>/dev/null; $PROGRAM %s %s %s", how, path, words);
	script(text, wanted);
}

void asks(const char *path, unsigned cmd, unsigned width, unsigned long long wanted)
{
	char words[80], value[40];

	snprintf(words, sizeof(words), "get:%u:%u", cmd, width);
	snprintf(value, sizeof(value), "%llu", wanted);
	does("r", path, words, value);
}
