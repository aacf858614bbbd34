/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A doubly linked list whose nodes are members of its elements. A head is a node that links to itself when the list is
 * empty. No locking: a list belongs to one thread at a time.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

/* The structure of TYPE whose MEMBER is NODE. */
#define container(node, type, member) ((type *)(void *)((char *)(node) - offsetof(type, member)))

/* Walks HEAD; the body may remove POS, because NEXT is fetched before it runs. */
#define list_each(pos, nxt, head) \
	for ((pos) = (head)->next, (nxt) = (pos)->next; (pos) != (head); (pos) = (nxt), (nxt) = (pos)->next)

static inline void list_init(struct list *head)
{
	head->next = head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_append(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

/* Removes NODE and makes it an empty list, so that removing it again is harmless. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* Removes and returns the first node, or NULL. */
static inline struct list *list_take(struct list *head)
{
	struct list *node = head->next;

	if (node == head)
		return NULL;
	list_remove(node);
	return node;
}

#endif
