/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists of /proc in which block devices stand. By whatever path one is opened, the caller gets a file of our file system
 * in its place, which says the same with our devices among the machine's. Nothing is mounted on /proc: the kernel would
 * take it for one that hides something, and let nobody mount another one in a namespace of his own.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "session/super.h"

static const char *const proc_lists[SUPER_LISTS] = { "devices", "diskstats", "partitions" };

void super_proc_begin(struct super *s)
{
	struct stat st;

	s->lists = openat(s->io, "../proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < SUPER_LISTS; i++)
		s->list_is[i] = fstatat(s->proc, proc_lists[i], &st, 0) ? 0 : st.st_ino;
}

/* NULL: none of them, by its number. Files of /proc have no size and lie on no disk. */
static const char *proc_list(const struct super *s, const struct stat *st)
{
	if (!S_ISREG(st->st_mode) || st->st_size || major(st->st_dev) || st->st_dev == s->view)
		return NULL;
	for (size_t i = 0; i < SUPER_LISTS; i++)
		if (st->st_ino == s->list_is[i])
			return proc_lists[i];
	return NULL;
}

/* The same number on another file system is another file. */
static bool proc_is(const struct call *c, const struct call_path *p, const struct stat *st)
{
	struct call_path again = *p;
	struct stat same;
	struct statfs fs;
	int fd = -1;
	bool is;

	again.opened = &fd;
	is = !super_find(c, &again, &same) && same.st_dev == st->st_dev && same.st_ino == st->st_ino && !fstatfs(fd, &fs) &&
	     fs.f_type == PROC_SUPER_MAGIC;
	if (fd >= 0)
		close(fd);
	return is;
}

void super_proc(struct call *c, const struct call_path *p, const struct stat *st)
{
	const char *name = (p->flags & O_ACCMODE) == O_RDONLY ? proc_list(c->s, st) : NULL;
	int fd;

	if (!name || !proc_is(c, p, st) || !target_may(c, st, p->flags) || !call_valid(c))
		return;
	fd = openat(c->s->lists, name, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		call_inject(c, fd, p->flags);
}
