/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open files that outlive the daemon: those of devices, of what others have created, of the control node. A file that
 * only shows a text is not recorded: its reads need nothing but the text.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "fronts/fuse/dev.h"
#include "fronts/fuse/dev_private.h"

static bool files_matter(const struct fuse_file *file)
{
	return !file->dev || !file->dev->text || file->dev->mounts;
}

void fuse_state_open(struct fuse_file *file)
{
	char value[240];

	fuse_state_handle(file->mount->front, file->handle);
	if (!files_matter(file))
		return;
	snprintf(value, sizeof(value), "%" PRIu64 " %" PRIu64 " %o %d %d %" PRIu64 " %d %d %d %" PRIu64, file->mount->number,
		 (uint64_t)file->ino, file->info.flags, (int)file->user_pid, (int)file->opener, file->unique, file->claims,
		 file->writes, file->looped.next == &file->looped ? -1 : file->loop, file->poll);
	fuse_state_put(file->mount->front, value, strlen(value), "open/%" PRIu64, file->handle);
	file->recorded = true;
}

void fuse_state_close(struct fuse_file *file)
{
	if (!file->recorded)
		return;
	fuse_state_drop(file->mount->front, "open/%" PRIu64, file->handle);
	if (file->mounts)
		fuse_state_drop(file->mount->front, "mounts/%" PRIu64, file->handle);
	if (file->seen)
		fuse_state_drop(file->mount->front, "seen/%" PRIu64, file->handle);
}

/* The numbers of a struct dmuse_node, in its order. */
#define FILES_SEEN 16

void fuse_state_seen(const struct fuse_file *file)
{
	const struct dmuse_node *n = file->seen;
	const int64_t all[FILES_SEEN] = {
		(int64_t)n->dev, (int64_t)n->ino, (int64_t)n->nlink, n->mode, n->uid, n->gid, n->blksize, n->rdev_major,
		n->rdev_minor, n->atime, n->mtime, n->ctime, n->atime_nsec, n->mtime_nsec, n->ctime_nsec, n->flags,
	};
	struct text t = TEXT_INIT;

	for (size_t i = 0; i < FILES_SEEN; i++)
		text_printf(&t, "%" PRId64 " ", all[i]);
	fuse_state_put(file->mount->front, text_str(&t), t.len, "seen/%" PRIu64, file->handle);
	text_free(&t);
}

static void files_seen_again(struct fuse_file *file, const char *value)
{
	int64_t all[FILES_SEEN];
	char *at = (char *)(uintptr_t)value;

	file->seen = malloc(sizeof(*file->seen));
	if (!file->seen)
		return;
	for (size_t i = 0; i < FILES_SEEN; i++)
		all[i] = strtoll(at, &at, 10);
	*file->seen = (struct dmuse_node){
		(uint64_t)all[0], (uint64_t)all[1], (uint64_t)all[2], (uint32_t)all[3], (uint32_t)all[4], (uint32_t)all[5],
		(uint32_t)all[6], (uint32_t)all[7], (uint32_t)all[8], all[9], all[10], all[11], (uint32_t)all[12],
		(uint32_t)all[13], (uint32_t)all[14], (uint32_t)all[15],
	};
}

struct files_record {
	uint64_t mount, ino, unique, poll;
	int flags, user_pid, opener, claims, writes, loop;
};

/* FILE is open once more, as R says: 0, or a positive errno. */
static int files_open_again(struct fuse_file *file, const struct files_record *r)
{
	int err = file->mount->kind->again(file);

	if (err)
		return err;
	if (r->claims)
		file->claims = !dm_claim(file->file->device);
	if (r->writes && file->file)
		fuse_file_writes(file);
	if (r->loop >= 0 && file->file) {
		file->loop = r->loop;
		list_append(&file->file->loops, &file->looped);
	}
	return 0;
}

static struct fuse_file *files_new(struct fuse_mount *m, uint64_t handle, const struct files_record *r)
{
	struct fuse_file *file = fuse_file_new(m, r->ino);

	if (!file)
		return NULL;
	file->handle = file->info.fh = handle;
	file->info.flags = r->flags;
	file->user_pid = r->user_pid;
	file->opener = r->opener;
	file->unique = r->unique;
	file->poll = r->poll;
	file->recorded = true;
	return file;
}

/* 0, or a positive errno. */
static int files_again(struct fuse_mount *m, uint64_t handle, const struct files_record *r)
{
	struct fuse_handles *h = &m->front->handles;
	struct fuse_file *file = files_new(m, handle, r);
	int err = file ? -fuse_handle_put(h, file, handle) : ENOMEM;

	if (!err) {
		err = files_open_again(file, r);
		if (err)
			fuse_handle_drop(h, handle);
	}
	if (err) {
		free(file);
		return err;
	}
	list_append(&m->files, &file->node);
	m->pending++;
	return 0;
}

static void files_see(struct fuse_front *f, const char *tail, const char *value, size_t len)
{
	struct fuse_mount *m = NULL;
	struct files_record r;
	int err = ENODEV;

	(void)len;
	if (sscanf(value, "%" SCNu64 " %" SCNu64 " %o %d %d %" SCNu64 " %d %d %d %" SCNu64, &r.mount, &r.ino, (unsigned *)&r.flags,
		   &r.user_pid, &r.opener, &r.unique, &r.claims, &r.writes, &r.loop, &r.poll) == 10)
		m = fuse_mount_by_number(f, r.mount);
	if (m)
		err = files_again(m, strtoull(tail, NULL, 10), &r);
	if (!err)
		return;
	if (m)
		log_warn("process %d has a file in %s open that cannot be served any longer: %s", r.user_pid, m->directory,
			 strerror(err));
	fuse_state_drop(f, "open/%s", tail);
}

/* The open file of that number; NULL: it could not be opened again. */
static struct fuse_file *files_find(const struct fuse_front *f, const char *number)
{
	uint64_t handle = strtoull(number, NULL, 10);
	struct fuse_file *file = fuse_handle_slot(&f->handles, handle);

	return file && file->handle == handle ? file : NULL;
}

static void files_see_mounts(struct fuse_front *f, const char *tail, const char *value, size_t len)
{
	struct fuse_file *file = files_find(f, tail);

	(void)len;
	if (file)
		dev_mounts_again(file, value);
	else
		fuse_state_drop(f, "mounts/%s", tail);
}

static void files_see_seen(struct fuse_front *f, const char *tail, const char *value, size_t len)
{
	struct fuse_file *file = files_find(f, tail);

	(void)len;
	if (file)
		files_seen_again(file, value);
	else
		fuse_state_drop(f, "seen/%s", tail);
}

void fuse_files_restore(struct fuse_front *f)
{
	fuse_state_each(f, "open/", files_see);
	fuse_state_each(f, "seen/", files_see_seen);
	fuse_state_each(f, "mounts/", files_see_mounts);
	fuse_handles_settle(&f->handles);
}
