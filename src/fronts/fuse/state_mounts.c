/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections that outlive the daemon. The descriptor is kept; the kernel believes that it is still served, so its first
 * request, in which both sides told what they can, is played to libfuse once more (session.c).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/keep.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/text.h"
#include "fronts/fuse/dev.h"
#include "fronts/fuse/raw.h"

#define MOUNTS_NAME "fuse:"
#define MOUNTS_BARRIER 1000	/* milliseconds */

static void mounts_name(uint64_t number, char name[40])
{
	snprintf(name, 40, MOUNTS_NAME "%" PRIu64, number);
}

void fuse_state_mount(struct fuse_mount *m)
{
	const struct dev_view *v = m->view;
	struct text t = TEXT_INIT;

	text_printf(&t, "%s %d %d %lld.%09ld %" PRIu64 " %d %s", v ? "dev" : "directory", m->id, m->unmounted,
		    (long long)m->since.tv_sec, m->since.tv_nsec, v ? v->user_ns : 0, v ? v->user_ns_made : 0, m->directory);
	fuse_state_put(m->front, text_str(&t), t.len, "mount/%" PRIu64, m->number);
	fuse_state_commit(m->front);
	text_free(&t);
}

void fuse_state_mount_begin(struct fuse_mount *m)
{
	struct err e = ERR_INIT;
	char name[40];

	fuse_state_mount(m);
	mounts_name(m->number, name);
	if (keep_fd(name, fuse_session_fd(m->session), &e))
		log_warn("files in %s that are open would end with this daemon: %s", m->directory, e.text);
}

void fuse_state_mount_gone(struct fuse_mount *m)
{
	char name[40];

	mounts_name(m->number, name);
	keep_drop(name);
	fuse_state_drop(m->front, "mount/%" PRIu64, m->number);
	fuse_state_drop(m->front, "init/%" PRIu64, m->number);
	fuse_state_drop(m->front, "agreed/%" PRIu64, m->number);
	fuse_state_commit(m->front);
}

void fuse_state_init(struct fuse_mount *m)
{
	struct text t = TEXT_INIT;

	hex_add(&t, m->init, m->init_len);
	fuse_state_put(m->front, text_str(&t), t.len, "init/%" PRIu64, m->number);
	fuse_state_commit(m->front);
	text_free(&t);
}

void fuse_state_agreed(struct fuse_mount *m)
{
	char value[40];
	int n = snprintf(value, sizeof(value), "%" PRIu32 " %" PRIu32, m->agreed.want, m->agreed.max_write);

	fuse_state_put(m->front, value, (size_t)n, "agreed/%" PRIu64, m->number);
	fuse_state_commit(m->front);
}

struct fuse_mount *fuse_mount_by_number(const struct fuse_front *f, uint64_t number)
{
	struct list *pos, *next;

	list_each(pos, next, &f->mounts)
		if (container(pos, struct fuse_mount, node)->number == number)
			return container(pos, struct fuse_mount, node);
	return NULL;
}

/* In the order in which they were made. */
static void mounts_sort(struct fuse_front *f, struct fuse_mount *m)
{
	struct list *pos, *next;

	list_remove(&m->node);
	list_each(pos, next, &f->mounts)
		if (container(pos, struct fuse_mount, node)->number > m->number)
			break;
	list_append(pos, &m->node);
}

struct mounts_record {
	char kind[12];
	int id, unmounted, user_ns_made, at;	/* AT: where the directory begins */
	long long sec;
	long nsec;
	uint64_t user_ns;
};

/* 0 or -errno; FD is taken over. */
static int mounts_attach(struct fuse_front *f, uint64_t number, const struct mounts_record *r, const char *directory, int fd)
{
	bool dev = !strcmp(r->kind, "dev");
	struct fuse_mount *m;
	int err;

	if (dev)
		err = fuse_dev_again(f, fd, number, r->user_ns, r->user_ns_made, &m);
	else
		err = fuse_mount_new(f, &fuse_directory, fd, directory, number, &m);
	if (err)
		return err;
	m->id = r->id;
	m->unmounted = r->unmounted;
	m->since = (struct timespec){ r->sec, r->nsec };
	mounts_sort(f, m);
	return 0;
}

/*
 * A kernel that cannot send again what was read and not answered: whoever waits for that would wait for ever. So the connection
 * ends here, and what it showed is shown anew. 0 or -errno; FD is taken over.
 */
static int mounts_attach_if_possible(struct fuse_front *f, uint64_t number, const struct mounts_record *r, const char *directory, int fd)
{
	if (fuse_raw_resend(fd) != -EINVAL)
		return mounts_attach(f, number, r, directory, fd);
	close(fd);
	return -EINVAL;
}

static const char *mounts_why(int fd, int err)
{
	if (fd < 0)
		return "its descriptor was not kept";
	return err == -EINVAL ? "this kernel cannot send again what the daemon that was killed had not answered (Linux 6.9 and later can)" :
				strerror(-err);
}

static void mounts_see(struct fuse_front *f, const char *tail, const char *value, size_t len)
{
	uint64_t number = strtoull(tail, NULL, 10);
	struct mounts_record r = { .at = 0 };
	int fd, err = -EINVAL;
	char name[40];

	(void)len;
	mounts_name(number, name);
	fd = keep_take(name);
	if (sscanf(value, "%11s %d %d %lld.%ld %" SCNu64 " %d %n", r.kind, &r.id, &r.unmounted, &r.sec, &r.nsec, &r.user_ns,
		   &r.user_ns_made, &r.at) == 7 && r.at)
		err = fd < 0 ? -EBADF : mounts_attach_if_possible(f, number, &r, value + r.at, fd);
	if (!err)
		return;
	keep_drop(name);
	notify_barrier(MOUNTS_BARRIER);		/* as long as somebody holds the connection, it is not dead for the kernel */
	fuse_state_drop(f, "mount/%s", tail);
	log_warn("files in %s that are open end here: %s", value + r.at, mounts_why(fd, err));
}

static void mounts_see_init(struct fuse_front *f, const char *tail, const char *value, size_t len)
{
	struct fuse_mount *m = fuse_mount_by_number(f, strtoull(tail, NULL, 10));

	if (!m) {
		fuse_state_drop(f, "init/%s", tail);
		return;
	}
	m->init = malloc(len / 2 + 1);
	if (!m->init)
		return;
	m->init_len = hex_read(value, m->init, len / 2);
}

static void mounts_see_agreed(struct fuse_front *f, const char *tail, const char *value, size_t len)
{
	struct fuse_mount *m = fuse_mount_by_number(f, strtoull(tail, NULL, 10));

	(void)len;
	if (m)
		sscanf(value, "%" SCNu32 " %" SCNu32, &m->agreed.want, &m->agreed.max_write);
	else
		fuse_state_drop(f, "agreed/%s", tail);
}

void fuse_mounts_restore(struct fuse_front *f)
{
	fuse_state_each(f, "mount/", mounts_see);
	fuse_state_each(f, "init/", mounts_see_init);
	fuse_state_each(f, "agreed/", mounts_see_agreed);
}
