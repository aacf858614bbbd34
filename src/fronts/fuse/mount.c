/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands `mount` and `umount`, and the list of all mounts. On the control thread; jobs call the kernel. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mountinfo.h"
#include "core/command/do.h"
#include "fronts/fuse/server.h"

struct mount_job {
	struct fuse_job job;
	struct list node;		/* of a mount, in front->mounting */
	struct fuse_front *front;
	struct fuse_mount *mount;	/* of an umount */
	struct dm_cmd *cmd;		/* NULL: when the daemon ends */
	char *directory;
	uint64_t order;			/* it will have */
	int fd, id;			/* id: the mount's */
	bool lazy;
	struct err err;
};

static bool mount_is_under_way(const struct fuse_front *f, const char *directory)
{
	struct list *pos, *next;

	list_each(pos, next, &f->mounting)
		if (!strcmp(container(pos, struct mount_job, node)->directory, directory))
			return true;
	return false;
}

struct fuse_mount *fuse_mount_find(const struct fuse_front *f, const char *directory)
{
	struct list *pos, *next;

	list_each(pos, next, &f->mounts) {
		struct fuse_mount *m = container(pos, struct fuse_mount, node);

		if (!m->unmounted && !strcmp(m->directory, directory))
			return m;
	}
	return NULL;
}

static void mount_freed(struct loop_msg *msg)
{
	struct fuse_mount *m = container(msg, struct fuse_mount, over);
	struct fuse_front *f = m->front;

	free(m->init);
	free(m->directory);
	free(m);
	f->n_mounts--;
	fuse_front_check_stopped(f);
}

/* On the thread that has served it. */
static void mount_destroy(struct loop_msg *msg)
{
	struct fuse_mount *m = container(msg, struct fuse_mount, begin);

	fuse_session_destroy(m->session);
	m->over.run = mount_freed;
	loop_post(m->front->world->loop, &m->over);
}

static void mount_free(struct fuse_mount *m)
{
	list_remove(&m->node);
	if (m->kind->end)
		m->kind->end(m);
	if (m->kind == &fuse_directory && !m->unmounted)
		fuse_mount_record_gone(m->front, m->directory);
	fuse_state_mount_gone(m);
	m->begin.run = mount_destroy;
	loop_post(m->front->io->loop, &m->begin);
}

void fuse_mount_unref(struct fuse_mount *m)
{
	if (m->gone && !m->n_jobs)
		mount_free(m);
}

static void mount_job_free(struct mount_job *j)
{
	list_remove(&j->node);
	free(j->directory);
	free(j);
}

static struct mount_job *mount_job_new(struct fuse_front *f, struct dm_cmd *c, const char *directory)
{
	struct mount_job *j = calloc(1, sizeof(*j));

	if (j)
		*j = (struct mount_job){ .front = f, .cmd = c, .directory = strdup(directory), .fd = -1, .id = -1 };
	if (j)
		list_init(&j->node);
	if (j && !j->directory) {
		free(j);
		return NULL;
	}
	return j;
}

static void mount_run(struct fuse_job *job)
{
	struct mount_job *j = container(job, struct mount_job, job);

	int lock;

	if (!fuse_place_take(j->directory, &lock, &j->err) && !fuse_kernel_mount(j->directory, &j->fd, &j->err))
		j->id = mountinfo_top(j->directory);
	if (lock >= 0)
		close(lock);
}

