/* SPDX-License-Identifier: BSD-2-Clause */
/* The directory of devices as a kind of mount: what can be done in it, and what cannot. */
#include <errno.h>
#include <fcntl.h>

#include "fronts/fuse/server.h"

/* Nodes exist as long as their device, whatever the kernel has cached. */
static void directory_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n)
{
	(void)ino;
	(void)n;
	fuse_reply_none(req);
}

/* The directory is ours: operations that would change it are refused. */
static void refuse_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t dev)
{
	(void)parent, (void)name, (void)mode, (void)dev;
	fuse_reply_err(req, EPERM);
}

static void refuse_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	(void)parent, (void)name, (void)mode;
	fuse_reply_err(req, EPERM);
}

static void refuse_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	(void)parent, (void)name;
	fuse_reply_err(req, EPERM);
}

static void refuse_symlink(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name)
{
	(void)link, (void)parent, (void)name;
	fuse_reply_err(req, EPERM);
}

static void refuse_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to, const char *new_name,
			  unsigned flags)
{
	(void)parent, (void)name, (void)to, (void)new_name, (void)flags;
	fuse_reply_err(req, EPERM);
}

static void refuse_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t to, const char *new_name)
{
	(void)ino, (void)to, (void)new_name;
	fuse_reply_err(req, EPERM);
}

static void refuse_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi)
{
	(void)parent, (void)name, (void)mode, (void)fi;
	fuse_reply_err(req, EPERM);
}

static const struct fuse_lowlevel_ops directory_ops = {
	.init = fuse_session_init, .forget = directory_forget,
	.lookup = fuse_lookup, .getattr = fuse_getattr, .setattr = fuse_setattr, .readdir = fuse_readdir,
	.open = fuse_open, .release = fuse_release,
	.read = fuse_read, .write = fuse_write, .fsync = fuse_fsync, .fallocate = fuse_fallocate, .lseek = fuse_lseek,
	.mknod = refuse_mknod, .mkdir = refuse_mkdir, .unlink = refuse_unlink, .rmdir = refuse_unlink,
	.symlink = refuse_symlink, .rename = refuse_rename, .link = refuse_link, .create = refuse_create,
};

static int directory_open(struct fuse_file *file)
{
	struct fuse_node *n = fuse_node_find(file->mount->front, file->ino);

	if (!n)
		return ESTALE;		/* the kernel looks the name up again */
	if ((file->info.flags & O_ACCMODE) != O_RDONLY && dm_device_readonly(n->device))
		return EROFS;
	fuse_file_take(file, n);
	return 0;
}

static int directory_again(struct fuse_file *file)
{
	struct fuse_node *n = fuse_node_find(file->mount->front, file->ino);

	if (!n)
		return ENODEV;
	fuse_file_take(file, n);
	return 0;
}

const struct fuse_kind fuse_directory = { .ops = &directory_ops, .open = directory_open, .again = directory_again };
