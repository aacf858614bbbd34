/* SPDX-License-Identifier: BSD-2-Clause */
/* The /dev of sessions as a kind of mount: see dev.h. */
#include "fronts/fuse/dev.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct fuse_lowlevel_ops dev_ops = {
	.init = fuse_session_init, .forget = dev_forget,
	.lookup = dev_lookup, .getattr = dev_getattr, .setattr = dev_setattr, .readdir = dev_readdir,
	.readdirplus = dev_readdirplus, .readlink = dev_readlink, .statfs = dev_statfs,
	.mknod = dev_mknod, .mkdir = dev_mkdir, .symlink = dev_symlink, .link = dev_link,
	.unlink = dev_unlink, .rmdir = dev_rmdir, .rename = dev_rename,
	.open = fuse_open, .release = fuse_release,
	.read = dev_read, .write = dev_write, .fsync = dev_fsync, .fallocate = dev_fallocate, .lseek = dev_lseek,
	.ioctl = fuse_dev_ioctl, .poll = dev_poll,
};

static void dev_view_free(struct dev_view *v)
{
	struct hash_link *l, *next;

	dev_shown_free(v);
	if (v->root)
		dev_node_clear(v->root);
	hash_each(l, next, &v->by_id) {
		struct dev_node *n = container(l, struct dev_node, by_id);

		hash_remove(&v->by_id, l);
		fuse_state_node_gone(n);
		free(n->data);
		free(n);
	}
	free(v);
}

static void dev_end(struct fuse_mount *m)
{
	dev_view_free(m->view);
	m->view = NULL;
}

static const struct fuse_kind dev_kind = { .ops = &dev_ops, .open = dev_open, .again = dev_open_again, .close = dev_close, .end = dev_end };

static struct dev_view *dev_view_new(struct fuse_front *f)
{
	struct dev_view *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->front = f;
	if (!dev_tree_grow(v))
		return v;
	dev_view_free(v);
	return NULL;
}

bool fuse_front_has_dev(const struct fuse_front *f)
{
	struct list *pos, *next;

	list_each(pos, next, &f->mounts) {
		const struct fuse_mount *m = container(pos, struct fuse_mount, node);

		if (m->view && !m->ending)
			return true;
	}
	return false;
}

static int dev_serve(struct fuse_front *f, struct dev_view *v, int fd, uint64_t number)
{
	struct fuse_mount *m;
	int r = fuse_mount_new(f, &dev_kind, fd, NULL, number, &m);

	if (r)
		return r;
	v->mount = m;
	m->view = v;
	return 0;
}

int fuse_dev_again(struct fuse_front *f, int fd, uint64_t number, uint64_t user_ns, bool made, struct fuse_mount **out)
{
	struct dev_view *v = dev_view_new(f);
	int r = -ENOMEM;

	if (!v) {
		close(fd);
		return r;
	}
	v->again = true;
	v->user_ns = user_ns;
	v->user_ns_made = made;
	r = dev_serve(f, v, fd, number);
	if (r) {
		dev_view_free(v);
		return r;
	}
	dev_shown_all(v);
	*out = v->mount;
	return 0;
}

int fuse_front_dev(struct fuse_front *f, int fd, pid_t maker, struct err *e)
{
	struct dev_view *v = dev_view_new(f);
	int r = v ? 0 : -ENOMEM;

	if (f->stopping)
		r = -ESHUTDOWN;
	if (r)
		close(fd);
	else
		r = dev_serve(f, v, fd, 0);
	if (r) {
		if (v)
			dev_view_free(v);
		return err_set(e, r, "cannot serve /dev of a session: %s", strerror(-r));
	}
	v->user_ns = dev_user_namespace(maker);
	v->user_ns_made = v->user_ns != dev_user_namespace(getpid());
	dev_shown_all(v);
	fuse_state_mount_begin(v->mount);
	loop_post(f->io->loop, &v->mount->begin);
	return 0;
}
