/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening and closing: the control thread opens and closes the device, and the file belongs to the io thread. Messages
 * keep their order in both directions, so nobody who asks after a close still finds the device open.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/proc_name.h"
#include "base/blocking.h"
#include "core/device/above.h"
#include "fronts/fuse/raw.h"
#include "fronts/fuse/server.h"

static struct loop *file_io_loop(const struct fuse_file *file)
{
	return file->mount->front->io->loop;
}

static struct loop *file_control_loop(const struct fuse_file *file)
{
	return file->mount->front->world->loop;
}

static void file_drop(struct fuse_file *file)
{
	struct fuse_mount *m = file->mount;

	fuse_handle_drop(&m->front->handles, file->handle);
	free(file);
	fuse_mount_done(m);
}

/* On the io thread: the control thread has opened the device or refused. */
static void file_opened(struct loop_msg *msg)
{
	struct fuse_file *file = container(msg, struct fuse_file, msg);

	if (file->err) {
		fuse_reply_err(file->req, file->err);
		file_drop(file);
		return;
	}
	list_append(&file->mount->files, &file->node);
	file->info.fh = file->handle;
	/* A program that was killed meanwhile never closes it. */
	if (fuse_reply_open(file->req, &file->info) || file->mount->ended)
		fuse_file_release(file);
}

/* Files in sessions are opened by the supervisor; the session reports their programs. */
void fuse_users(struct dm_front *front, struct text *out)
{
	struct fuse_front *f = container(front, struct fuse_front, front);
	struct list *pos, *next;
	char name[PROC_NAME];

	list_each(pos, next, &f->users) {
		const struct fuse_file *file = container(pos, struct fuse_file, user);

		if (proc_name(file->user_pid, name))
			text_printf(out, "%s (process %ld) has the file '%s' open in %s\n", name, (long)file->user_pid,
				    file->file->device->name, file->mount->directory);
	}
}

/* It may write, or is what a mount stands on. */
void fuse_file_writes(struct fuse_file *file)
{
	if (!file->writes)
		dm_write_begin(file->file->device);
	file->writes = true;
}

void fuse_file_take(struct fuse_file *file, struct fuse_node *n)
{
	dm_open(n->device);
	if (file->mount->view)
		n->device->in_sessions++;
	else
		list_append(&file->mount->front->users, &file->user);
	file->mount->front->n_open++;
	file->file = n;
	if ((file->info.flags & O_ACCMODE) != O_RDONLY)
		fuse_file_writes(file);
}

/* A later daemon knows it before its program does. */
static int file_open_do(struct fuse_file *file)
{
	int err = file->mount->kind->open(file);

	if (!err)
		fuse_state_open(file);
	fuse_state_commit(file->mount->front);
	return err;
}

static void file_open_asked(struct loop_msg *msg)
{
	struct fuse_file *file = container(msg, struct fuse_file, msg);

	file->err = file_open_do(file);
	file->msg.run = file_opened;
	loop_post(file_io_loop(file), &file->msg);
}

static void file_open(struct fuse_file *file)
{
	struct loop *control = file_control_loop(file);

	if (!loop_borrow(control)) {
		loop_post(control, &file->msg);
		return;
	}
	file->err = file_open_do(file);
	loop_return(control);
	file_opened(&file->msg);
}

/* The control thread would wait for itself, and a store that a helper thread opens would lead back to its own device. */
static bool open_is_ours(const struct fuse_mount *m, pid_t tid)
{
	return tid == m->front->control || blocking_has_thread(m->front->world->helpers, tid);
}

struct fuse_file *fuse_file_new(struct fuse_mount *m, fuse_ino_t ino)
{
	struct fuse_file *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	*file = (struct fuse_file){ .mount = m, .ino = ino, .msg.run = file_open_asked };
	list_init(&file->user);
	list_init(&file->node);
	list_init(&file->calls);
	list_init(&file->polls);
	list_init(&file->looped);
	return file;
}

/* An earlier daemon has opened it and was killed before it answered: true, and REQ is answered. */
static bool open_was_done(struct fuse_mount *m, fuse_req_t req)
{
	uint64_t unique = fuse_unique(req);
	struct list *pos, *next;

	if (!(unique & FUSE_RAW_AGAIN))
		return false;
	list_each(pos, next, &m->files) {
		struct fuse_file *file = container(pos, struct fuse_file, node);

		if (file->unique != (unique & ~FUSE_RAW_AGAIN))
			continue;
		if (fuse_reply_open(req, &file->info))
			fuse_file_release(file);
		return true;
	}
	return false;
}

/* O_TRUNC has no effect, as on a disk. */
void fuse_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fuse_mount *m = fuse_req_userdata(req);
	struct fuse_file *file;
	int r;

	if (open_is_ours(m, fuse_req_ctx(req)->pid)) {
		fuse_reply_err(req, EDEADLK);
		return;
	}
	if (open_was_done(m, req))
		return;
	file = fuse_file_new(m, ino);
	if (!file) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	file->req = req;
	file->info = *fi;
	file->user_pid = fuse_req_ctx(req)->pid;
	file->unique = fuse_unique(req) & ~FUSE_RAW_AGAIN;
	r = fuse_handle_new(&m->front->handles, file, &file->handle);
	if (r) {
		free(file);
		fuse_reply_err(req, -r);
		return;
	}
	m->pending++;
	file_open(file);
}

static void file_close_asked(struct loop_msg *msg)
{
	struct fuse_file *file = container(msg, struct fuse_file, msg);
	struct fuse_front *f = file->mount->front;

	fuse_state_close(file);
	if (file->mount->kind->close)
		file->mount->kind->close(file);
	fuse_state_commit(f);
	if (file->releasing)
		fuse_reply_err(file->releasing, 0);
	if (file->file) {
		file->mount->front->n_open--;
		list_remove(&file->user);
		if (file->mount->view)
			file->file->device->in_sessions--;
		if (file->writes)
			dm_write_end(file->file->device);
		dm_close(file->file->device);
	}
	free(file->text);
	free(file);
}

static void file_close(struct fuse_file *file)
{
	struct loop *control = file_control_loop(file);
	struct fuse_mount *m = file->mount;

	if (file->brief && loop_borrow(control)) {
		file_close_asked(&file->msg);
		loop_return(control);
	} else {
		file->msg.run = file_close_asked;
		loop_post(control, &file->msg);
	}
	fuse_mount_done(m);
}

struct fuse_file *fuse_file_find(fuse_req_t req, const struct fuse_file_info *fi)
{
	const struct fuse_mount *m = fuse_req_userdata(req);
	struct fuse_file *file = fuse_handle_slot(&m->front->handles, fi->fh);

	return file && file->handle == fi->fh && file->mount == m ? file : NULL;
}

struct fuse_file *fuse_file_of(fuse_req_t req, const struct fuse_file_info *fi)
{
	struct fuse_file *file = fuse_file_find(req, fi);

	if (!file)
		fuse_reply_err(req, EIO);
	return file;
}

void fuse_file_release(struct fuse_file *file)
{
	fuse_handle_drop(&file->mount->front->handles, file->handle);
	list_remove(&file->node);
	file->released = true;
	if (!file->n_ios)
		file_close(file);
}

void fuse_file_unref(struct fuse_file *file)
{
	if (!--file->n_ios && file->released)
		file_close(file);
}

void fuse_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fuse_file *file = fuse_file_find(req, fi);

	(void)ino;
	if (file && file->recorded)
		file->releasing = req;	/* answered when it is recorded that it is closed */
	else
		fuse_reply_err(req, 0);
	if (file)
		fuse_file_release(file);
}
