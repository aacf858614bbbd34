/* SPDX-License-Identifier: BSD-2-Clause */
/* Resolves paths under /dev as sessions see them: to which device do they lead? Real nodes are not found here. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "fronts/fuse/dev.h"

#define RESOLVE_LINKS 40	/* links that are followed, as by the kernel */

/* Prepends TARGET to the rest of the path; false: it leads out of /dev, or is too long. */
static bool resolve_link(const struct dev_view *v, const struct dev_node *link, char *rest, const struct dev_node **at)
{
	const char *target = link->data;
	char path[PATH_MAX];

	if (*target == '/') {
		if (strncmp(target, "/dev/", 5))
			return false;
		target += 5;
		*at = v->root;
	}
	if (snprintf(path, sizeof(path), "%s/%s", target, rest) >= (int)sizeof(path))
		return false;
	strcpy(rest, path);
	return true;
}

/* Takes the first component off REST; NULL: none is left. */
static char *resolve_word(char **rest)
{
	char *word = *rest + strspn(*rest, "/");
	char *end = word + strcspn(word, "/");

	if (!*word)
		return NULL;
	*rest = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

/* One step from a directory; NULL: nothing has that name. */
static struct dev_node *resolve_step(const struct dev_node *at, const char *word)
{
	const struct dev_entry *e;

	if (!S_ISDIR(at->mode))
		return NULL;
	e = dev_entry_find(at, word);
	return e ? e->of : NULL;
}

/* Above the view is the root of the machine, from which only "dev" leads back. */
static const struct dev_node *resolve_back(const struct dev_view *v, char **rest)
{
	const char *word = resolve_word(rest);

	while (word && (!strcmp(word, ".") || !strcmp(word, "..")))
		word = resolve_word(rest);
	return word && !strcmp(word, "dev") ? v->root : NULL;
}

static const struct dev_node *resolve_walk(const struct dev_view *v, char path[PATH_MAX])
{
	const struct dev_node *at = v->root, *n;
	unsigned links = 0;
	char *rest = path, *word;

	while (at && (word = resolve_word(&rest))) {
		if (!strcmp(word, "."))
			continue;
		if (!strcmp(word, "..")) {
			at = at == v->root ? resolve_back(v, &rest) : at->parent;
			continue;
		}
		n = resolve_step(at, word);
		if (!n || !S_ISLNK(n->mode)) {
			at = n;
			continue;
		}
		memmove(path, rest, strlen(rest) + 1);
		rest = path;
		if (++links > RESOLVE_LINKS || !resolve_link(v, n, path, &at))
			return NULL;
	}
	return at;
}

struct dm_device *fuse_dev_resolve(struct fuse_front *f, const char *path)
{
	const struct dev_view *v = dev_view_of(f);
	const struct dev_node *n;
	char copy[PATH_MAX];

	if (!v || strncmp(path, "/dev/", 5) || strlen(path) >= sizeof(copy))
		return NULL;
	strcpy(copy, path + 5);
	n = resolve_walk(v, copy);
	if (!n || !S_ISBLK(n->mode))
		return NULL;
	return n->device ? n->device : dm_find_number(f->world, major(n->rdev), minor(n->rdev));
}
