/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the view: names, attributes, links. dev_list.c lists directories. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "fronts/fuse/dev.h"

#define NAMES_TEXT_SIZE 4096	/* the size that files in /sys report */

static void stat_size(const struct dev_node *n, struct stat *st)
{
	const struct fuse_node *f = n->io && n->device ? fuse_node_find(n->view->front, n->id) : NULL;

	if (f)
		st->st_size = (off_t)atomic_load(&f->size);
	else if (n->text)
		st->st_size = n->device ? NAMES_TEXT_SIZE : 0;
	else
		st->st_size = (off_t)n->len;
	st->st_blocks = n->text || S_ISLNK(n->mode) ? 0 : (st->st_size + DM_SECTOR - 1) >> DM_SECTOR_SHIFT;
}

static uint64_t device_writes(const struct dm_device *d)
{
	struct dm_stats s = { 0 };

	dm_device_stats(d, &s);
	return s.ios[DM_WRITE] + s.ios[DM_ZEROES] + s.ios[DM_DISCARD];
}

/* As on Linux, a node's mtime changes when its device is written to: blkid(8) trusts its cache until then. */
static void stat_written(struct dev_node *n)
{
	uint64_t writes = S_ISBLK(n->mode) && n->device ? device_writes(n->device) : 0;

	if (writes != n->writes)
		dev_touch(n);
	n->writes = writes;
}

void dev_stat(struct dev_node *n, struct stat *st)
{
	stat_written(n);
	*st = (struct stat){
		.st_ino = n->id, .st_mode = n->mode, .st_nlink = S_ISDIR(n->mode) || (n->live && n->nlink) ? 1 : n->nlink, .st_uid = n->uid,
		.st_gid = n->gid, .st_rdev = n->rdev, .st_blksize = 4096, .st_atim = n->atime, .st_mtim = n->mtime,
		.st_ctim = n->ctime,
	};
	stat_size(n, st);
}

/*
 * The name of a device may soon be another's, so it is looked up each time; all other names stay, or change only
 * through the kernel.
 */
void dev_tell(struct dev_node *n, struct fuse_entry_param *e)
{
	*e = (struct fuse_entry_param){ .ino = n->id, .attr_timeout = DEV_KEPT, .entry_timeout = n->passing ? 0 : DEV_KEPT };
	dev_stat(n, &e->attr);
	n->known++;
}

void dev_reply_entry(fuse_req_t req, struct dev_node *n)
{
	struct fuse_entry_param e;

	dev_tell(n, &e);
	if (fuse_reply_entry(req, &e))
		dev_node_forget(n, 1);
}

struct dev_node *dev_ask_dir(const struct fuse_ask *a, uint64_t id)
{
	struct dev_node *dir = dev_node_of(a->mount->view, id);

	if (!dir || !dir->nlink) {
		fuse_reply_err(a->req, dir ? ENOENT : ESTALE);
		return NULL;
	}
	if (!S_ISDIR(dir->mode)) {
		fuse_reply_err(a->req, ENOTDIR);
		return NULL;
	}
	if (dir->refresh)
		dir->refresh(dir);
	return dir;
}

/* In a mapped device's directories of /sys no name ever appears: the kernel need not ask again. Disks get partitions. */
static void lookup_nothing(fuse_req_t req, const struct dev_node *dir)
{
	const struct fuse_entry_param never = { .entry_timeout = DEV_KEPT };

	if (dir->n_texts && dir->device && !dir->device->disk)
		fuse_reply_entry(req, &never);
	else
		fuse_reply_err(req, ENOENT);
}

static void lookup_answer(struct fuse_ask *a)
{
	struct dev_node *dir = dev_ask_dir(a, a->ino);
	struct dev_entry *e;

	if (!dir)
		return;
	e = dev_entry_get(dir, a->name);
	if (e)
		dev_reply_entry(a->req, e->of);
	else
		lookup_nothing(a->req, dir);
}

void dev_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	fuse_ask(req, parent, name, 0, 0, lookup_answer);
}

static void forget_answer(struct fuse_ask *a)
{
	struct dev_node *n = dev_node_find(a->mount->view, a->ino);

	if (n)
		dev_node_forget(n, a->off);
	fuse_reply_none(a->req);
}

void dev_forget(fuse_req_t req, fuse_ino_t ino, uint64_t times)
{
	fuse_ask(req, ino, "", times, 0, forget_answer);
}

static void attr_answer(struct fuse_ask *a)
{
	struct dev_node *n = dev_node_of(a->mount->view, a->ino);
	struct stat st;

	if (!n) {
		fuse_reply_err(a->req, ESTALE);
		return;
	}
	dev_stat(n, &st);
	fuse_reply_attr(a->req, &st, DEV_KEPT);
}

void dev_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)fi;
	fuse_ask(req, ino, "", 0, 0, attr_answer);
}

static void readlink_answer(struct fuse_ask *a)
{
	const struct dev_node *n = dev_node_of(a->mount->view, a->ino);

	if (n && S_ISLNK(n->mode))
		fuse_reply_readlink(a->req, n->data);
	else
		fuse_reply_err(a->req, n ? EINVAL : ESTALE);
}

/* Programs align their buffers for direct I/O to a block of the file system that has the device's node; on Linux that is a page. */
void dev_statfs(fuse_req_t req, fuse_ino_t ino)
{
	const struct statvfs fs = { .f_bsize = 4096, .f_frsize = 4096, .f_namemax = NAME_MAX };

	(void)ino;
	fuse_reply_statfs(req, &fs);
}

void dev_readlink(fuse_req_t req, fuse_ino_t ino)
{
	fuse_ask(req, ino, "", 0, 0, readlink_answer);
}
