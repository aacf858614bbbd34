/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mknod(2) of one of our devices in an ordinary user's session: the kernel lets nobody do that in a user namespace. In
 * our /dev such a node means nothing to the kernel, and the daemon creates it (`dmsetup create --notable
 * --addnodeoncreate`).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fronts/fuse/dev_private.h"
#include "session/super.h"

struct mknod_args {
	struct call_path dir;		/* of the node */
	struct dmuse_mknod node;
};

/* In the kernel's 32-bit encoding. */
static dev_t mknod_number(uint32_t dev)
{
	return makedev((dev & 0xfff00) >> 8, (dev & 0xff) | ((dev >> 12) & 0xfff00));
}

/* Cuts PATH down to its directory; false: it has no last component. */
static bool mknod_split(char *path, char *name, size_t size)
{
	char *slash = strrchr(path, '/'), *last = slash ? slash + 1 : path;

	if (!*last || (size_t)snprintf(name, size, "%s", last) >= size)
		return false;
	if (slash)
		slash[slash == path] = '\0';
	else
		strcpy(path, ".");
	return true;
}

static bool mknod_args(const struct call *c, struct mknod_args *m)
{
	const __u64 *a = c->req.data.args;
	bool at = c->req.data.nr == SYS_mknodat;
	dev_t number = mknod_number((uint32_t)a[2 + at]);
	struct stat st = { .st_mode = (mode_t)a[1 + at], .st_rdev = number };
	char io_name[32];

	m->dir = (struct call_path){ .at = at ? (int)a[0] : AT_FDCWD, .flags = O_DIRECTORY };
	m->node = (struct dmuse_mknod){ .mode = st.st_mode, .major = major(number), .minor = minor(number) };
	return super_node_name(c->s, &st, io_name) && !target_string(c, a[at], m->dir.path, sizeof(m->dir.path)) &&
	       mknod_split(m->dir.path, m->node.name, sizeof(m->node.name));
}

/* In our /dev, by a caller that would have the right on a machine of its own. */
static bool mknod_may(const struct call *c, struct mknod_args *m, const struct stat *dir)
{
	struct rights r;
	bool may = !rights_of(c, &r) && r.capabilities & (1ULL << CAP_MKNOD) && dir->st_dev == c->s->view &&
		   rights_mode(&r, dir->st_mode, dir->st_uid, dir->st_gid, W_OK | X_OK);

	m->node.mode &= ~r.umask;
	rights_free(&r);
	return may && call_valid(c);
}

static int mknod_do(const struct super *s, int dir, const struct dmuse_mknod *node)
{
	char path[32];
	int fd, r;

	snprintf(path, sizeof(path), "self/fd/%d", dir);
	fd = openat(s->proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = ioctl(fd, DMUSE_IOC_MKNOD, node) ? -errno : 0;
	close(fd);
	return r;
}

void super_mknod(struct call *c)
{
	struct mknod_args m;
	struct stat st;
	int dir = -1, r;

	if (!mknod_args(c, &m))
		return;
	m.dir.opened = &dir;
	if (!super_find(c, &m.dir, &st) && mknod_may(c, &m, &st)) {
		r = mknod_do(c->s, dir, &m.node);
		if (r)
			call_fail(c, r);
		else
			call_value(c, 0);
	}
	if (dir >= 0)
		close(dir);
}

/* libdevmapper gives its nodes to group disk, which an ordinary user's namespace does not have: they stay his. */
void super_chown(struct call *c)
{
	const __u64 *a = c->req.data.args;
	bool at = c->req.data.nr == SYS_fchownat;
	struct call_path p = { .at = at ? (int)a[0] : AT_FDCWD, .flags = at && a[4] & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0 };
	struct stat st;
	char name[32];

	if (target_string(c, a[at], p.path, sizeof(p.path)) || super_find(c, &p, &st) || !super_node_name(c->s, &st, name))
		return;
	if (st.st_dev == c->s->view && call_valid(c))
		call_value(c, 0);
}
