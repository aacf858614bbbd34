/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the session's programs have mounted. A file system that is also mounted on the machine is the machine's. Those
 * that are only in memory disappear with the session. All others have to be unmounted, and with them whatever is
 * mounted below.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "session/ender_parts.h"

static const char *const mounts_of_memory[] = {
	"tmpfs", "ramfs", "devtmpfs", "proc", "sysfs", "devpts", "mqueue", "cgroup", "cgroup2", "nsfs", "securityfs", "debugfs",
	"tracefs", "bpf", "pstore", "configfs", "efivarfs", "hugetlbfs", "binfmt_misc", "fusectl", "autofs",
};

static bool mounts_have(const struct mountinfo *m, dev_t dev)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->mounts[i].dev == dev)
			return true;
	return false;
}

/* Anybody may call a file system's source what we call ours. */
static bool mounts_is_ours(const struct mount_line *m)
{
	return !strcmp(m->source, "dmuse") && (!strcmp(m->type, "fuse.dmuse") || !strcmp(m->type, "tmpfs"));
}

bool ender_made_here(const struct ender *x, const struct mount_line *m)
{
	return m->dev != x->view && !mounts_have(&x->machine, m->dev) && !mounts_is_ours(m);
}

static bool mounts_keep_data(const struct mount_line *m)
{
	size_t i;

	for (i = 0; i < sizeof(mounts_of_memory) / sizeof(*mounts_of_memory); i++)
		if (!strcmp(m->type, mounts_of_memory[i]))
			return false;
	return true;
}

static bool mounts_own_data(const struct ender *x, const struct mount_line *m)
{
	return ender_made_here(x, m) && mounts_keep_data(m);
}

static const struct mount_line *mounts_parent(const struct ender *x, const struct mount_line *m)
{
	return m->parent == m->id ? NULL : mountinfo_find(&x->here, m->parent);
}

static bool mounts_needed(const struct ender *x, const struct mount_line *m)
{
	while (m && !mounts_own_data(x, m))
		m = mounts_parent(x, m);
	return m;
}

int ender_look(struct ender *x)
{
	size_t i;
	int r;

	mountinfo_free(&x->here);
	free(x->needed);
	x->n_needed = 0;
	x->needed = NULL;
	r = mountinfo_read(&x->here, "/proc/self/mountinfo");
	if (r)
		return r;
	x->needed = calloc(x->here.n + 1, sizeof(*x->needed));
	if (!x->needed)
		return -ENOMEM;
	for (i = 0; i < x->here.n; i++)
		x->n_needed += x->needed[i] = mounts_needed(x, &x->here.mounts[i]);
	return 0;
}

static bool mounts_is_below(const struct ender *x, const struct mount_line *m, const struct mount_line *top)
{
	while (m && m != top)
		m = mounts_parent(x, m);
	return m;
}

/* Is there a mount with data of its own below M, or with DATA false, any mount? */
static bool mounts_have_below(const struct ender *x, const struct mount_line *m, bool data)
{
	size_t i;

	for (i = 0; i < x->here.n; i++) {
		const struct mount_line *other = &x->here.mounts[i];

		if (other != m && (!data || mounts_own_data(x, other)) && mounts_is_below(x, other, m))
			return true;
	}
	return false;
}

/* A file system that does not answer may keep either call from returning; and by then the mount may be in no list any more. */
static bool mounts_take(const struct ender *x, const struct mount_line *m, int flags)
{
	bool taken;

	snprintf(x->place, ENDER_PATH, "%s", m->path);
	taken = mountinfo_top(m->path) == m->id && !umount2(m->path, UMOUNT_NOFOLLOW | flags);
	*x->place = '\0';
	return taken;
}

/*
 * Detaches mounts that are only in the way, such as a bind of /dev in a directory that becomes a root, with everything
 * below. In a user namespace their parts cannot be unmounted one by one.
 */
static bool mounts_clear(struct ender *x)
{
	bool any = false;
	size_t i;

	for (i = 0; i < x->here.n; i++) {
		const struct mount_line *m = &x->here.mounts[i];

		if (x->needed[i] && !mounts_own_data(x, m) && !mounts_have_below(x, m, true))
			any |= mounts_take(x, m, MNT_DETACH);
	}
	return any;
}

/* From the last to the first: the last mount is not covered by others. */
static bool mounts_pass(struct ender *x)
{
	bool any = false;
	size_t i;

	for (i = x->here.n; i--;) {
		const struct mount_line *m = &x->here.mounts[i];

		if (x->needed[i] && mounts_own_data(x, m) && !mounts_have_below(x, m, false))
			any |= mounts_take(x, m, 0);
	}
	return any;
}

bool ender_unmount(struct ender *x)
{
	bool any = false;

	while (!ender_look(x) && x->n_needed && (mounts_clear(x) || mounts_pass(x)))
		any = true;
	return any;
}

void ender_unmount_lazily(struct ender *x)
{
	size_t i;

	if (ender_look(x))
		return;
	for (i = x->here.n; i--;)
		if (x->needed[i])
			mounts_take(x, &x->here.mounts[i], MNT_DETACH);
}

const struct mount_line *ender_mount_of(const struct ender *x, const char *path)
{
	const struct mount_line *best = NULL;
	size_t i, n;

	for (i = 0; i < x->here.n; i++) {
		n = strlen(x->here.mounts[i].path);
		if (x->needed[i] && !strncmp(path, x->here.mounts[i].path, n) && (path[n] == '/' || !path[n]))
			best = &x->here.mounts[i];
	}
	return best;
}
