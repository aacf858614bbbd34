/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Draws the tree of devices: see tree.h. Each open level adds a segment at the left of a line: a bar if more children
 * follow, else blanks. Compact mode puts a first child on its parent's line, so there the segments are as wide as the
 * parent.
 */
#include "cmd/tree.h"

#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/graph.h"
#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/pick.h"
#include "cmd/progress.h"
#include "cmd/say.h"

#define TREE_JSON_DEPTH 64	/* so many levels in --json: parsers have limits of their own */
#define TREE_PLENTY 1000	/* devices: after so many, what was drawn already is not drawn again; a ladder has 2^n paths */

struct tree_signs {
	const char *more, *last, *bar;		/* for a child with siblings below, for the last one, for an open level */
	const char *first, *only;		/* compact: between a parent and its child on the same line */
};

static const struct tree_signs tree_ascii = { "|-", "`-", "|", "-+-", "---" };
static const struct tree_signs tree_utf = { "\u251c\u2500", "\u2514\u2500", "\u2502", "\u2500\u252c\u2500",
					    "\u2500\u2500\u2500" };
static const struct tree_signs tree_vt100 = { "\033(0tq\033(B", "\033(0mq\033(B", "\033(0x\033(B",
					      "\033(0qwq\033(B", "\033(0qqq\033(B" };

/* A device whose children are being drawn. */
struct tree_level {
	const size_t *children;
	size_t count, at;	/* of the children, and the next one */
	size_t left;		/* that are shown and were not drawn yet */
	int width;		/* blanks before the level's bar */
	bool more, first;	/* a sibling follows; no child was drawn yet */
	plist_t out, list;	/* of --json: the device, and its children */
};

struct tree {
	struct job *j;
	const struct graph *g;
	const struct tree_signs *signs;
	size_t drawn;
	bool *seen;		/* of each node */
	bool nodevice, blkdevname, active, open, rw, uuid, status, inverted, compact;
	struct tree_level *levels;	/* from the root to the device that was drawn last: stacks may be deep */
	size_t depth, room;
};

/* One word of -o; false if it is unknown. */
static bool tree_option(struct tree *t, const char *word)
{
	const struct {
		const char *word;
		bool *set, to;
	} flags[] = {
		{ "device", &t->nodevice, false }, { "nodevice", &t->nodevice, true },
		{ "blkdevname", &t->blkdevname, true }, { "active", &t->active, true }, { "open", &t->open, true },
		{ "rw", &t->rw, true }, { "uuid", &t->uuid, true }, { "status", &t->status, true }, { "inverted", &t->inverted, true },
		{ "compact", &t->compact, true },
	};
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (!strcmp(word, flags[i].word)) {
			*flags[i].set = flags[i].to;
			return true;
		}
	if (!strcmp(word, "ascii"))
		t->signs = &tree_ascii;
	else if (!strcmp(word, "utf"))
		t->signs = &tree_utf;
	else if (!strcmp(word, "vt100"))
		t->signs = &tree_vt100;
	else
		return !strcmp(word, "notrunc");	/* lines are never cut */
	return true;
}

static int tree_options(struct job *j, struct tree *t)
{
	char *words, *at, *word;
	int code = EXIT_OK;

	setlocale(LC_CTYPE, "");
	t->signs = strcmp(nl_langinfo(CODESET), "UTF-8") ? &tree_ascii : &tree_utf;
	if (!j->o.given[OPT_options])
		return EXIT_OK;
	at = words = say_need(strdup(j->o.value[OPT_options]));
	while (!code && (word = strsep(&at, ",")))
		if (!tree_option(t, word))
			code = job_usage(j, "-o %s: with --tree it must be one of ascii, utf, vt100, compact, "
					 "inverted, notrunc, "
					 "blkdevname, device, nodevice, active, open, rw, uuid, status", word);
	free(words);
	return code;
}

static void tree_add_progress(const struct progress *p, void *out)
{
	struct text one = TEXT_INIT;

	progress_short(p, &one);
	text_printf(out, "%s%s%s%s", ((struct text *)out)->len ? ", " : "", p->type, one.len ? " " : "", say_text(&one));
	text_free(&one);
}

/* [ACTIVE, RW, 0, UUID, snapshot 12% full] of a mapped device, as far as requested. */
static int tree_state(const struct tree *t, plist_t row)
{
	struct text status = TEXT_INIT;
	char open[24];

	if (t->status)
		progress_each(t->j, key_text(row, "name"), tree_add_progress, &status);
	const struct {
		bool wanted;
		const char *s;
	} parts[] = {
		{ t->active, key_flag(row, DICT_SUSPEND) ? "SUSPENDED" : "ACTIVE" },
		{ t->rw, key_flag(row, DICT_READONLY) ? "RO" : "RW" },
		{ t->open, open },
		{ t->uuid, key_text(row, "uuid") },
		{ status.len, say_text(&status) },
	};
	int n = 0;
	size_t i;

	snprintf(open, sizeof(open), "%" PRIu64, key_u64(row, "open_count"));
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i].wanted)
			n += printf("%s%s", n ? ", " : " [", parts[i].s);
	text_free(&status);
	return n ? n + printf("]") : 0;
}

/* dm-MINOR is Linux's name; for a device that is not mapped, the last part of its path. */
static int tree_blkdevname(const struct graph_node *n)
{
	const char *slash = strrchr(n->name, '/');

	if (n->row)
		return printf(" <dm-%" PRIu64 ">", n->minor);
	return printf(" <%s>", slash ? slash + 1 : n->name);
}

/*
 * Returns the width in columns. Of a device that is not mapped only the numbers are printed, as in dmsetup; a file has
 * no numbers.
 */
