/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listing directories of the view. Programs that list a device's directory in /sys look into every directory there to
 * see whether it is a partition's: the kernel is told about these with the listing (READDIRPLUS), so it need not ask for
 * each. Nothing else is told ahead: the kernel would remember files that nobody opens.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fronts/fuse/dev.h"

#define LIST_HIDDEN ".dmuse"	/* not listed, but can be looked up */
#define LIST_AHEAD 8		/* a device's directory has fewer other directories and links */

struct list_page {
	fuse_req_t req;
	char *buf;
	size_t len, room;
	bool plus;
	struct dev_node *ahead[LIST_AHEAD];	/* the kernel is told about them with this page */
	unsigned n_ahead;
};

static bool list_add_param(struct list_page *p, const char *name, const struct fuse_entry_param *e, uint64_t place)
{
	char *at = p->buf + p->len;
	size_t room = p->room - p->len, len;

	len = p->plus ? fuse_add_direntry_plus(p->req, at, room, name, e, (off_t)place) :
			fuse_add_direntry(p->req, at, room, name, &e->attr, (off_t)place);
	if (len > room)
		return false;
	p->len += len;
	return true;
}

/* Adds a name at position PLACE; false if there is no room. */
static bool list_add(struct list_page *p, const char *name, uint64_t id, mode_t mode, uint64_t place)
{
	const struct fuse_entry_param e = { .attr = { .st_ino = id, .st_mode = mode } };

	return list_add_param(p, name, &e, place);
}

static bool list_add_ahead(struct list_page *p, const char *name, struct dev_node *n, uint64_t place)
{
	struct fuse_entry_param e;

	dev_tell(n, &e);
	if (!list_add_param(p, name, &e, place)) {
		dev_node_forget(n, 1);
		return false;
	}
	p->ahead[p->n_ahead++] = n;
	return true;
}

/* The file type for a listing: unknown where another file may be mounted on top, because find(1) then looks closer. */
static mode_t list_kind(const struct dev_node *n)
{
	return n->live || !S_ISREG(n->mode) ? n->mode : 0;
}

static bool list_add_entry(struct list_page *p, const struct dev_entry *e)
{
	struct dev_node *n = e->of;

	if (p->plus && e->dir->device && !n->passing && !S_ISREG(n->mode) && p->n_ahead < LIST_AHEAD)
		return list_add_ahead(p, e->name, n, e->place);
	return list_add(p, e->name, n->id, list_kind(n), e->place);
}

static bool list_add_texts(struct list_page *p, const struct dev_node *dir, uint64_t off)
{
	bool room = true;

	for (unsigned i = 0; room && i < dir->n_texts; i++)
		if (DEV_FIRST_PLACE + i > off)
			room = list_add(p, dir->texts[i].name, dev_id_below(dir, dir->texts[i].name, 0),
					dev_text_mode(&dir->texts[i]), DEV_FIRST_PLACE + i);
	return room;
}

/* Or listed with the texts. */
static bool list_hides(const struct dev_entry *e)
{
	return (e->of->text && e->dir->n_texts) || (e->dir == e->dir->view->root && !strcmp(e->name, LIST_HIDDEN));
}

/* A large directory is listed a page at a time: usually we know where the last page ended. */
static void list_fill(struct list_page *p, struct dev_node *dir, uint64_t off)
{
	struct list *pos = dir->listed && dir->listed->place <= off ? &dir->listed->node : dir->entries.next;
	bool room = true;

	if (off < 1)
		room = list_add(p, ".", dir->id, dir->mode, 1);
	if (room && off < 2)
		room = list_add(p, "..", dir->parent->id, dir->parent->mode, 2);
	room = room && list_add_texts(p, dir, off);
	for (; room && pos != &dir->entries; pos = pos->next) {
		struct dev_entry *e = container(pos, struct dev_entry, node);

		if (e->place > off && !list_hides(e))
			room = list_add_entry(p, e);
		if (room)
			dir->listed = e;
	}
}

static void list_answer(struct fuse_ask *a)
{
	struct dev_node *dir = dev_ask_dir(a, a->ino);
	struct list_page p = { .req = a->req, .room = a->size, .plus = a->flags };

	if (!dir)
		return;
	p.buf = malloc(a->size);
	if (p.buf)
		list_fill(&p, dir, a->off);
	if (!p.buf)
		fuse_reply_err(a->req, ENOMEM);
	else if (fuse_reply_buf(a->req, p.buf, p.len))
		while (p.n_ahead)
			dev_node_forget(p.ahead[--p.n_ahead], 1);
	free(p.buf);
}

static void list_ask(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, bool plus)
{
	struct fuse_ask *a = fuse_ask_new(req, ino, "", 1, 1, list_answer);

	if (!a)
		return;
	a->off = (uint64_t)off;
	a->size = size;
	a->flags = plus;
	fuse_ask_brief(a);
}

void dev_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	(void)fi;
	list_ask(req, ino, size, off, false);
}

void dev_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	(void)fi;
	list_ask(req, ino, size, off, true);
}
