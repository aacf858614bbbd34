/* SPDX-License-Identifier: BSD-2-Clause */
/* The graph of devices: see graph.h. Made for `ls --tree` and the columns that tell who uses whom. */
#include "cmd/graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/say.h"

static bool graph_same(const struct graph_node *n, plist_t d)
{
	uint64_t major = key_u64(d, "major"), minor = key_u64(d, "minor");

	if (major || minor)
		return n->major == major && n->minor == minor;
	return !n->row && !strcmp(n->name, key_text(d, "name"));
}

/* The index of the node that D (a row or a dep) is about, which is made if need be. */
static size_t graph_node(struct graph *g, plist_t d, plist_t row)
{
	struct graph_node *n;
	size_t i;

	for (i = 0; i < g->n; i++)
		if (graph_same(&g->nodes[i], d))
			break;
	if (i == g->n) {
		g->nodes = say_need(reallocarray(g->nodes, g->n + 1, sizeof(*g->nodes)));
		n = &g->nodes[g->n++];
		*n = (struct graph_node){ .name = key_text(d, "name"), .major = key_u64(d, "major"),
					  .minor = key_u64(d, "minor") };
	}
	if (row) {
		g->nodes[i].row = row;
		g->nodes[i].name = key_text(row, "name");
	}
	return i;
}

static void graph_add(size_t **list, size_t *n, size_t what)
{
	*list = say_need(reallocarray(*list, *n + 1, sizeof(**list)));
	(*list)[(*n)++] = what;
}

static void graph_edges(struct graph *g, plist_t row, plist_t reply)
{
	size_t top = graph_node(g, row, row), below;

	for (struct key_walk w = key_walk(key_array(reply, "deps")); key_walk_next(&w);) {
		below = graph_node(g, w.item, NULL);
		graph_add(&g->nodes[top].below, &g->nodes[top].n_below, below);
		graph_add(&g->nodes[below].above, &g->nodes[below].n_above, top);
	}
}

int graph_load(struct job *j, struct graph *g)
{
	struct err e = ERR_INIT;
	int code, r;
	size_t i;

	*g = (struct graph){ .n = 0 };
	code = pick_all(j, &g->rows);
	if (code)
		return code;
	g->replies = say_need(calloc(g->rows.n + 1, sizeof(*g->replies)));
	for (i = 0; i < g->rows.n; i++) {
		const char *name = key_text(g->rows.rows[i], "name");

		r = client_try(j, name, request_new("deps", name), &g->replies[i], &e);
		if (client_no_device(r))
			continue;
		if (r)
			return job_failed(j, name, &e);
		graph_edges(g, g->rows.rows[i], g->replies[i]);
	}
	return EXIT_OK;
}

const struct graph_node *graph_find(const struct graph *g, const char *device)
{
	size_t i;

	for (i = 0; i < g->n; i++)
		if (g->nodes[i].row && !strcmp(g->nodes[i].name, device))
			return &g->nodes[i];
	return NULL;
}

/* Moves the names of node I and of all below it to TO[*N], the lowest first. */
static void graph_take(const struct graph *g, size_t i, struct pick *p, char **to, size_t *n)
{
	const struct graph_node *node = &g->nodes[i];
	size_t k;

	for (k = 0; k < p->n && (!p->names[k] || !node->row || strcmp(p->names[k], node->name)); k++)
		;
	if (k == p->n)
		return;
	for (size_t b = 0; b < node->n_below; b++)
		graph_take(g, node->below[b], p, to, n);
	to[(*n)++] = p->names[k];
	p->names[k] = NULL;
}

int graph_sort(struct job *j, struct pick *p)
{
	char **to = say_need(calloc(p->n + 1, sizeof(*to)));
	struct graph g;
	size_t i, n = 0;
	int code = graph_load(j, &g);

	for (i = 0; !code && i < g.n; i++)
		graph_take(&g, i, p, to, &n);
	for (i = 0; i < p->n; i++)
		if (p->names[i])
			to[n++] = p->names[i];
	free(p->names);
	p->names = to;
	graph_free(&g);
	return code;
}

void graph_free(struct graph *g)
{
	size_t i;

	for (i = 0; i < g->n; i++) {
		free(g->nodes[i].below);
		free(g->nodes[i].above);
	}
	free(g->nodes);
	for (i = 0; i < g->rows.n; i++)
		plist_free(g->replies[i]);
	free(g->replies);
	pick_rows_free(&g->rows);
}
