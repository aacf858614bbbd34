/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The newer way to mount: the caller opens a file system context, sets source and options one by one, creates the file
 * system and mounts it. The kernel looks paths up when it creates it, so until then we remember which of them were our
 * devices.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "session/super.h"

#define STEPS 64	/* file systems being set up at the same time; if there are more, the oldest is forgotten */
#define STEPS_PATHS 4

/* One of them: a descriptor of a process. A descriptor that was reused meanwhile has no source of ours. */
struct steps {
	pid_t process;
	int fd;
	uint64_t since;
	char *paths[STEPS_PATHS];	/* the first one is the source */
};

static struct steps steps[STEPS];
static uint64_t steps_count;
static pthread_mutex_t steps_lock = PTHREAD_MUTEX_INITIALIZER;

static void steps_forget(struct steps *s)
{
	for (int i = 0; i < STEPS_PATHS; i++)
		free(s->paths[i]);
	*s = (struct steps){ .process = 0 };
}

static struct steps *steps_find(pid_t process, int fd)
{
	for (int i = 0; i < STEPS; i++)
		if (steps[i].process == process && steps[i].fd == fd)
			return &steps[i];
	return NULL;
}

static struct steps *steps_new(pid_t process, int fd)
{
	struct steps *oldest = &steps[0];

	for (int i = 1; i < STEPS; i++)
		if (steps[i].since < oldest->since)
			oldest = &steps[i];
	steps_forget(oldest);
	*oldest = (struct steps){ .process = process, .fd = fd, .since = ++steps_count };
	return oldest;
}

/* PATH is the source, or another path; NULL: the source is not one of our devices. */
static void steps_note(pid_t process, int fd, bool source, const char *path)
{
	struct steps *s;

	pthread_mutex_lock(&steps_lock);
	s = steps_find(process, fd);
	if (source && s)
		steps_forget(s);
	if (path && (source || !s))
		s = steps_new(process, fd);
	for (int i = source ? 0 : 1; path && i < (source ? 1 : STEPS_PATHS); i++)
		if (!s->paths[i]) {
			s->paths[i] = strdup(path);
			break;
		}
	pthread_mutex_unlock(&steps_lock);
}

static bool steps_take(pid_t process, int fd, struct steps *out)
{
	struct steps *s;

	pthread_mutex_lock(&steps_lock);
	s = steps_find(process, fd);
	if (s) {
		*out = *s;
		*s = (struct steps){ .process = 0 };
	}
	pthread_mutex_unlock(&steps_lock);
	return s;
}

static int fsconfig_source(struct place *p, const struct steps *s)
{
	int r = s->paths[0] ? mount_source(p, s->paths[0], "") : 0;

	for (int i = 1; r > 0 && i < STEPS_PATHS && s->paths[i]; i++) {
		int more = mount_option(p, s->paths[i]);

		r = more ? more : r;
	}
	return r;
}

static int fsconfig_make(struct place *p, unsigned cmd, int fd)
{
	int context = target_getfd(p->c, fd), r = context < 0 ? context : place_enter(p);

	if (!r)
		r = btrfs_scan(p);
	if (!r && fsconfig(context, cmd, NULL, NULL, 0))
		r = -errno;
	if (context >= 0)
		close(context);
	return r;
}

static void fsconfig_create(struct call *c)
{
	const __u64 *a = c->req.data.args;
	struct place p = { .c = c };
	struct steps s;
	int r;

	if (!steps_take(target_process(c), (int)a[0], &s))
		return;
	if (rights_administrate(c) && call_valid(c)) {
		r = fsconfig_source(&p, &s);
		if (r > 0) {
			r = fsconfig_make(&p, (unsigned)a[1], (int)a[0]);
			if (!r)
				call_value(c, 0);
		}
		if (r < 0)
			call_fail(c, r);
		place_free(&p);
	}
	steps_forget(&s);
}

static void fsconfig_string(struct call *c)
{
	const __u64 *a = c->req.data.args;
	char key[16], path[4096], name[32];
	struct stat st;
	bool source, ours;

	if (target_string(c, a[2], key, sizeof(key)) || !a[3] || target_string(c, a[3], path, sizeof(path)))
		return;
	source = !strcmp(key, "source");
	ours = (source || *path == '/') && place_find(c, path, &st, name) == 1;
	if ((source || ours) && rights_administrate(c))
		steps_note(target_process(c), (int)a[0], source, ours ? path : NULL);
}

void super_fsconfig(struct call *c)
{
	if (c->req.data.args[1] == FSCONFIG_SET_STRING)
		fsconfig_string(c);
	else
		fsconfig_create(c);
}
