/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is left in the session. A process belongs to it by its mount namespace, or if that is another one, by what is
 * mounted there; what it uses is seen in the links of /proc, reading which accesses no file system.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "session/ender_parts.h"
#include "session/helper.h"
#include "session/holder.h"

#define IO_FILES HOLDER_HIDDEN "/io/"

struct users_scan {
	struct ender *x;
	int proc;			/* /proc/PID: of this one process, whoever has its number later */
	struct user u;
};

static bool users_read_link(int at, const char *name, char *out, size_t room)
{
	ssize_t n = readlinkat(at, name, out, room - 1);

	out[n < 0 ? 0 : n] = '\0';
	return n >= 0;
}

static void users_found(struct users_scan *s, enum user_kind kind, const char *path)
{
	if (kind <= s->u.kind)
		return;
	s->u.kind = kind;
	if (path != s->u.path)
		snprintf(s->u.path, sizeof(s->u.path), "%s", path);
}

/* Appends the first line of FILE to NAME. */
static bool users_read_line(const char *file, char name[ENDER_PATH])
{
	FILE *f = fopen(file, "re");
	bool there = f && fgets(name + strlen(name), (int)(ENDER_PATH - strlen(name)), f);

	if (f)
		fclose(f);
	name[strcspn(name, "\n")] = '\0';
	return there;
}

/* The device of an io file, as people know it: /dev/mapper/NAME, or /dev/NAME for a disk. */
static void users_found_device(struct users_scan *s, const char *number)
{
	char path[64], name[ENDER_PATH] = "/dev/mapper/", link[ENDER_PATH];

	snprintf(path, sizeof(path), "/sys/dev/block/%.20s/dm/name", number);
	if (!users_read_line(path, name)) {
		path[strlen(path) - strlen("/dm/name")] = '\0';
		users_read_link(AT_FDCWD, path, link, sizeof(link));
		snprintf(name, sizeof(name), "/dev/%.200s", strrchr(link, '/') ? strrchr(link, '/') + 1 : number);
	}
	users_found(s, USER_DATA, name);
}

static bool users_is_loop(const struct ender *x, const char *path)
{
	int number;
	size_t i;

	if (sscanf(path, "/dev/loop%d", &number) != 1)
		return false;
	for (i = 0; i < x->n_loops; i++)
		if (x->loops[i] == number)
			return true;
	return false;
}

/* PATH is open or mapped. */
static void users_path(struct users_scan *s, const char *path)
{
	const size_t io = strlen(IO_FILES), run = strlen(HOLDER_RUN "/");

	if (*path != '/')
		return;
	if (!strcmp(path, IO_FILES "control") || !strncmp(path, HOLDER_RUN "/", run) || strstr(path, "/libdevmapper"))
		users_found(s, USER_TOOL, path);
	else if (!strncmp(path, IO_FILES, io))
		users_found_device(s, path + io);
	else if (ender_mount_of(s->x, path) || users_is_loop(s->x, path))
		users_found(s, USER_DATA, path);
}

/* A descriptor of /dev/fuse: the process serves a file system, or is about to finish because that was unmounted. */
static void users_fuse(struct users_scan *s, int fds, const char *name, const char *path)
{
	const char *last = strrchr(path, '/');
	struct stat st;

	if (last && !strcmp(last, "/fuse") && !fstatat(fds, name, &st, 0) && S_ISCHR(st.st_mode) && st.st_rdev == makedev(10, 229))
		users_found(s, USER_SERVER, s->u.kind == USER_DATA ? s->u.path : path);
}

/* On a loop device of the session, but on no visible mount: it was unmounted lazily. */
static void users_detached(struct users_scan *s, int at, const char *name, const char *path)
{
	struct statx is;
	size_t i;

	if (!s->x->n_loops || *path != '/' || statx(at, name, AT_STATX_DONT_SYNC, 0, &is) || is.stx_dev_major != 7)
		return;
	for (i = 0; i < s->x->n_loops; i++)
		if (s->x->loops[i] == (int)is.stx_dev_minor)
			users_found(s, USER_DATA, path);
}

/* Is it a file of the session's /dev, by whatever path? */
static bool users_of_view(const struct users_scan *s, int fds, const char *name)
{
	struct statx is;

	return !statx(fds, name, AT_STATX_DONT_SYNC, STATX_TYPE, &is) && makedev(is.stx_dev_major, is.stx_dev_minor) == s->x->view;
}

/*
 * In another mount namespace, with nothing of the session mounted there any more: has the process one of its devices open? By a
 * path it would not be told from one of another session.
 */
