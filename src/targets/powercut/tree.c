/* SPDX-License-Identifier: BSD-2-Clause */
/* A treap: see tree.h. */
#include "targets/powercut/tree.h"

struct node *tree_from(const struct tree *t, uint64_t unit)
{
	struct node *n = t->root, *found = NULL;

	while (n) {
		if (n->unit + n->units > unit) {
			found = n;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return found;
}

/* What is below UNIT goes to LEFT, the rest to RIGHT. */
static void split(struct node *n, uint64_t unit, struct node **left, struct node **right)
{
	while (n) {
		if (n->unit < unit) {
			*left = n;
			left = &n->right;
			n = n->right;
		} else {
			*right = n;
			right = &n->left;
			n = n->left;
		}
	}
	*left = *right = NULL;
}

void tree_add(struct tree *t, struct node *n)
{
	struct node **at = &t->root;

	t->dice = t->dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	n->chance = (uint32_t)(t->dice >> 32);
	while (*at && (*at)->chance >= n->chance)
		at = n->unit < (*at)->unit ? &(*at)->left : &(*at)->right;
	split(*at, n->unit, &n->left, &n->right);
	*at = n;
	t->n++;
}

static void merge(struct node **at, struct node *left, struct node *right)
{
	while (left && right) {
		if (left->chance > right->chance) {
			*at = left;
			at = &left->right;
			left = left->right;
		} else {
			*at = right;
			at = &right->left;
			right = right->left;
		}
	}
	*at = left ? left : right;
}

void tree_remove(struct tree *t, struct node *n)
{
	struct node **at = &t->root;

	while (*at != n)
		at = n->unit < (*at)->unit ? &(*at)->left : &(*at)->right;
	merge(at, n->left, n->right);
	t->n--;
}
