/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths that begin with a link of /proc to something that a process has open, or to its directory: /proc/self/fd/3. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/super.h"

/* What follows WORD; or NULL, also if AT is NULL. */
static const char *link_skip(const char *at, const char *word)
{
	return at && !strncmp(at, word, strlen(word)) ? at + strlen(word) : NULL;
}

static const char *link_number(const char *at, unsigned *number)
{
	char *end;

	if (!at || *at < '0' || *at > '9')
		return NULL;
	*number = (unsigned)strtoul(at, &end, 10);
	return end;
}

/* What follows /proc/PID/; /dev/fd is a link to there. */
static const char *link_process(const struct call *c, const char *path, unsigned *pid)
{
	const char *at = link_skip(path, "/proc/"), *end;

	*pid = 0;
	if (link_skip(path, "/dev/fd/"))
		return link_skip(path, "/dev/");
	if ((end = link_skip(at, "self/")) || (end = link_skip(at, "thread-self/")))
		return end;
	end = link_skip(link_number(at, pid), "/");
	if (*pid == c->req.pid)
		*pid = 0;
	return end;
}

static const char *link_end(const char *from)
{
	const char *end;
	unsigned fd;

	if ((end = link_number(link_skip(from, "fd/"), &fd)) || (end = link_skip(from, "cwd")))
		return end;
	return link_skip(from, "root");
}

static bool link_stream(const char *path, struct super_link *l)
{
	static const char *const streams[] = { "/dev/stdin", "/dev/stdout", "/dev/stderr" };

	*l = (struct super_link){ .rest = "" };
	for (unsigned i = 0; i < 3; i++)
		if (!strcmp(path, streams[i]))
			return snprintf(l->what, sizeof(l->what), "fd/%u", i) > 0;
	return false;
}

bool super_link(const struct call *c, const char *path, struct super_link *l)
{
	const char *from, *end;

	if (link_stream(path, l))
		return true;
	from = link_process(c, path, &l->pid);
	end = link_end(from);
	if (!end || (*end && *end != '/') || (size_t)(end - from) >= sizeof(l->what))
		return false;
	snprintf(l->what, sizeof(l->what), "%.*s", (int)(end - from), from);
	l->rest = end + strspn(end, "/");
	return true;
}
