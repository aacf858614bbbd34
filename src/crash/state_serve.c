/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See state_serve.h. A flush is not answered: nothing here outlives the check, and the kernel then stops asking. A thread reads requests, because
 * telling the kernel to forget pages may wait for an answer.
 */
#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include <errno.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/thread.h"
#include "crash/state_file.h"
#include "crash/state_serve.h"

#define FILE_TRANSFER (1u << 20)	/* bytes of one request */
#define FILE_ATTRIBUTES 3600.0		/* seconds: they do not change */

struct state_serve {
	pthread_mutex_t lock;		/* the disk, and which state it is */
	struct state_disk *disk;
	fuse_ino_t current;
	uint64_t size;
	struct fuse_session *session;
	pthread_t thread;
	uint8_t *buffer;		/* the thread's */
};

static struct stat file_stat(const struct state_serve *f, fuse_ino_t ino)
{
	struct stat st = { .st_ino = ino, .st_mode = S_IFREG | 0666, .st_nlink = 1, .st_size = (off_t)f->size, .st_blksize = 4096,
			   .st_blocks = (blkcnt_t)(f->size / 512), };	/* root's, in that namespace */

	if (ino == FUSE_ROOT_ID) {
		st.st_mode = S_IFDIR | 0755;
		st.st_nlink = 2;
		st.st_size = 0;
	}
	return st;
}

static void file_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct state_serve *f = fuse_req_userdata(req);
	struct fuse_entry_param entry = { .attr_timeout = FILE_ATTRIBUTES, .entry_timeout = 0 };

	if (parent != FUSE_ROOT_ID || strcmp(name, STATE_FILE_NAME)) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	pthread_mutex_lock(&f->lock);
	entry.ino = f->current;
	pthread_mutex_unlock(&f->lock);
	entry.attr = file_stat(f, entry.ino);
	fuse_reply_entry(req, &entry);
}

static void file_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st = file_stat(fuse_req_userdata(req), ino);

	(void)fi;
	fuse_reply_attr(req, &st, FILE_ATTRIBUTES);
}

/* A disk keeps its size, whatever a program asks for, and has no times. */
static void file_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set, struct fuse_file_info *fi)
{
	(void)attr;
	(void)to_set;
	file_getattr(req, ino, fi);
}

static void file_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fuse_reply_open(req, fi);
}

/* How many of SIZE bytes at AT the disk has. */
static size_t file_inside(const struct state_serve *f, off_t at, size_t size)
{
	uint64_t left = (uint64_t)at < f->size ? f->size - (uint64_t)at : 0;

	return size < left ? size : (size_t)left;
}

static void file_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at, struct fuse_file_info *fi)
{
	struct state_serve *f = fuse_req_userdata(req);
	bool current;

	(void)fi;
	size = file_inside(f, at, size < FILE_TRANSFER ? size : FILE_TRANSFER);
	pthread_mutex_lock(&f->lock);
	current = ino == f->current;
	if (current)
		state_disk_read(f->disk, (uint64_t)at, f->buffer, size);
	pthread_mutex_unlock(&f->lock);
	if (current)
		fuse_reply_buf(req, (char *)f->buffer, size);
	else
		fuse_reply_err(req, EIO);
}

static void file_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t at, struct fuse_file_info *fi)
{
	struct state_serve *f = fuse_req_userdata(req);
	int r = EIO;

	(void)fi;
	size = file_inside(f, at, size);
	pthread_mutex_lock(&f->lock);
	if (ino == f->current)
		r = size ? -state_disk_write(f->disk, (uint64_t)at, buf, size) : ENOSPC;
	pthread_mutex_unlock(&f->lock);
	if (r)
		fuse_reply_err(req, r);
	else
		fuse_reply_write(req, size);
}

static void file_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t at, off_t len, struct fuse_file_info *fi)
{
	struct state_serve *f = fuse_req_userdata(req);
	int r = EIO;

	(void)fi;
	if (!(mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))) {
		fuse_reply_err(req, EOPNOTSUPP);
		return;
	}
	pthread_mutex_lock(&f->lock);
	if (ino == f->current)
		r = -state_disk_zero(f->disk, (uint64_t)at, file_inside(f, at, (size_t)len));
	pthread_mutex_unlock(&f->lock);
	fuse_reply_err(req, r);
}

static void file_init(void *arg, struct fuse_conn_info *conn)
{
	(void)arg;
	conn->want &= ~(unsigned)(FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_MOVE | FUSE_CAP_READDIRPLUS);
	conn->max_write = FILE_TRANSFER;
	conn->max_background = 64;
}

static const struct fuse_lowlevel_ops file_ops = {
	.init = file_init, .lookup = file_lookup, .getattr = file_getattr, .setattr = file_setattr, .open = file_open,
	.read = file_read, .write = file_write, .fallocate = file_fallocate,
};

static void *file_serve(void *arg)
{
	struct state_serve *f = arg;

	fuse_session_loop(f->session);
	return NULL;
}

int state_serve_new(struct state_serve **out, int fd, struct state_disk *disk, uint64_t size)
{
	char *argv[] = { (char[]){ "dmuse" }, NULL }, place[32];
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	struct state_serve *f = calloc(1, sizeof(*f));

	*out = f;
	if (f)
		f->buffer = malloc(FILE_TRANSFER);
	if (!f || !f->buffer)
		return -ENOMEM;
	pthread_mutex_init(&f->lock, NULL);
	f->disk = disk;
	f->size = size;
	f->current = FUSE_ROOT_ID;
	f->session = fuse_session_new(&args, &file_ops, sizeof(file_ops), f);
	fuse_opt_free_args(&args);
	snprintf(place, sizeof(place), "/dev/fd/%d", fd);	/* mounted already */
	if (!f->session || fuse_session_mount(f->session, place))
		return -EIO;
	return thread_start(&f->thread, "dmuse-state", 0, file_serve, f);
}

int state_serve_become(struct state_serve *f, const struct state *s)
{
	fuse_ino_t was;
	int r;

	pthread_mutex_lock(&f->lock);
	was = f->current++;
	r = state_disk_become(f->disk, s);
	pthread_mutex_unlock(&f->lock);
	if (was > FUSE_ROOT_ID)
		fuse_lowlevel_notify_inval_inode(f->session, was, 0, 0);
	return r;
}
