/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See place.h. Links are followed here and not by the kernel, because below /dev a session's files differ from the
 * daemon's.
 */
#include "core/table/place.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PLACE_LINKS 40	/* links that are followed, as by the kernel */

static bool place_is_dev(const char *path)
{
	return !strncmp(path, "/dev/", 5);
}

/* Follows one link: PATH's target relative to the link's directory. False: it leads nowhere. */
static bool place_follow(char path[PATH_MAX])
{
	char target[PATH_MAX], *name = strrchr(path, '/');
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n <= 0)
		return false;
	target[n] = '\0';
	if (*target == '/')
		name = path;
	else
		name++;
	if (strlen(target) >= (size_t)(PATH_MAX - (name - path)))
		return false;
	strcpy(name, target);
	return true;
}

static int place_leads(struct dm_place *p, char path[PATH_MAX])
{
	unsigned links = 0;
	struct stat st;

	while (!place_is_dev(path)) {
		if (lstat(path, &st))
			return 0;
		p->block = S_ISBLK(st.st_mode);
		p->major = major(st.st_rdev);
		p->minor = minor(st.st_rdev);
		if (!S_ISLNK(st.st_mode) || ++links > PLACE_LINKS || !place_follow(path))
			return 0;
	}
	p->dev = strdup(path);
	return p->dev ? 0 : -ENOMEM;
}

char *dm_place_of_caller(const char *word, int caller)
{
	static const struct {
		const char *own, *directory;
	} all[] = { { "/proc/self/", "" }, { "/proc/thread-self/", "" }, { "/dev/fd/", "fd/" } };
	const char *at = *word == '/' ? word : strstr(word, ":/");
	char *out;
	size_t i;

	at = at && *at == ':' ? at + 1 : at;
	if (at && caller && !strcmp(at, "/dev/stdin"))
		return asprintf(&out, "%.*s/proc/%d/fd/0", (int)(at - word), word, caller) < 0 ? NULL : out;
	for (i = 0; at && caller && i < sizeof(all) / sizeof(*all); i++)
		if (!strncmp(at, all[i].own, strlen(all[i].own)))
			return asprintf(&out, "%.*s/proc/%d/%s%s", (int)(at - word), word, caller, all[i].directory,
					at + strlen(all[i].own)) < 0 ? NULL : out;
	return strdup(word);
}

bool dm_place_path(const char *word, const char *cwd, char *path)
{
	if (!*word || (*word != '/' && !cwd))
		return false;
	return (*word == '/' ? snprintf(path, PATH_MAX, "%s", word) : snprintf(path, PATH_MAX, "%s/%s", cwd, word)) < PATH_MAX;
}

int dm_place_look(struct dm_place *p, const char *word, const char *cwd, bool follow)
{
	char path[PATH_MAX];

	*p = (struct dm_place){ .exists = false };
	if (!dm_place_path(word, cwd, path))
		return 0;
	p->exists = !access(path, F_OK);
	return follow ? place_leads(p, path) : 0;
}

void dm_place_free(struct dm_place *p)
{
	free(p->dev);
	p->dev = NULL;
}
