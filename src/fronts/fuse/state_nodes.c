/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What others have created in a /dev: nodes, their content, their names; and what they have changed of our own nodes.
 * Our own follow from the devices and are not recorded.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "fronts/fuse/dev.h"

#define NODES_BLOCK ((size_t)4096)	/* of a file's content */

void fuse_state_node(const struct dev_node *n)
{
	uint64_t m = n->view->mount ? n->view->mount->number : 0;
	char value[400];

	if (n->live) {
		snprintf(value, sizeof(value), "%o %u %u", n->mode, n->uid, n->gid);
		fuse_state_put(n->view->front, value, strlen(value), "attr/%" PRIu64 "/%" PRIu64, m, n->id);
		return;
	}
	snprintf(value, sizeof(value), "%o %u %u %u:%u %lld.%09ld %lld.%09ld %lld.%09ld %zu", n->mode, n->uid, n->gid, major(n->rdev),
		 minor(n->rdev), (long long)n->atime.tv_sec, n->atime.tv_nsec, (long long)n->mtime.tv_sec, n->mtime.tv_nsec,
		 (long long)n->ctime.tv_sec, n->ctime.tv_nsec, n->len);
	fuse_state_put(n->view->front, value, strlen(value), "node/%" PRIu64 "/%" PRIu64, m, n->id);
}

void fuse_state_data(const struct dev_node *n, size_t from, size_t to)
{
	uint64_t m = n->view->mount->number;
	size_t at = from / NODES_BLOCK * NODES_BLOCK;

	for (; at < to; at += NODES_BLOCK)
		fuse_state_put(n->view->front, n->data + at, n->len - at < NODES_BLOCK ? n->len - at : NODES_BLOCK,
			       "data/%" PRIu64 "/%" PRIu64 "/%zu", m, n->id, at);
}

void fuse_state_data_gone(const struct dev_node *n, size_t from, size_t to)
{
	size_t at = (from + NODES_BLOCK - 1) / NODES_BLOCK * NODES_BLOCK;

	for (; at < to; at += NODES_BLOCK)
		fuse_state_drop(n->view->front, "data/%" PRIu64 "/%" PRIu64 "/%zu", n->view->mount->number, n->id, at);
	if (from % NODES_BLOCK)
		fuse_state_data(n, from - 1, from);	/* what follows in its block is gone */
}

void fuse_state_node_gone(const struct dev_node *n)
{
	uint64_t m = n->view->mount ? n->view->mount->number : 0;

	if (n->live && n->altered)
		fuse_state_drop(n->view->front, "attr/%" PRIu64 "/%" PRIu64, m, n->id);
	if (n->live)
		return;
	fuse_state_drop(n->view->front, "node/%" PRIu64 "/%" PRIu64, m, n->id);
	fuse_state_data_gone(n, 0, n->len);
}

void fuse_state_name(const struct dev_entry *e)
{
	char value[DEV_NAME_MAX + 60];

	snprintf(value, sizeof(value), "%" PRIu64 " %" PRIu64 " %s", e->dir->id, e->of->id, e->name);
	fuse_state_put(e->of->view->front, value, strlen(value), "name/%" PRIu64 "/%" PRIu64, e->of->view->mount->number, e->place);
}

void fuse_state_name_gone(const struct dev_entry *e)
{
	fuse_state_drop(e->of->view->front, "name/%" PRIu64 "/%" PRIu64, e->of->view->mount->number, e->place);
}

/* The view of "M/...", and what follows; NULL: it is gone. */
static struct dev_view *nodes_view(struct fuse_front *f, const char *tail, const char **rest)
{
	char *end;
	struct fuse_mount *m = fuse_mount_by_number(f, strtoull(tail, &end, 10));

	*rest = end + (*end == '/');
	return m ? m->view : NULL;
}

static void nodes_see(struct fuse_front *f, const char *tail, const char *value, size_t len)
{
	const char *rest;
	struct dev_view *v = nodes_view(f, tail, &rest);
	struct dev_node r = { .len = 0 }, *n;
	unsigned major, minor;

	(void)len;
	if (!v || sscanf(value, "%o %u %u %u:%u %ld.%ld %ld.%ld %ld.%ld %zu", &r.mode, &r.uid, &r.gid, &major, &minor,
			 &r.atime.tv_sec, &r.atime.tv_nsec, &r.mtime.tv_sec, &r.mtime.tv_nsec, &r.ctime.tv_sec,
			 &r.ctime.tv_nsec, &r.len) != 12 || r.len > DEV_FILE_MAX ||
	    !(n = dev_node_new(v, r.mode, strtoull(rest, NULL, 10)))) {
		fuse_state_drop(f, "node/%s", tail);
		return;
	}
	n->uid = r.uid;
	n->gid = r.gid;
	n->rdev = makedev(major, minor);
	n->atime = r.atime;
	n->mtime = r.mtime;
	n->ctime = r.ctime;
	n->known = 1;		/* perhaps: then the kernel will tell when it forgets it */
	n->data = r.len ? calloc(1, r.len + 1) : NULL;
	n->len = n->data ? r.len : 0;
	v->n_bytes += n->len;
}

static void nodes_see_data(struct fuse_front *f, const char *tail, const char *value, size_t len)
{
	const char *rest;
	struct dev_view *v = nodes_view(f, tail, &rest);
	struct dev_node *n;
	uint64_t id;
	size_t at;

	n = v && sscanf(rest, "%" SCNu64 "/%zu", &id, &at) == 2 ? dev_node_find(v, id) : NULL;
	if (n && !n->live && at < n->len && len <= n->len - at)
		memcpy(n->data + at, value, len);
	else
		fuse_state_drop(f, "data/%s", tail);
}

static void nodes_see_name(struct fuse_front *f, const char *tail, const char *value, size_t len)
{
	const char *rest;
	struct dev_view *v = nodes_view(f, tail, &rest);
	struct dev_node *dir = NULL, *n = NULL;
	uint64_t dir_id, id;
	int at = 0;

	(void)len;
	if (v && sscanf(value, "%" SCNu64 " %" SCNu64 " %n", &dir_id, &id, &at) == 2 && at) {
		dir = dev_node_of(v, dir_id);
		n = dev_node_find(v, id);
	}
	if (!dir || !n || n->live || dev_entry_find(dir, value + at) || !dev_entry_again(dir, value + at, n, strtoull(rest, NULL, 10)))
		fuse_state_drop(f, "name/%s", tail);
}

static void nodes_see_attr(struct fuse_front *f, const char *tail, const char *value, size_t len)
{
	const char *rest;
	struct dev_view *v = nodes_view(f, tail, &rest);
	struct dev_node *n = v ? dev_node_of(v, strtoull(rest, NULL, 10)) : NULL;
	unsigned mode, uid, gid;

	(void)len;
	if (!n || sscanf(value, "%o %u %u", &mode, &uid, &gid) != 3) {
		fuse_state_drop(f, "attr/%s", tail);
		return;
	}
	n->mode = mode;
	n->uid = uid;
	n->gid = gid;
	n->altered = true;
}

void fuse_nodes_restore(struct fuse_front *f)
{
	fuse_state_each(f, "node/", nodes_see);
	fuse_state_each(f, "data/", nodes_see_data);
	fuse_state_each(f, "name/", nodes_see_name);
	fuse_state_each(f, "attr/", nodes_see_attr);
}
