/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nodes and names of the view. A node exists as long as a name refers to it, a program has it open, or the kernel knows
 * it. As for the last, only the kernel's FORGET counts.
 *
 * The number of a node of ours follows from its place: in the low half is the number of its device, or the root's, and
 * in the high half a hash of its path. So a later daemon finds the same numbers, which the kernel still uses. What
 * others create, and a device's io file, have a number of their own, whose high half is 0.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fronts/fuse/dev.h"

#define NODE_HASH_SEED 2166136261u
#define NODE_HASH_PRIME 16777619u

uint64_t dev_id_below(const struct dev_node *dir, const char *name, uint64_t device)
{
	uint32_t hash = (uint32_t)(dir->id >> 32) ^ NODE_HASH_SEED;	/* FNV-1a, continued from the directory's */

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * NODE_HASH_PRIME;
	return (uint64_t)(hash ? hash : 1) << 32 | (uint32_t)(device ? device : dir->id);
}

static void node_begin(struct dev_node *n, struct dev_view *v, uint64_t id)
{
	*n = (struct dev_node){ .view = v, .id = id, .known = n->known, .next_place = DEV_FIRST_PLACE };
	list_init(&n->entries);
	clock_gettime(CLOCK_REALTIME, &n->mtime);
	n->atime = n->ctime = n->mtime;
	hash_add(&v->by_id, &n->by_id, &n->id, sizeof(n->id));
}

/* A name of ours is back, and the kernel has not forgotten N, which it was before: it is the same again. */
static struct dev_node *node_again(struct dev_view *v, struct dev_node *n)
{
	hash_remove(&v->by_id, &n->by_id);
	free(n->data);
	return n;
}

struct dev_node *dev_node_new(struct dev_view *v, mode_t mode, uint64_t id)
{
	struct dev_node *old = id ? dev_node_find(v, id) : NULL, *n;
	bool again = old && !old->nlink && !old->opens;

	n = again ? node_again(v, old) : calloc(1, sizeof(*n));
	if (!n)
		return NULL;
	node_begin(n, v, id && (!old || again) ? id : fuse_serial(v->front));
	n->mode = mode;
	return n;
}

struct dev_node *dev_node_find(struct dev_view *v, uint64_t id)
{
	return hash_owner(hash_find(&v->by_id, &id, sizeof(id)), struct dev_node, by_id);
}

/* The kernel may know a file in /sys or /proc from the time of an earlier daemon, which this one was never asked for. */
struct dev_node *dev_node_of(struct dev_view *v, uint64_t id)
{
	uint64_t device = (uint32_t)id;
	struct dev_node *n = dev_node_find(v, id), *dir = NULL;
	const struct fuse_node *f;

	if (n || !v->again || id == device)
		return n;
	f = fuse_node_find(v->front, device);
	if (f)
		dir = dev_sys_dir(v, f->device);
	else if (device == FUSE_ROOT_ID)
		dir = v->proc;
	n = dir ? dev_node_find(v, id) : NULL;		/* it may have been a directory that was filled just now */
	return n || !dir ? n : dev_text_of(dir, id);
}

bool dev_known(struct dev_view *v, uint64_t id)
{
	const struct dev_node *n = dev_node_find(v, id);

	return n && (n->known || v->again);
}

void dev_node_check(struct dev_node *n)
{
	struct dev_view *v = n->view;

	if (n->nlink || n->known || n->opens || n == v->root)
		return;
	hash_remove(&v->by_id, &n->by_id);
	fuse_state_node_gone(n);
	if (!n->live)
		v->n_bytes -= n->len;
	free(n->data);
	free(n);
}

void dev_node_forget(struct dev_node *n, uint64_t times)
{
	n->known -= times < n->known ? times : n->known;
	dev_node_check(n);
}

struct dev_entry *dev_entry_find(const struct dev_node *dir, const char *name)
{
	return hash_owner(hash_find(&dir->by_name, name, strlen(name)), struct dev_entry, by_name);
}

/* The one before which E belongs: by place, and nearly always it is the last. */
static struct list *entry_behind(struct dev_node *dir, uint64_t place)
{
	struct list *pos = &dir->entries;

	while (pos->prev != &dir->entries && container(pos->prev, struct dev_entry, node)->place > place)
		pos = pos->prev;
	return pos;
}

struct dev_entry *dev_entry_again(struct dev_node *dir, const char *name, struct dev_node *of, uint64_t place)
{
	struct dev_entry *e = calloc(1, sizeof(*e) + strlen(name) + 1);

	if (!e)
		return NULL;
	strcpy(e->name, name);
	e->dir = dir;
	e->of = of;
	e->place = place;
	list_init(&e->shown);
	list_append(entry_behind(dir, place), &e->node);
	hash_add(&dir->by_name, &e->by_name, e->name, strlen(e->name));
	of->nlink++;
	of->view->n_made += !of->live;
	if (S_ISDIR(of->mode))
		of->parent = dir;
	if (S_ISDIR(of->mode) && dir == of->view->sys_holders)
		dev_sys_machine(of, name);
	return e;
}

/*
 * Where a name stands in its directory follows from the device's number, as a later daemon has to find it; there is one
 * of each device. What others create has a number of its own. The rest stands before all these.
 */
static uint64_t entry_place(struct dev_node *dir, const struct dev_node *of)
{
	if (!of->live)
		return fuse_serial(of->view->front);
	if ((uint32_t)of->id == FUSE_ROOT_ID || (uint32_t)of->id == (uint32_t)dir->id)
		return dir->next_place++;
	return (uint32_t)of->id;
}

struct dev_entry *dev_entry_new(struct dev_node *dir, const char *name, struct dev_node *of)
{
	struct dev_entry *e = dev_entry_again(dir, name, of, entry_place(dir, of));

	if (e && !of->live) {
		fuse_state_node(of);
		fuse_state_name(e);
	}
	return e;
}


static void entry_free(struct dev_entry *e)
{
	struct dev_node *of = e->of;

	if (e->dir->listed == e)
		e->dir->listed = NULL;
	if (!of->live)
		fuse_state_name_gone(e);
	hash_remove(&e->dir->by_name, &e->by_name);
	list_remove(&e->node);
	list_remove(&e->shown);
	free(e);
	of->nlink--;
	of->view->n_made -= !of->live;
	of->device = of->nlink ? of->device : NULL;
	if (S_ISDIR(of->mode))
		of->parent = NULL;
	clock_gettime(CLOCK_REALTIME, &of->ctime);
	dev_node_check(of);
}

int dev_entry_move(struct dev_entry *e, struct dev_node *to, const char *name)
{
	struct dev_entry *new = dev_entry_new(to, name, e->of);

	if (!new)
		return -ENOMEM;
	entry_free(e);
	if (S_ISDIR(new->of->mode))
		new->of->parent = to;
	return 0;
}

/* Bottom-up and without recursion: directories may be nested arbitrarily deep. */
void dev_node_clear(struct dev_node *dir)
{
	struct dev_node *at = dir;

	while (!list_empty(&dir->entries)) {
		struct dev_entry *e = container(at->entries.next, struct dev_entry, node);

		if (!list_empty(&e->of->entries)) {
			at = e->of;
			continue;
		}
		entry_free(e);
		if (list_empty(&at->entries))
			at = dir;
	}
}

void dev_entry_drop(struct dev_entry *e)
{
	dev_node_clear(e->of);
	entry_free(e);
}

void dev_touch(struct dev_node *n)
{
	clock_gettime(CLOCK_REALTIME, &n->mtime);
	n->ctime = n->mtime;
}
