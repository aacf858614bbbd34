/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open files of the view. Those of devices are served as in a directory of devices (data.c). What is in memory or
 * generated for each reader is read and written on the control thread, bypassing the page cache.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fronts/fuse/dev.h"

int dev_resize(struct dev_node *n, size_t len)
{
	struct dev_view *v = n->view;
	size_t was;
	char *data;

	if (len > DEV_FILE_MAX)
		return EFBIG;
	if (len > n->len && len - n->len > DEV_FILES_MAX - v->n_bytes)
		return ENOSPC;
	data = realloc(n->data, len + 1);
	if (!data)
		return ENOMEM;
	if (len > n->len)
		memset(data + n->len, 0, len - n->len);
	v->n_bytes += len - n->len;
	n->data = data;
	was = n->len;
	n->len = len;
	dev_touch(n);
	if (len < was)
		fuse_state_data_gone(n, len, was);
	fuse_state_node(n);
	return 0;
}

static bool open_writes(const struct fuse_file *file)
{
	return (file->info.flags & O_ACCMODE) != O_RDONLY;
}

static int open_check(const struct fuse_file *file, struct dev_node *n)
{
	if (n->text && !n->nlink)
		return ESTALE;	/* the kernel looks the name up again, and finds nothing */
	if (n->text && open_writes(file) && !n->text->store)
		return EACCES;
	if (!n->live && (file->info.flags & O_TRUNC))
		return dev_resize(n, 0);
	return 0;
}

/*
 * Read-only devices can be opened for writing: the writes fail, as in the kernel. The first open finds no cached page
 * from before. Later ones share the pages: dropping them would make the kernel wait for those being read, perhaps from
 * a suspended device.
 */
static void open_device(struct fuse_file *file, struct fuse_node *f, const struct dev_node *n)
{
	fuse_file_take(file, f);
	file->info.keep_cache = n->opens > 0;
}

int dev_open(struct fuse_file *file)
{
	struct dev_node *n = dev_node_of(file->mount->view, file->ino);
	struct fuse_node *f = n && n->io ? fuse_node_find(n->view->front, n->id) : NULL;
	int err = n && (f || !n->io) ? 0 : ESTALE;	/* the kernel looks the name up again */

	if (!err && !f)
		err = open_check(file, n);
	if (f && n->device && !n->device->ever_loaded)
		err = ENXIO;
	if (err)
		return err;
	if (f)
		open_device(file, f, n);
	file->dev = n;
	file->opener = fuse_req_ctx(file->req)->pid;
	file->events = n->view->front->events;
	file->info.nonseekable = n->control || n->loops;
	file->info.direct_io = !f;
	file->brief = n->text && n->device;
	n->opens++;
	return 0;
}

int dev_open_again(struct fuse_file *file)
{
	struct dev_node *n = dev_node_of(file->mount->view, file->ino);
	struct fuse_node *f = n && n->io ? fuse_node_find(n->view->front, n->id) : NULL;

	if (!n || (n->io && !f))
		return ENODEV;
	if (f)
		fuse_file_take(file, f);
	file->dev = n;
	file->events = n->view->front->events - 1;	/* perhaps something has happened */
	file->info.nonseekable = n->control || n->loops;
	file->info.direct_io = !f;
	n->opens++;
	return 0;
}

void dev_close(struct fuse_file *file)
{
	fuse_dev_closed(file);
	if (!--file->dev->opens && file->file)
		file->file->soft_block = 0;
	dev_node_check(file->dev);
}

/* A read from the start generates the text again. */
static int read_text(struct fuse_file *file, uint64_t off)
{
	struct text t = TEXT_INIT;
	int err = 0;

	if (off && file->text)
		return 0;
	if (!file->dev->nlink)
		return ENODEV;
	if (file->dev->mounts)
		err = dev_mounts_show(file, &t);
	else
		dev_text_fill(file->dev, &t);
	if (err) {
		text_free(&t);
		return err;
	}
	free(file->text);
	file->len = t.len;
	file->text = t.len ? text_take(&t) : NULL;
	if (!t.failed && (file->text || !file->len))
		return 0;
	text_free(&t);
	file->len = 0;
	return ENOMEM;
}