int fuse_mount_new(struct fuse_front *f, const struct fuse_kind *kind, int fd, const char *directory,
		   uint64_t number, struct fuse_mount **out)
{
	struct fuse_mount *m = fuse_receive_ready(f) ? calloc(1, sizeof(*m)) : NULL;
	int r = -ENOMEM;

	if (m) {
		*m = (struct fuse_mount){ .front = f, .kind = kind, .directory = strdup(directory ? directory : "/dev"), .id = -1,
					  .unmounted = !directory, .number = number ? number : fuse_serial(f), .again = number,
					  .pending = 1 };
		list_init(&m->files);
		list_init(&m->live);
		clock_gettime(CLOCK_REALTIME, &m->since);
		if (m->directory)
			r = fuse_mount_session(m, fd);
	}
	if (r) {
		close(fd);
		if (m)
			free(m->directory);
		free(m);
		return r;
	}
	list_append(&f->mounts, &m->node);
	f->n_mounts++;
	m->begin.run = fuse_mount_begin;
	*out = m;
	return 0;
}

static void mount_over(struct fuse_job *job)
{
	struct mount_job *j = container(job, struct mount_job, job);
	struct dm_cmd *c = j->cmd;
	struct fuse_mount *m;

	if (!j->err.code && fuse_mount_new(j->front, &fuse_directory, j->fd, j->directory, 0, &m)) {
		fuse_kernel_umount(j->directory, true, j->id, NULL);
		err_set(&j->err, -ENOMEM, "no memory for a mount");
	} else if (!j->err.code) {
		m->id = j->id;
		m->order = j->order;
		fuse_state_mount_begin(m);
		loop_post(j->front->io->loop, &m->begin);
		log_info("devices are files in %s", m->directory);
	}
	if (j->err.code)
		fuse_mount_record_undo(j->front, c, 0);
	c->reply.err = j->err;
	mount_job_free(j);
	dm_finish(c);
}

static void mount_do(struct fuse_front *f, struct dm_cmd *c)
{
	struct mount_job *j;

	if (fuse_mount_find(f, c->directory)) {
		dm_fail(c, -EBUSY, "the devices are already files in %s", c->directory);
		return;
	}
	if (mount_is_under_way(f, c->directory)) {
		dm_fail(c, -EBUSY, "the devices are already being mounted on %s", c->directory);
		return;
	}
	if (fuse_mount_record(f, c, ++f->last_order)) {
		dm_finish(c);
		return;
	}
	j = mount_job_new(f, c, c->directory);
	if (j) {
		j->order = f->last_order;
		j->job.run = mount_run;
		j->job.done = mount_over;
		list_append(&f->mounting, &j->node);
		if (!fuse_job_start(&j->job, f))
			return;
		mount_job_free(j);
	}
	fuse_mount_record_undo(f, c, 0);
	dm_fail(c, -ENOMEM, "no memory for a mount");
}

static void umount_run(struct fuse_job *job)
{
	struct mount_job *j = container(job, struct mount_job, job);

	fuse_kernel_umount(j->directory, j->lazy, j->id, &j->err);
}

static void umount_caught_up(struct loop_msg *msg)
{
	struct fuse_mount *m = container(msg, struct fuse_mount, caught_up);

	dm_finish(m->umounting);
	m->umounting = NULL;
	m->n_jobs--;
	fuse_mount_unref(m);
}

/* The closes that made it possible are processed before anybody asks for open counts. */
static void umount_finish(struct fuse_mount *m, struct dm_cmd *c)
{
	m->unmounted = true;
	fuse_state_mount(m);
	log_info("devices are no longer files in %s", m->directory);
	m->umounting = c;
	m->caught_up.run = umount_caught_up;
	m->n_jobs++;
	if (!fuse_catch_up(&m->front->front, &m->caught_up))
		umount_caught_up(&m->caught_up);
}

/* Programs that still have files open there lose the devices. */
static void mount_end(struct fuse_mount *m)
{
	if (m->ending || m->gone)
		return;
	m->ending = true;
	m->n_jobs++;
	m->end.run = fuse_mount_end;
	loop_post(m->front->io->loop, &m->end);
}

