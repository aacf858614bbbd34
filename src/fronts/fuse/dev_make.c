/* SPDX-License-Identifier: BSD-2-Clause */
/* Creating things in the view: directories, links, files, pipes, sockets, nodes. They are kept in memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "fronts/fuse/dev.h"
#include "fronts/fuse/dev_private.h"

/* 0, or why NAME, with a target of so many bytes, cannot be made in DIR. */
static int make_check(struct dev_node *dir, const char *name, size_t target)
{
	const struct dev_view *v = dir->view;

	if (dir->live && dir->device)
		return EPERM;		/* a device's own */
	if (strlen(name) > DEV_NAME_MAX)
		return ENAMETOOLONG;
	if (dev_entry_get(dir, name))
		return EEXIST;
	return v->n_made >= DEV_NAMES_MAX || target > DEV_FILES_MAX - v->n_bytes ? ENOSPC : 0;
}

static struct dev_node *make_node(struct fuse_ask *a, struct dev_node *dir, const char *target)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(a->req);
	struct dev_node *n = dev_node_new(dir->view, a->mode, 0);

	if (!n)
		return NULL;
	n->uid = ctx->uid;
	n->gid = ctx->gid;
	n->rdev = a->rdev;
	if (target && (n->data = strdup(target))) {
		n->len = strlen(target);
		dir->view->n_bytes += n->len;
	}
	if (n->data)
		fuse_state_data(n, 0, n->len);
	if ((target && !n->data) || !dev_entry_new(dir, a->name, n)) {
		dev_node_check(n);
		return NULL;
	}
	dev_touch(dir);
	return n;
}

/* What a daemon that was killed has made already, or NULL. */
static struct dev_node *make_done(const struct fuse_ask *a)
{
	const struct fuse_done *d = fuse_done_find(a->mount, a->unique);

	return d ? dev_node_find(a->mount->view, d->node) : NULL;
}

/* NULL: A is answered. */
static struct dev_node *make_it(struct fuse_ask *a)
{
	const char *target = S_ISLNK(a->mode) ? a->name + strlen(a->name) + 1 : NULL;
	struct dev_node *dir = dev_ask_dir(a, a->ino), *n = NULL;
	int err;

	if (!dir)
		return NULL;
	err = make_check(dir, a->name, target ? strlen(target) : 0);
	if (!err && !(n = make_node(a, dir, target)))
		err = ENOMEM;
	if (!err)
		fuse_done_put(a->mount, a->unique, n->id);
	fuse_state_commit(a->mount->front);
	if (err)
		fuse_reply_err(a->req, err);
	return n;
}

static void make_answer(struct fuse_ask *a)
{
	struct dev_node *n = make_done(a);

	if (!n)
		n = make_it(a);
	if (n)
		dev_reply_entry(a->req, n);
}

/* The kernel has not asked for it, and keeps no word of it. */
static void make_ioctl_answer(struct fuse_ask *a)
{
	if (make_done(a) || make_it(a))
		fuse_reply_ioctl(a->req, 0, NULL, 0);
}

static void make_ask(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev, void (*answer)(struct fuse_ask *a))
{
	struct fuse_ask *a = fuse_ask_new(req, parent, name, strlen(name) + 1, strlen(name) + 1, answer);

	if (!a)
		return;
	a->mode = mode;
	a->rdev = rdev;
	fuse_ask_send(a);
}

void dev_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	make_ask(req, parent, name, mode, rdev, make_answer);
}

/* From the supervisor. For anybody but root this ioctl does not exist. */
void dev_mknod_ioctl(fuse_req_t req, fuse_ino_t parent, const void *in, size_t in_size)
{
	struct dmuse_mknod m;

	if (in_size != sizeof(m) || fuse_req_ctx(req)->uid) {
		fuse_reply_err(req, ENOTTY);
		return;
	}
	memcpy(&m, in, sizeof(m));
	m.name[sizeof(m.name) - 1] = '\0';
	if (!*m.name || strchr(m.name, '/') || !strcmp(m.name, ".") || !strcmp(m.name, "..") || (!S_ISBLK(m.mode) && !S_ISCHR(m.mode)))
		fuse_reply_err(req, EINVAL);
	else
		make_ask(req, parent, m.name, m.mode & (S_IFMT | 07777), makedev(m.major, m.minor), make_ioctl_answer);
}

void dev_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	make_ask(req, parent, name, S_IFDIR | (mode & 07777), 0, make_answer);
}

void dev_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	size_t n = strlen(name) + 1;
	struct fuse_ask *a = fuse_ask_new(req, parent, name, n, n + strlen(target) + 1, make_answer);

	if (!a)
		return;
	strcpy(a->name + n, target);
	a->mode = S_IFLNK | 0777;
	fuse_ask_send(a);
}

static void link_answer(struct fuse_ask *a)
{
	struct dev_node *dir = dev_ask_dir(a, a->to), *n;
	int err;

	if (!dir)
		return;
	n = make_done(a);
	if (n) {
		dev_reply_entry(a->req, n);
		return;
	}
	n = dev_node_of(a->mount->view, a->ino);
	err = !n ? ESTALE : n->live || S_ISDIR(n->mode) ? EPERM : make_check(dir, a->name, 0);
	if (!err && !dev_entry_new(dir, a->name, n))
		err = ENOMEM;
	if (err) {
		fuse_reply_err(a->req, err);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &n->ctime);
	dev_touch(dir);
	fuse_done_put(a->mount, a->unique, n->id);
	fuse_state_commit(a->mount->front);
	dev_reply_entry(a->req, n);
}

void dev_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	struct fuse_ask *a = fuse_ask_new(req, ino, name, strlen(name) + 1, strlen(name) + 1, link_answer);

	if (!a)
		return;
	a->to = parent;
	fuse_ask_send(a);
}