static bool users_hold_device(struct users_scan *s)
{
	int fd = openat(s->proc, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	char path[ENDER_PATH], *at;
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (users_read_link(dirfd(d), entry->d_name, path, sizeof(path)) && (at = strstr(path, "/.dmuse/io/")) &&
		    strchr(at, ':') && users_of_view(s, dirfd(d), entry->d_name))
			users_found_device(s, at + strlen("/.dmuse/io/"));
	if (d)
		closedir(d);
	return s->u.kind;
}

static void users_descriptors(struct users_scan *s)
{
	int fd = openat(s->proc, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	char path[ENDER_PATH];
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		if (*entry->d_name == '.' || !users_read_link(dirfd(d), entry->d_name, path, sizeof(path)))
			continue;
		users_path(s, path);
		users_detached(s, dirfd(d), entry->d_name, path);
		users_fuse(s, dirfd(d), entry->d_name, path);
	}
	if (d)
		closedir(d);
}

static void users_mapped(struct users_scan *s)
{
	int fd = openat(s->proc, "maps", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	char *line = NULL, *path;
	size_t room = 0;

	while (f && s->u.kind < USER_DATA && getline(&line, &room, f) > 0) {
		path = strchr(line, '/');
		if (!path)
			continue;
		path[strcspn(path, "\n")] = '\0';
		users_path(s, path);
	}
	free(line);
	if (f)
		fclose(f);
}

static void users_places(struct users_scan *s)
{
	static const char *const links[] = { "cwd", "root", "exe" };
	char path[ENDER_PATH];
	size_t i;

	for (i = 0; i < sizeof(links) / sizeof(*links); i++) {
		if (!users_read_link(s->proc, links[i], path, sizeof(path)))
			continue;
		if (ender_mount_of(s->x, path))
			users_found(s, USER_DATA, path);
		else
			users_detached(s, s->proc, links[i], path);
	}
}

/* A file system that has to be unmounted, or one on such a loop device. */
static bool users_needed(const struct ender *x, const struct mount_line *m)
{
	size_t i;

	for (i = 0; i < x->n_loops; i++)
		if (m->dev == makedev(7, x->loops[i]))
			return true;
	for (i = 0; i < x->here.n; i++)
		if (x->needed[i] && x->here.mounts[i].dev == m->dev)
			return ender_made_here(x, m);
	return false;
}

/* In another mount namespace: was it made in this session, and does it keep anything that has to be unmounted? */
static bool users_is_further(struct users_scan *s)
{
	struct mountinfo m;
	char file[48];
	bool ours = false;
	size_t i;

	snprintf(file, sizeof(file), "/proc/self/fd/%d/mountinfo", s->proc);
	if (mountinfo_read(&m, file))
		m.n = 0;
	for (i = 0; i < m.n; i++) {
		ours = ours || m.mounts[i].dev == s->x->view;
		if (users_needed(s->x, &m.mounts[i]))
			users_found(s, USER_DATA, m.mounts[i].path);
	}
	mountinfo_free(&m);
	return ours || s->u.kind;
}

static void users_read_name(struct users_scan *s)
{
	int fd = openat(s->proc, "comm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, s->u.name, sizeof(s->u.name) - 1);

	s->u.name[n < 0 ? 0 : n] = '\0';
	s->u.name[strcspn(s->u.name, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}

static void users_look_at(struct users_scan *s)
{
	char ns[64];

	users_read_name(s);
	if (!users_read_link(s->proc, "ns/mnt", ns, sizeof(ns)) || !strcmp(ns, s->x->machine_ns))
		return;
	if (helper_is(s->proc)) {
		s->x->frozen |= !strcmp(s->u.name, HELPER_FREEZER) && !strcmp(ns, s->x->ns);
		return;
	}
	if (strcmp(ns, s->x->ns) && !users_is_further(s) && !users_hold_device(s))
		return;
	users_found(s, USER_IDLE, "");
	users_places(s);
	users_descriptors(s);
	users_mapped(s);
}

/* False: there is no such process. */
static bool users_look(struct users_scan *s)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d", (int)s->u.pid);
	s->proc = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->proc >= 0)
		users_look_at(s);
	return s->proc >= 0;
}

static void users_keep(struct ender *x, const struct user *u)
{
	struct user *more = u->kind == USER_NONE ? NULL : realloc(x->users, (x->n_users + 1) * sizeof(*more));

	if (!more)
		return;
	x->users = more;
	x->users[x->n_users++] = *u;
	x->n_data += u->kind >= USER_DATA;
}

void ender_find_users(struct ender *x)
{
	DIR *d = opendir("/proc");
	struct dirent *entry;

	x->n_users = x->n_data = 0;
	x->frozen = false;
	while (d && (entry = readdir(d))) {
		struct users_scan s = { .x = x, .u.pid = (pid_t)atol(entry->d_name) };

		if (!isdigit((unsigned char)*entry->d_name) || !users_look(&s))
			continue;
		close(s.proc);
		users_keep(x, &s.u);
	}
	if (d)
		closedir(d);
}

/* By the descriptor through which it was looked at again: by its number, another process could be hit. */
void ender_signal_user(struct ender *x, const struct user *u, int signal)
{
	struct users_scan s = { .x = x, .u.pid = u->pid };

	if (!users_look(&s))
		return;
	if (s.u.kind == u->kind)
		syscall(SYS_pidfd_send_signal, s.proc, signal, NULL, 0);
	close(s.proc);
}
