/* SPDX-License-Identifier: BSD-2-Clause */
/* See nameless.h. There is one inotify instance for a world, from its first file on. */
#include "core/table/nameless.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "core/world.h"

#define NAMELESS_AFTER (TIMERS_SECOND / 5)

struct dm_nameless {
	struct loop_watch watch;
	struct dm_world *world;
	struct timer timer;
	struct list fresh;
	struct hash watched;		/* two that use the same file have the same watch */
};

static void watch(struct dm_nameless *l, struct dm_nameless_file *f)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", f->fd);
	f->watch = inotify_add_watch(l->watch.fd, path, IN_ATTRIB);
	if (f->watch >= 0)
		hash_add(&l->watched, &f->link, &f->watch, sizeof(f->watch));
	f->changed(f);
}

static struct dm_nameless_file *watched_by(struct dm_nameless *l, int number)
{
	return hash_owner(hash_find(&l->watched, &number, sizeof(number)), struct dm_nameless_file, link);
}

static void tell(struct dm_nameless *l, int number)
{
	struct dm_nameless_file *f;
	struct list told, *n;

	list_init(&told);
	while ((f = watched_by(l, number))) {
		hash_remove(&l->watched, &f->link);
		list_append(&told, &f->node);
	}
	while ((n = list_take(&told))) {
		f = container(n, struct dm_nameless_file, node);
		hash_add(&l->watched, &f->link, &f->watch, sizeof(f->watch));
		f->changed(f);
	}
}

static void tell_all(struct dm_nameless *l)
{
	struct hash_link *n, *next;

	hash_each(n, next, &l->watched) {
		struct dm_nameless_file *f = container(n, struct dm_nameless_file, link);

		f->changed(f);
	}
}

static void hear(struct dm_nameless *l)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	const struct inotify_event *event;
	ssize_t n, at;

	while ((n = read(l->watch.fd, buf, sizeof(buf))) > 0)
		for (at = 0; at < n; at += (ssize_t)(sizeof(*event) + event->len)) {
			event = (const struct inotify_event *)(void *)(buf + at);
			if (event->mask & IN_Q_OVERFLOW)
				tell_all(l);
			else if (event->mask & IN_ATTRIB)
				tell(l, event->wd);
		}
}

static void nameless_ready(struct loop_watch *w, uint32_t events)
{
	(void)events;
	hear(container(w, struct dm_nameless, watch));
}

static void watch_fresh(struct dm_nameless *l)
{
	struct list *n;

	timer_stop(&l->timer);
	while ((n = list_take(&l->fresh)))
		watch(l, container(n, struct dm_nameless_file, node));
}

static void nameless_time(struct timer *t)
{
	watch_fresh(container(t, struct dm_nameless, timer));
}

void dm_nameless_look(struct dm_world *w)
{
	if (!w->nameless)
		return;
	watch_fresh(w->nameless);
	hear(w->nameless);
}

static struct dm_nameless *nameless_begin(struct dm_world *w)
{
	struct dm_nameless *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->world = w;
	list_init(&l->fresh);
	timer_init(&l->timer, nameless_time);
	l->watch = (struct loop_watch){ .fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), .events = EPOLLIN, .ready = nameless_ready };
	if (l->watch.fd >= 0 && !loop_watch(w->loop, &l->watch))
		return l;
	if (l->watch.fd >= 0)
		close(l->watch.fd);
	free(l);
	return NULL;
}

void dm_nameless_add(struct dm_world *w, struct dm_nameless_file *f)
{
	bool first;

	list_init(&f->node);
	f->watch = -1;
	if (!w->nameless)
		w->nameless = nameless_begin(w);
	if (!w->nameless)
		return;
	first = list_empty(&w->nameless->fresh);
	list_append(&w->nameless->fresh, &f->node);
	if (first)
		loop_timer(w->loop, &w->nameless->timer, NAMELESS_AFTER);
}

void dm_nameless_remove(struct dm_world *w, struct dm_nameless_file *f)
{
	list_remove(&f->node);
	if (f->watch < 0)
		return;
	hash_remove(&w->nameless->watched, &f->link);
	if (!watched_by(w->nameless, f->watch))
		inotify_rm_watch(w->nameless->watch.fd, f->watch);
	f->watch = -1;
}

void dm_nameless_end(struct dm_world *w)
{
	if (!w->nameless)
		return;
	timer_stop(&w->nameless->timer);
	loop_unwatch(w->loop, &w->nameless->watch);
	close(w->nameless->watch.fd);
	free(w->nameless);
	w->nameless = NULL;
}