static void umount_over(struct fuse_job *job)
{
	struct mount_job *j = container(job, struct mount_job, job);
	struct fuse_mount *m = j->mount;
	struct dm_cmd *c = j->cmd;

	if (c && j->err.code && !m->gone) {
		m->leaving = false;
		fuse_mount_record_undo(m->front, c, m->order);
		c->reply.err = j->err;
		dm_finish(c);
	} else if (c) {
		umount_finish(m, c);
	} else {
		if (j->err.code && !m->gone)
			log_error("at shutdown: %s", j->err.text);
		mount_end(m);
	}
	mount_job_free(j);
	m->n_jobs--;
	fuse_mount_unref(m);
}

/* False: no memory. */
static bool umount_start(struct fuse_mount *m, struct dm_cmd *c)
{
	struct mount_job *j = mount_job_new(m->front, c, m->directory);

	if (!j)
		return false;
	j->mount = m;
	j->id = m->id;
	j->lazy = !c;
	j->job.run = umount_run;
	j->job.done = umount_over;
	if (fuse_job_start(&j->job, m->front)) {
		mount_job_free(j);
		return false;
	}
	m->leaving = true;
	m->n_jobs++;
	return true;
}

static void umount_no_memory(struct fuse_front *f, struct dm_cmd *c, const struct fuse_mount *m)
{
	fuse_mount_record_undo(f, c, m->order);
	dm_fail(c, -ENOMEM, "no memory to unmount %s", c->directory);
}

static void umount_do(struct fuse_front *f, struct dm_cmd *c)
{
	struct fuse_mount *m = fuse_mount_find(f, c->directory);

	if (!m)
		dm_fail(c, -EINVAL, "the devices of this daemon are not mounted on %s; `dmuse mount` lists the "
			"directories", c->directory);
	else if (m->leaving)
		dm_fail(c, -EBUSY, "%s is already being unmounted", c->directory);
	else if (fuse_mount_record(f, c, 0))
		dm_finish(c);
	else if (!umount_start(m, c))
		umount_no_memory(f, c, m);
}

static void mount_list(struct fuse_front *f, struct dm_cmd *c)
{
	struct text out = TEXT_INIT;
	struct list *pos, *next;

	list_each(pos, next, &f->mounts) {
		const struct fuse_mount *m = container(pos, struct fuse_mount, node);

		if (m->unmounted)
			continue;
		text_add_word(&out, m->directory);
		text_add(&out, "\n");
	}
	c->reply.answer = out.failed ? NULL : arena_strdup(&c->reply.arena, text_str(&out));
	text_free(&out);
	if (c->reply.answer)
		dm_finish(c);
	else
		dm_fail(c, -ENOMEM, "no memory for the answer");
}

/* A directory of that name in another mount namespace is a different one. */
static bool mount_elsewhere(const struct dm_cmd *c)
{
	char ours[64];
	ssize_t n = readlink("/proc/self/ns/mnt", ours, sizeof(ours) - 1);

	if (n < 0 || !c->mount_ns)
		return false;
	ours[n] = '\0';
	return strcmp(ours, c->mount_ns) != 0;
}

void fuse_mount_command(struct dm_front *front, struct dm_cmd *c)
{
	struct fuse_front *f = container(front, struct fuse_front, front);

	if (f->stopping)
		dm_fail(c, -ESHUTDOWN, "the daemon is ending");
	else if (!c->directory)
		mount_list(f, c);
	else if (mount_elsewhere(c))
		dm_fail(c, -EXDEV, "the daemon runs in another mount namespace, and its mounts are not visible here: "
			"start a daemon of your own here (--socket PATH)");
	else if (c->verb == DM_DO_MOUNT)
		mount_do(f, c);
	else
		umount_do(f, c);
}

void fuse_mount_stop_all(struct fuse_front *f)
{
	struct list *pos, *next;

	list_each(pos, next, &f->mounts) {
		struct fuse_mount *m = container(pos, struct fuse_mount, node);

		if (m->unmounted || (!m->leaving && !umount_start(m, NULL)))
			mount_end(m);
	}
}