static int tree_label(const struct tree *t, const struct graph_node *n)
{
	bool numbers = n->row || n->major || n->minor;
	int width = 0;

	if (n->row || !numbers)
		width += printf("%s", n->name);
	if (t->blkdevname)
		width += tree_blkdevname(n);
	if (!t->nodevice && numbers)
		width += printf(" (%" PRIu64 ":%" PRIu64 ")", n->major, n->minor);
	return n->row ? width + tree_state(t, n->row) : width;
}

static void tree_indent(const struct tree *t)
{
	size_t i;

	for (i = 0; i + 1 < t->depth; i++)
		printf("%*s %s ", t->levels[i].width, "", t->levels[i].more ? t->signs->bar : " ");
	printf("%*s %s", t->levels[i].width, "", t->levels[i].more ? t->signs->more : t->signs->last);
}

static const size_t *tree_children(const struct tree *t, const struct graph_node *n, size_t *count)
{
	*count = t->inverted ? n->n_above : n->n_below;
	return t->inverted ? n->above : n->below;
}

/* With nodevice, what is not a mapped device is left out. */
static bool tree_hidden(const struct tree *t, size_t node)
{
	const struct graph_node *n = &t->g->nodes[node];

	return t->nodevice && !n->row && (n->major || n->minor);
}

/* Is the tree below NODE left out, because it was drawn already? */
static bool tree_again(struct tree *t, size_t node)
{
	bool again = t->seen[node] && t->drawn >= TREE_PLENTY;

	t->drawn++;
	t->seen[node] = true;
	return again;
}

/* NODE is on a line; what is below it comes next, on a level of its own. */
static struct tree_level *tree_open(struct tree *t, size_t node)
{
	struct tree_level *l;
	size_t i;

	if (t->depth == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->levels = say_need(reallocarray(t->levels, t->room, sizeof(*t->levels)));
	}
	l = &t->levels[t->depth++];
	*l = (struct tree_level){ .at = 0 };
	l->children = tree_children(t, &t->g->nodes[node], &l->count);
	for (i = 0; i < l->count; i++)
		l->left += !tree_hidden(t, l->children[i]);
	return l;
}

/* The next child of the innermost level; false: there is none, and the level is closed. */
static bool tree_next(struct tree *t, size_t *child)
{
	struct tree_level *l = &t->levels[t->depth - 1];

	while (l->at < l->count && tree_hidden(t, l->children[l->at]))
		l->at++;
	if (l->at >= l->count) {
		t->depth--;
		return false;
	}
	*child = l->children[l->at++];
	l->more = --l->left;
	return true;
}

static void tree_draw(struct tree *t, size_t node)
{
	int width = tree_label(t, &t->g->nodes[node]);
	struct tree_level *l = tree_open(t, node);

	l->width = t->compact ? width : 0;
	l->first = true;
	if (tree_again(t, node) && l->left) {
		printf(" ...\n");
		t->depth--;
	} else if (!t->compact || !l->left) {
		printf("\n");
	}
}

static void tree_text(struct tree *t, size_t root)
{
	size_t child;

	tree_draw(t, root);
	while (t->depth) {
		struct tree_level *l = &t->levels[t->depth - 1];

		if (!tree_next(t, &child))
			continue;
		if (t->compact && l->first)
			printf("%s", l->more ? t->signs->first : t->signs->only);
		else
			tree_indent(t);
		l->first = false;
		tree_draw(t, child);
	}
}

static void tree_json_open(struct tree *t, size_t node)
{
	const struct graph_node *n = &t->g->nodes[node];
	struct tree_level *l = tree_open(t, node);
	const char *cut = tree_again(t, node) ? "again" : t->depth > TREE_JSON_DEPTH ? "deeper" : NULL;

	l->out = plist_new_dict();
	l->list = plist_new_array();
	key_set_text(l->out, "name", n->name);
	key_set_u64(l->out, "major", n->major);
	key_set_u64(l->out, "minor", n->minor);
	if (cut && l->count)
		key_set_bool(l->out, cut, true);
	if (cut)
		l->count = 0;
}

static plist_t tree_json(struct tree *t, size_t root)
{
	size_t child;

	tree_json_open(t, root);
	for (;;) {
		struct tree_level *l;

		if (tree_next(t, &child)) {
			tree_json_open(t, child);
			continue;
		}
		l = &t->levels[t->depth];	/* it was closed */
		plist_dict_set_item(l->out, t->inverted ? "used_by" : "uses", l->list);
		if (!t->depth)
			return l->out;
		plist_array_append_item(t->levels[t->depth - 1].list, l->out);
	}
}

static bool tree_root(const struct tree *t, const struct graph_node *n)
{
	return t->inverted ? !n->n_below : !n->n_above;
}

static int tree_roots(struct job *j, struct tree *t)
{
	plist_t list = plist_new_array();
	size_t i;

	for (i = 0; i < t->g->n; i++) {
		if (!tree_root(t, &t->g->nodes[i]) || tree_hidden(t, i))
			continue;
		if (j->o.given[OPT_json])
			plist_array_append_item(list, tree_json(t, i));
		else
			tree_text(t, i);
	}
	if (j->o.given[OPT_json])
		return job_print_json(j, list);
	plist_free(list);
	return EXIT_OK;
}

int tree_print(struct job *j)
{
	struct tree t = { .j = j };
	struct graph g;
	int code = tree_options(j, &t);

	if (code)
		return code;
	code = graph_load(j, &g);
	t.g = &g;
	if (!code && !g.n)
		pick_say_none(j);
	t.seen = say_need(calloc(g.n + 1, sizeof(*t.seen)));
	if (!code)
		code = tree_roots(j, &t);
	free(t.levels);
	free(t.seen);
	graph_free(&g);
	return code;
}
