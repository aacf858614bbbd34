/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changing the view: attributes, and removing names. Our own names stay: EPERM, which libdevmapper also understands as
 * "renamed already".
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fronts/fuse/dev.h"

static void set_times(struct dev_node *n, const struct stat *st, int set)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (set & FUSE_SET_ATTR_ATIME)
		n->atime = set & FUSE_SET_ATTR_ATIME_NOW ? now : st->st_atim;
	if (set & FUSE_SET_ATTR_MTIME)
		n->mtime = set & FUSE_SET_ATTR_MTIME_NOW ? now : st->st_mtim;
	n->ctime = now;
}

/* The size of a device is its table's, and a file that is generated for each reader has none. */
static int set_size(struct dev_node *n, size_t size)
{
	if (n->text)
		return 0;
	return n->live || !S_ISREG(n->mode) ? EINVAL : dev_resize(n, size);
}

static void setattr_answer(struct fuse_ask *a)
{
	struct dev_node *n = dev_node_of(a->mount->view, a->ino);
	int set = (int)a->flags, err = 0;
	struct stat st;

	if (!n)
		err = ESTALE;
	else if (set & FUSE_SET_ATTR_SIZE)
		err = set_size(n, (size_t)a->attr.st_size);
	if (err) {
		fuse_reply_err(a->req, err);
		return;
	}
	if (set & FUSE_SET_ATTR_MODE)
		n->mode = (n->mode & S_IFMT) | (a->attr.st_mode & 07777);
	if (set & FUSE_SET_ATTR_UID)
		n->uid = a->attr.st_uid;
	if (set & FUSE_SET_ATTR_GID)
		n->gid = a->attr.st_gid;
	set_times(n, &a->attr, set);
	n->altered = true;
	fuse_state_node(n);
	fuse_state_commit(a->mount->front);
	dev_stat(n, &st);
	fuse_reply_attr(a->req, &st, DEV_KEPT);
}

void dev_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set, struct fuse_file_info *fi)
{
	struct fuse_ask *a = fuse_ask_new(req, ino, "", 1, 1, setattr_answer);

	(void)fi;
	if (!a)
		return;
	a->attr = *attr;
	a->flags = (unsigned)to_set;
	fuse_ask_send(a);
}

/* Finds the entry NAME of DIR and checks that it may be removed: 0, or the error. */
static int change_find(struct dev_node *dir, const char *name, struct dev_entry **out)
{
	*out = dev_entry_get(dir, name);
	if (!*out)
		return ENOENT;
	return (*out)->of->live ? EPERM : 0;
}

static void change_done(const struct fuse_ask *a)
{
	fuse_done_put(a->mount, a->unique, 0);
	fuse_state_commit(a->mount->front);
}

/* By a daemon that was killed before it answered: true, and A is answered. */
static bool change_was_done(const struct fuse_ask *a)
{
	if (!fuse_done_find(a->mount, a->unique))
		return false;
	fuse_reply_err(a->req, 0);
	return true;
}

static void unlink_answer(struct fuse_ask *a)
{
	struct dev_node *dir = dev_ask_dir(a, a->ino);
	struct dev_entry *e;
	int err;

	if (!dir || change_was_done(a))
		return;
	err = change_find(dir, a->name, &e);
	if (err == EPERM && e->of->device && e->of->device->deferred) {
		fuse_reply_err(a->req, 0);	/* dmsetup expects it to be gone at once; it stays until it is closed */
		return;
	}
	if (!err && S_ISDIR(e->of->mode) != a->flags)
		err = a->flags ? ENOTDIR : EISDIR;
	if (!err && !list_empty(&e->of->entries))
		err = ENOTEMPTY;
	if (!err) {
		dev_entry_drop(e);
		dev_touch(dir);
		change_done(a);
	}
	fuse_reply_err(a->req, err);
}

static void unlink_ask(fuse_req_t req, fuse_ino_t parent, const char *name, bool directory)
{
	struct fuse_ask *a = fuse_ask_new(req, parent, name, strlen(name) + 1, strlen(name) + 1, unlink_answer);

	if (!a)
		return;
	a->flags = directory;
	fuse_ask_send(a);
}

void dev_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	unlink_ask(req, parent, name, false);
}

void dev_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	unlink_ask(req, parent, name, true);
}

/* May E be renamed to NAME in TO? *OLD: the entry of that name, which is to be dropped, or NULL. */
static int rename_check(const struct dev_entry *e, struct dev_node *to, const char *name, unsigned flags,
			struct dev_entry **old)
{
	int err = change_find(to, name, old);

	if (flags & ~(unsigned)RENAME_NOREPLACE)
		return EINVAL;
	if (to->live && to->device)
		return EPERM;
	if (err == ENOENT)
		return strlen(name) > DEV_NAME_MAX ? ENAMETOOLONG : 0;
	if (flags & RENAME_NOREPLACE)
		return EEXIST;
	if (!err && S_ISDIR((*old)->of->mode) != S_ISDIR(e->of->mode))
		return S_ISDIR(e->of->mode) ? ENOTDIR : EISDIR;
	return !err && !list_empty(&(*old)->of->entries) ? ENOTEMPTY : err;
}

/* The kernel makes sure that no directory is moved into itself. */
static int rename_do(struct dev_entry *e, struct dev_node *to, const char *name, struct dev_entry *old)
{
	struct dev_node *dir = e->dir;

	if (old && old->of == e->of)
		return 0;
	if (old)
		dev_entry_drop(old);
	if (dev_entry_move(e, to, name))
		return ENOMEM;
	dev_touch(dir);
	dev_touch(to);
	return 0;
}

static void rename_answer(struct fuse_ask *a)
{
	struct dev_node *dir = dev_ask_dir(a, a->ino), *to = dir ? dev_ask_dir(a, a->to) : NULL;
	const char *name = a->name + strlen(a->name) + 1;
	struct dev_entry *e, *old;
	int err;

	if (!to || change_was_done(a))
		return;
	err = change_find(dir, a->name, &e);
	if (!err)
		err = rename_check(e, to, name, a->flags, &old);
	if (!err)
		err = rename_do(e, to, name, old);
	if (!err)
		change_done(a);
	fuse_reply_err(a->req, err);
}

void dev_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to, const char *new_name, unsigned flags)
{
	size_t n = strlen(name) + 1;
	struct fuse_ask *a = fuse_ask_new(req, parent, name, n, n + strlen(new_name) + 1, rename_answer);

	if (!a)
		return;
	strcpy(a->name + n, new_name);
	a->to = to;
	a->flags = flags;
	fuse_ask_send(a);
}
