/* SPDX-License-Identifier: BSD-2-Clause */
/* See super.h. A tree by name, with one entry for each device that was opened: the node's stat. */
#include <errno.h>
#include <pthread.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "fronts/fuse/dev_private.h"
#include "session/super.h"

struct super_nodes {
	pthread_mutex_t lock;
	void *tree;
};

struct noted {
	char name[32];
	struct dmuse_node node;
};

static int noted_compare(const void *a, const void *b)
{
	const struct noted *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* If we may copy a descriptor of our own, we may copy others'. */
void super_nodes_begin(struct super *s)
{
	int copy = process_fetch(s->proc, getpid(), s->listener);

	if (copy >= 0)
		close(copy);
	if (copy == -EPERM && (s->nodes = calloc(1, sizeof(*s->nodes))))
		pthread_mutex_init(&s->nodes->lock, NULL);
}

void super_nodes_note(struct super *s, const char *name, const struct dmuse_node *node)
{
	struct noted *e = s->nodes ? calloc(1, sizeof(*e)) : NULL, **there;

	if (!e)
		return;
	snprintf(e->name, sizeof(e->name), "%s", name);
	pthread_mutex_lock(&s->nodes->lock);
	there = tsearch(e, &s->nodes->tree, noted_compare);
	if (there)
		(*there)->node = *node;
	if (!there || *there != e)
		free(e);
	pthread_mutex_unlock(&s->nodes->lock);
}

bool super_nodes_recall(struct super *s, const char *name, struct dmuse_node *node)
{
	struct noted wanted, **there;

	if (!s->nodes)
		return false;
	snprintf(wanted.name, sizeof(wanted.name), "%s", name);
	pthread_mutex_lock(&s->nodes->lock);
	there = tfind(&wanted, &s->nodes->tree, noted_compare);
	if (there)
		*node = (*there)->node;
	pthread_mutex_unlock(&s->nodes->lock);
	return there;
}