static void read_tell(const struct fuse_ask *a, const char *data, size_t len)
{
	if (a->off >= len)
		fuse_reply_buf(a->req, NULL, 0);
	else
		fuse_reply_buf(a->req, data + a->off, a->size < len - a->off ? a->size : len - a->off);
}

static void read_answer(struct fuse_ask *a)
{
	const struct dev_node *n = a->file->dev;
	const char *data = n->data;
	size_t len = n->len;
	int err = 0;

	if (n->text) {
		err = read_text(a->file, a->off);
		data = a->file->text;
		len = a->file->len;
	}
	if (n->control || n->loops)
		err = EINVAL;
	if (err)
		fuse_reply_err(a->req, err);
	else
		read_tell(a, data, len);
}

/* A file that an earlier daemon has opened, and that shows a text: see state_files.c. */
static void read_answer_again(struct fuse_ask *a)
{
	struct fuse_file file = { .mount = a->mount, .dev = dev_node_of(a->mount->view, a->ino) };
	int err = file.dev && file.dev->text && !file.dev->mounts ? read_text(&file, 0) : EIO;

	if (err)
		fuse_reply_err(a->req, err);
	else
		read_tell(a, file.text, file.len);
	free(file.text);
}

void dev_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct fuse_file *file = fuse_file_find(req, fi);
	struct fuse_ask *a;
	int err;

	if (!file) {
		fuse_ask(req, ino, "", (uint64_t)off, size, read_answer_again);
		return;
	}
	if (file->file && (err = dev_data_check(file, fi, (uint64_t)off, size, false))) {
		fuse_reply_err(req, err);
		return;
	}
	if (file->file) {
		fuse_read(req, ino, size, off, fi);
		return;
	}
	a = fuse_ask_new(req, ino, "", 1, 1, read_answer);
	if (!a)
		return;
	a->file = file;
	a->off = (uint64_t)off;
	a->size = size;
	if (a->file->brief)
		fuse_ask_brief(a);
	else
		fuse_ask_send(a);
}

static int write_memory(struct dev_node *n, const struct fuse_ask *a)
{
	size_t len = a->len - 1;
	int err = 0;

	if (a->off > DEV_FILE_MAX || len > DEV_FILE_MAX - a->off)
		return EFBIG;
	if (a->off + len > n->len)
		err = dev_resize(n, a->off + len);
	if (err)
		return err;
	memcpy(n->data + a->off, a->name, len);
	dev_touch(n);
	fuse_state_data(n, a->off, a->off + len);
	fuse_state_commit(a->mount->front);
	return 0;
}

static void write_answer(struct fuse_ask *a)
{
	struct dev_node *n = a->file->dev;
	int err;

	if (n->text && !n->nlink)
		err = ENODEV;
	else if (n->text)
		err = n->text->store(n, a->name);
	else
		err = n->live ? EINVAL : write_memory(n, a);
	if (err)
		fuse_reply_err(a->req, err);
	else
		fuse_reply_write(a->req, a->len - 1);
}

void dev_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct fuse_file *file = fuse_file_of(req, fi);
	struct fuse_ask *a;
	int err;

	if (!file)
		return;
	if (file->file && (err = dev_data_check(file, fi, (uint64_t)off, size, true))) {
		fuse_reply_err(req, err);
		return;
	}
	if (file->file) {
		fuse_write(req, ino, buf, size, off, fi);
		return;
	}
	a = fuse_ask_new(req, ino, buf, size, size + 1, write_answer);
	if (!a)
		return;
	a->name[size] = '\0';
	a->len = size + 1;
	a->file = file;
	a->off = (uint64_t)off;
	fuse_ask_send(a);
}

void dev_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	const struct fuse_file *file = fuse_file_of(req, fi);

	if (file && file->file)
		fuse_fsync(req, ino, datasync, fi);
	else if (file)
		fuse_reply_err(req, 0);
}

void dev_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi)
{
	const struct fuse_file *file = fuse_file_of(req, fi);

	if (file && file->file)
		fuse_lseek(req, ino, off, whence, fi);
	else if (file)
		fuse_reply_err(req, EINVAL);
}
