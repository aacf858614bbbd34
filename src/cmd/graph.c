/* SPDX-License-Identifier: BSD-2-Clause */
/* The graph of devices: see graph.h. Built for `ls --tree` and the columns about dependencies. */
#include "cmd/graph.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/say.h"

/* The key of a node: its device number, or its name if it has none; and for mapped devices also '=' and the name. */
struct graph_key {
	struct hash_link by_word;
	size_t node;
	char word[];
};

static char *graph_word(plist_t d)
{
	uint64_t major = key_u64(d, "major"), minor = key_u64(d, "minor");
	char *word;

	if (!major && !minor)
		return say_need(strdup(key_text(d, "name")));
	if (asprintf(&word, "%" PRIu64 ":%" PRIu64, major, minor) < 0)
		say_need(NULL);
	return word;
}

static void graph_add_key(struct graph *g, const char *sign, const char *word, size_t node)
{
	struct graph_key *key = say_need(calloc(1, sizeof(*key) + strlen(sign) + strlen(word) + 1));

	strcpy(stpcpy(key->word, sign), word);
	key->node = node;
	hash_add(&g->keys, &key->by_word, key->word, strlen(key->word));
}

static struct graph_node *graph_add_node(struct graph *g, plist_t d, const char *word)
{
	if (g->n == g->room) {
		g->room = g->room ? 2 * g->room : 64;
		g->nodes = say_need(reallocarray(g->nodes, g->room, sizeof(*g->nodes)));
	}
	graph_add_key(g, "", word, g->n);
	g->nodes[g->n] = (struct graph_node){ .name = key_text(d, "name"), .major = key_u64(d, "major"),
					      .minor = key_u64(d, "minor") };
	return &g->nodes[g->n++];
}

/* The index of the node for D (a row or a dep), which is created if necessary. */
static size_t graph_node(struct graph *g, plist_t d, plist_t row)
{
	char *word = graph_word(d);
	struct graph_node *n;
	struct graph_key *key;

	key = hash_owner(hash_find(&g->keys, word, strlen(word)), struct graph_key, by_word);
	n = key ? &g->nodes[key->node] : graph_add_node(g, d, word);
	free(word);
	if (row) {
		n->row = row;
		n->name = key_text(row, "name");
		graph_add_key(g, "=", n->name, (size_t)(n - g->nodes));
	}
	return (size_t)(n - g->nodes);
}

static void graph_add(size_t **list, size_t *n, size_t what)
{
	*list = say_need(reallocarray(*list, *n + 1, sizeof(**list)));
	(*list)[(*n)++] = what;
}

static void graph_edges(struct graph *g, plist_t row)
{
	size_t top = graph_node(g, row, row), below;

	for (struct key_walk w = key_walk(key_array(row, "deps")); key_walk_next(&w);) {
		below = graph_node(g, w.item, NULL);
		graph_add(&g->nodes[top].below, &g->nodes[top].n_below, below);
		graph_add(&g->nodes[below].above, &g->nodes[below].n_above, top);
	}
}

int graph_load(struct job *j, struct graph *g)
{
	int code;
	size_t i;

	*g = (struct graph){ .n = 0 };
	code = pick_all_deps(j, &g->rows);
	for (i = 0; !code && i < g->rows.n; i++)
		graph_edges(g, g->rows.rows[i]);
	return code;
}

const struct graph_node *graph_find(const struct graph *g, const char *device)
{
	struct graph_key *key;
	char *word;

	if (asprintf(&word, "=%s", device) < 0)
		say_need(NULL);
	key = hash_owner(hash_find(&g->keys, word, strlen(word)), struct graph_key, by_word);
	free(word);
	return key ? &g->nodes[key->node] : NULL;
}

/* From a node that was picked to one below it, and so on: where the walk is. */
struct graph_step {
	size_t node, below;	/* the next one that it looks at */
	size_t pick;
};

/* Moves the names of node I and of everything below it to TO[*N], the lowest first. STEPS has room for each of the names. */
static void graph_take(struct graph *g, size_t i, struct pick *p, char **to, size_t *n, struct graph_step *steps)
{
	struct graph_step *s = steps;	/* behind the innermost one */

	for (;;) {
		if (g->nodes[i].pick) {
			*s++ = (struct graph_step){ .node = i, .pick = g->nodes[i].pick };
			g->nodes[i].pick = 0;
		}
		for (; s > steps && s[-1].below == g->nodes[s[-1].node].n_below; s--) {
			to[(*n)++] = p->names[s[-1].pick - 1];
			p->names[s[-1].pick - 1] = NULL;
		}
		if (s == steps)
			return;
		i = g->nodes[s[-1].node].below[s[-1].below++];
	}
}

static void graph_pick(struct graph *g, const struct pick *p)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		const struct graph_node *node = graph_find(g, p->names[i]);

		if (node)
			g->nodes[node - g->nodes].pick = i + 1;
	}
}

int graph_sort(struct job *j, struct pick *p)
{
	char **to = say_need(calloc(p->n + 1, sizeof(*to)));
	struct graph_step *steps = say_need(calloc(p->n + 1, sizeof(*steps)));
	struct graph g;
	size_t i, n = 0;
	int code = graph_load(j, &g);

	if (!code)
		graph_pick(&g, p);
	for (i = 0; !code && i < g.n; i++)
		graph_take(&g, i, p, to, &n, steps);
	for (i = 0; i < p->n; i++)
		if (p->names[i])
			to[n++] = p->names[i];
	free(steps);
	free(p->names);
	p->names = to;
	graph_free(&g);
	return code;
}

void graph_free(struct graph *g)
{
	struct hash_link *l, *next;
	size_t i;

	for (i = 0; i < g->n; i++) {
		free(g->nodes[i].below);
		free(g->nodes[i].above);
	}
	free(g->nodes);
	hash_each(l, next, &g->keys) {
		hash_remove(&g->keys, l);
		free(container(l, struct graph_key, by_word));
	}
	pick_rows_free(&g->rows);
}
