/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The units of a cache that are not clean, in order: nodes of one unit, or of many that share their versions. A treap: a
 * search tree that is balanced by chance. Nodes do not overlap.
 */
#ifndef POWERCUT_TREE_H
#define POWERCUT_TREE_H

#include <stddef.h>
#include <stdint.h>

struct version;

struct node {
	struct node *left, *right;
	uint64_t unit, units;
	struct version *newest;
	uint32_t chance;
};

struct tree {
	struct node *root;
	size_t n;
	uint64_t dice;
};

/* The first node that ends after UNIT, or NULL. */
struct node *tree_from(const struct tree *t, uint64_t unit);
void tree_add(struct tree *t, struct node *n);
void tree_remove(struct tree *t, struct node *n);

#endif
