/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directory: one file for each device, with its name. The kernel does not cache names, so a rename or removal is
 * seen at once. The directory itself cannot be changed. Requests arrive on the io thread and are answered on the
 * control thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fronts/fuse/server.h"

#define NAMES_KEPT 86400.0	/* seconds for which the kernel caches a file's attributes, unless it is told otherwise */
#define NAMES_FIRST 3		/* position of the first device in the directory: 1 and 2 are . and .. */

static void names_stat(const struct fuse_node *n, struct stat *st)
{
	*st = (struct stat){
		.st_ino = n->id, .st_nlink = 1, .st_uid = geteuid(), .st_gid = getegid(),
		.st_mode = S_IFREG | (dm_device_readonly(n->device) ? 0400 : 0600),
		.st_size = (off_t)atomic_load(&n->size), .st_blksize = 4096, .st_atim = n->since, .st_mtim = n->since,
		.st_ctim = n->since,
	};
	st->st_blocks = st->st_size >> DM_SECTOR_SHIFT;
}

static void names_stat_root(const struct fuse_mount *m, struct stat *st)
{
	*st = (struct stat){
		.st_ino = FUSE_ROOT_ID, .st_nlink = 2, .st_mode = S_IFDIR | 0700, .st_uid = geteuid(), .st_gid = getegid(),
		.st_atim = m->since, .st_mtim = m->since, .st_ctim = m->since,
	};
}

static void lookup_answer(struct fuse_ask *a)
{
	struct fuse_front *f = a->mount->front;
	struct dm_device *d = a->ino == FUSE_ROOT_ID ? dm_find_name(f->world, a->name) : NULL;
	struct fuse_node *n = d ? fuse_node_of(f, d) : NULL;
	struct fuse_entry_param e = { .attr_timeout = NAMES_KEPT };

	if (!n) {
		fuse_reply_err(a->req, d ? ENOMEM : ENOENT);
		return;
	}
	e.ino = n->id;
	names_stat(n, &e.attr);
	fuse_reply_entry(a->req, &e);
}

void fuse_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	fuse_ask(req, parent, name, 0, 0, lookup_answer);
}

static void attr_answer(struct fuse_ask *a)
{
	struct fuse_front *f = a->mount->front;
	struct fuse_node *n = fuse_node_find(f, a->ino);
	struct stat st;

	if (a->ino != FUSE_ROOT_ID && !n) {
		fuse_reply_err(a->req, ENOENT);
		return;
	}
	if (n)
		names_stat(n, &st);
	else
		names_stat_root(a->mount, &st);
	fuse_reply_attr(a->req, &st, NAMES_KEPT);
}

void fuse_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)fi;
	fuse_ask(req, ino, "", 0, 0, attr_answer);
}

/* A truncation to the current size. */
static void setattr_answer(struct fuse_ask *a)
{
	struct fuse_node *n = fuse_node_find(a->mount->front, a->ino);

	if (n && atomic_load(&n->size) == a->off)
		attr_answer(a);
	else
		fuse_reply_err(a->req, EPERM);
}

/* Owner, mode and times cannot be changed, and a device's size is its table's. */
void fuse_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set, struct fuse_file_info *fi)
{
	(void)fi;
	if (to_set & (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID) || !(to_set & FUSE_SET_ATTR_SIZE))
		fuse_reply_err(req, EPERM);
	else
		fuse_ask(req, ino, "", (uint64_t)attr->st_size, 0, setattr_answer);
}

static int names_compare(const void *a, const void *b)
{
	const struct dm_device *x = *(struct dm_device *const *)a, *y = *(struct dm_device *const *)b;

	return x->minor < y->minor ? -1 : x->minor > y->minor;
}

/* The devices after position OFF of the directory, in its order: by minor, so that changes do not shift the others. */
static size_t names_behind(const struct dm_world *w, uint64_t off, struct dm_device **out)
{
	struct list *pos, *next;
	size_t n = 0;

	list_each(pos, next, &w->devices) {
		struct dm_device *d = container(pos, struct dm_device, node);

		if (NAMES_FIRST + (uint64_t)d->minor > off)
			out[n++] = d;
	}
	qsort(out, n, sizeof(*out), names_compare);
	return n;
}

struct names_page {
	fuse_req_t req;
	char *buf;
	size_t len, room;
};

/* Adds a name at position PLACE; false if there is no room. */
static bool names_add(struct names_page *p, const char *name, uint64_t ino, mode_t mode, uint64_t place)
{
	struct stat st = { .st_ino = ino, .st_mode = mode };
	size_t n = fuse_add_direntry(p->req, p->buf + p->len, p->room - p->len, name, &st, (off_t)place);

	if (n > p->room - p->len)
		return false;
	p->len += n;
	return true;
}

static void names_fill(struct names_page *p, struct fuse_front *f, uint64_t off, struct dm_device **devices)
{
	size_t n = names_behind(f->world, off, devices), i;
	bool room = true;

	if (off < 1)
		room = names_add(p, ".", FUSE_ROOT_ID, S_IFDIR, 1);
	if (room && off < 2)
		room = names_add(p, "..", FUSE_ROOT_ID, S_IFDIR, 2);
	for (i = 0; room && i < n; i++) {
		struct fuse_node *node = fuse_node_of(f, devices[i]);

		room = node && names_add(p, devices[i]->name, node->id, S_IFREG,
					 NAMES_FIRST + (uint64_t)devices[i]->minor);
	}
}

static void readdir_answer(struct fuse_ask *a)
{
	struct fuse_front *f = a->mount->front;
	struct names_page p = { .req = a->req, .buf = malloc(a->size), .room = a->size };
	struct dm_device **devices = calloc(f->world->n_devices + 1, sizeof(*devices));

	if (p.buf && devices) {
		names_fill(&p, f, a->off, devices);
		fuse_reply_buf(a->req, p.buf, p.len);
	} else {
		fuse_reply_err(a->req, ENOMEM);
	}
	free(p.buf);
	free(devices);
}

void fuse_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct fuse_ask *a = fuse_ask_new(req, ino, "", 1, 1, readdir_answer);

	(void)fi;
	if (!a)
		return;
	a->off = (uint64_t)off;
	a->size = size;
	fuse_ask_send(a);	/* the devices are sorted for it, which takes a while */
}
