/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * While the holder runs, changes of the machine's /dev are followed in the session's, and /sys is read again. The
 * kernel creates the entries in /sys before the node.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <unistd.h>

#include "session/holder_parts.h"

#define FOLLOW_EVENTS (IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM | IN_ONLYDIR)

/* /dev/block is udev's: it may be created later, or again. */
static void follow_numbers(struct holder_machine *m)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/block", m->dir);
	m->numbers = inotify_add_watch(m->watch, path, FOLLOW_EVENTS);
}

/*
 * Called before /dev is read, so that nothing is missed. Where inotify is not available, the session keeps what was
 * there at the start.
 */
void holder_follow_begin(struct holder_machine *m)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", m->dir);
	m->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	m->numbers = -1;
	if (m->watch < 0)
		return;
	inotify_add_watch(m->watch, path, FOLLOW_EVENTS);
	follow_numbers(m);
}

static void follow_number(const struct holder_machine *m, const struct inotify_event *event)
{
	char path[NAME_MAX + 16];

	snprintf(path, sizeof(path), "/dev/block/%s", event->name);
	unlink(path);		/* fails for a node of ours */
	if (event->mask & (IN_CREATE | IN_MOVED_TO))
		holder_number(m->dir, event->name);
}

static void follow_one(struct holder_machine *m, const struct inotify_event *event)
{
	if (!event->len)
		return;
	if (event->wd == m->numbers) {
		follow_number(m, event);
	} else if (!strcmp(event->name, "block")) {
		follow_numbers(m);
		holder_numbers(m->dir);
	} else if (!holder_dev_wanted(event->name)) {
		return;
	} else if (event->mask & (IN_CREATE | IN_MOVED_TO)) {
		holder_dev_add(m->dir, event->name);
	} else {
		holder_dev_remove(event->name);
	}
}

void holder_follow(struct holder_machine *m)
{
	char events[4096] __attribute__((aligned(8))), *at;
	const struct inotify_event *event;
	ssize_t n;

	while ((n = read(m->watch, events, sizeof(events))) > 0)
		for (at = events; at < events + n; at += sizeof(*event) + event->len) {
			event = (const struct inotify_event *)(void *)at;
			follow_one(m, event);
		}
	holder_sys_again(m);
}
