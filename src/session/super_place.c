/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The place where file systems are created on our devices: a mount namespace that contains nothing but nodes of loop
 * devices, at the paths by which the caller knows the devices. The kernel looks a path up once, finds a disk, and from
 * then on shows this path, for example in /proc/mounts.
 *
 * One such namespace is created for each supervisor and kept empty. Each thread that mounts gets a copy of it, with a
 * tmpfs as its root. It is created from scratch and not copied from the session's, because a copy would keep everything
 * in use that is mounted there.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "session/super.h"

#define PLACE_ROOT "/dev"	/* a directory that exists in any session */

static pthread_mutex_t place_lock = PTHREAD_MUTEX_INITIALIZER;

static int place_own(const struct super *s)
{
	int fd = openat(s->proc, "thread-self/ns/mnt", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* In the kernel's lists of mounts a space is written as \040, for example. */
static void place_unescape(char *s)
{
	char *to = s;
	unsigned byte;

	while (*s) {
		if (sscanf(s, "\\%3o", &byte) == 1) {
			*to++ = (char)byte;
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

/* Detaches a mount with everything below. If a line is about such a mount, that fails. */
static void place_detach(char *line)
{
	char *at = line;

	for (int i = 0; i < 4 && at; i++)
		at = strchr(at + 1, ' ');
	if (!at || at[1] != '/' || at[2] == ' ')
		return;
	at[1 + strcspn(at + 1, " ")] = '\0';
	place_unescape(at + 1);
	umount2(at + 1, MNT_DETACH | UMOUNT_NOFOLLOW);
}

static int place_empty(const struct super *s)
{
	int fd = openat(s->proc, "thread-self/mountinfo", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	size_t room = 0;
	char *line = NULL;

	if (!f)
		return -errno;
	while (getline(&line, &room, f) > 0)
		place_detach(line);
	free(line);
	fclose(f);
	return 0;
}

/* Entering one's own mount namespace again sets the root to that of the namespace, whatever it was before. */
static int place_make(const struct super *s)
{
	int ns = unshare(CLONE_NEWNS) ? -errno : place_own(s), r = 0;

	if (ns < 0)
		return ns;
	if (setns(ns, CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		r = -errno;
	if (!r)
		r = place_empty(s);
	if (r)
		close(ns);
	return r ? r : ns;
}

static int place_ready(struct super *s)
{
	int r = 0;

	pthread_mutex_lock(&place_lock);
	if (s->place < 0) {
		r = place_make(s);
		if (r >= 0)
			s->place = r;
	}
	pthread_mutex_unlock(&place_lock);
	return r < 0 ? r : 0;
}

/* Creates all directories of PATH, except for its last component. */
static int place_directories(const char *path)
{
	char *copy = strdup(path);
	int r = copy ? 0 : -ENOMEM;

	for (char *at = copy; !r && at && (at = strchr(at + 1, '/')); *at = '/') {
		*at = '\0';
		if (mkdir(copy, 0755) && errno != EEXIST)
			r = -errno;
	}
	free(copy);
	return r;
}

static int place_node(const struct place_node *n)
{
	int r = place_directories(n->path);

	if (!r && mknod(n->path, n->mode, n->device) && errno != EEXIST)
		r = -errno;
	return r;
}

/* Relative paths are relative to the caller's directory. */
static int place_cwd(const struct call *c)
{
	char what[32], cwd[4096 + 2];
	ssize_t n;

	snprintf(what, sizeof(what), "%u/cwd", c->req.pid);
	n = readlinkat(c->s->proc, what, cwd, 4096);
	if (n < 0 || *cwd != '/')
		return 0;
	cwd[n] = '/';
	cwd[n + 1] = '\0';
	if (place_directories(cwd))
		return 0;
	return chdir(cwd) ? -errno : 0;
}

int place_enter(struct place *p)
{
	struct super *s = p->c->s;
	int r = place_ready(s);

	if (r)
		return r;
	if (setns(s->place, CLONE_NEWNS) || unshare(CLONE_NEWNS) || mount("dmuse", PLACE_ROOT, "tmpfs", 0, "mode=0755") ||
	    chdir(PLACE_ROOT) || chroot("."))
		return -errno;
	r = place_cwd(p->c);
	for (struct place_node *n = p->nodes; !r && n; n = n->next)
		r = place_node(n);
	return r;
}

int place_add(struct place *p, const char *path, mode_t mode, dev_t device, int fd)
{
	struct place_node *n = malloc(sizeof(*n) + strlen(path) + 1);

	if (!n) {
		if (fd >= 0)
			close(fd);
		return -ENOMEM;
	}
	*n = (struct place_node){ .next = p->nodes, .mode = mode, .device = device, .fd = fd };
	strcpy(n->path, path);
	p->nodes = n;
	return 0;
}

int place_find(const struct call *c, const char *path, struct stat *st, char name[32])
{
	struct call_path *p = calloc(1, sizeof(*p));
	int r = p ? 0 : -ENOMEM;

	if (!r) {
		p->at = AT_FDCWD;
		r = strlen(path) < sizeof(p->path) ? 0 : -ENAMETOOLONG;
	}
	if (!r) {
		strcpy(p->path, path);
		r = super_find(c, p, st);
	}
	if (!r)
		r = S_ISBLK(st->st_mode) ? super_reach(c, p, 0, st) : -ENOTBLK;
	free(p);
	if (r)
		return r;
	if (!S_ISBLK(st->st_mode))
		return -ENOTBLK;
	return super_node_name(c->s, st, name);
}

int place_device(struct place *p, const char *path, const char *io_name, bool claim)
{
	struct stat st;
	int fd = loop_get(p->c->s, io_name, path, claim);

	if (fd < 0)
		return fd;
	if (fstat(fd, &st)) {
		close(fd);
		return -errno;
	}
	return place_add(p, path, S_IFBLK | 0600, st.st_rdev, fd);
}

void place_free(struct place *p)
{
	struct place_node *n;

	while ((n = p->nodes)) {
		p->nodes = n->next;
		if (n->fd >= 0)
			close(n->fd);
		free(n);
	}
}
