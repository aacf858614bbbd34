/* SPDX-License-Identifier: BSD-2-Clause */
/* Which device uses which: the mapped devices, what they are mapped to, and the edges between. */
#ifndef CMD_GRAPH_H
#define CMD_GRAPH_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "cmd/pick.h"

struct graph_node {
	plist_t row;		/* its dict of `names`, or NULL if it is not a mapped device */
	const char *name;	/* the reply's: the name of a device, or a path */
	uint64_t major, minor;	/* 0:0 of a regular file or memory */
	size_t *below, n_below;	/* indices of nodes */
	size_t *above, n_above;
	size_t pick;		/* for graph_sort(): which of the names it has, from 1; 0: none, or it was taken */
};

struct graph {
	struct hash keys;		/* graph_key.by_word: leads to the nodes */
	size_t room;
	struct graph_node *nodes;	/* devices by name, each followed by those that it is the first to use */
	size_t n;
	struct pick_rows rows;
};

/*
 * Asks for all devices and what they use. EXIT_OK, or another code after saying why; graph_free() is needed in any
 * case.
 */
int graph_load(struct job *j, struct graph *g);
/* Sorts the names so that each device comes after those it uses: created in that order, they find one another. */
int graph_sort(struct job *j, struct pick *p);
const struct graph_node *graph_find(const struct graph *g, const char *device);
void graph_free(struct graph *g);

#endif
