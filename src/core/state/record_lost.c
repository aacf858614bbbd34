/* SPDX-License-Identifier: BSD-2-Clause */
/* See record_lost.h. */
#include "core/state/record_lost.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/state/recorder.h"
#include "core/table/store.h"
#include "core/world.h"

/* "failed/file dev=8:1 ino=7 ...": without its size, which may change while it is open. False: no memory. */
static bool key_of(const struct dm_store *s, struct text *key)
{
	char *sectors;

	text_printf(key, "failed/%s ", s->type->name);
	s->type->known_by(s, key);
	sectors = key->failed ? NULL : strstr(key->s, "sectors=");
	if (sectors)
		text_cut(key, (size_t)(sectors - key->s));
	return !key->failed;
}

static void put(const struct dm_store *s, int err)
{
	struct text key = TEXT_INIT;
	char value[16];
	int n = snprintf(value, sizeof(value), "%d\n", -err);

	if (key_of(s, &key))
		dm_record_value(s->world, key.s, err ? value : NULL, err ? (size_t)n : 0);
	text_free(&key);
}

static void commit(const struct dm_store *s)
{
	struct err e = ERR_INIT;

	if (dm_record_commit(s->world, NULL, &e))
		log_error("that a flush of '%s' has failed is not recorded: %s", s->name, e.text);
}

static void lost_tell(struct dm_loss *l)
{
	l->msg.run = l->then;
	loop_post(l->loop, &l->msg);
}

static void lost_kept(struct loop_msg *msg)
{
	lost_tell(container(msg, struct dm_loss, wait.msg));
}

/* The store is still there: nobody can close it before the io thread has told that the request is over. */
static void lost_told(struct loop_msg *msg)
{
	struct dm_loss *l = container(msg, struct dm_loss, msg);
	struct dm_store *s = l->store;

	if (!s->lost) {
		s->lost = l->err;
		put(s, l->err);
		commit(s);
	}
	l->wait.msg.run = lost_kept;
	if (!dm_record_sync(s->world, &l->wait))
		lost_tell(l);
}

bool dm_store_lost(struct dm_store *s, struct dm_loss *l)
{
	if (!s->type->known_by || !s->type->fail_flushes || !dm_recording(s->world))
		return false;
	l->store = s;
	l->msg.run = lost_told;
	loop_post(s->world->loop, &l->msg);
	return true;
}

static bool same_place(const struct dm_store *a, const struct dm_store *b)
{
	struct text x = TEXT_INIT, y = TEXT_INIT;
	bool same = a->type == b->type && key_of(a, &x) && key_of(b, &y) && !strcmp(x.s, y.s);

	text_free(&x);
	text_free(&y);
	return same;
}

/* With what another store of S's place has failed, which was opened in another way; 0: there is none. */
static int lost_elsewhere(const struct dm_store *s)
{
	struct list *n, *next;

	list_each(n, next, &s->world->stores) {
		const struct dm_store *o = container(n, struct dm_store, node);

		if (o != s && o->lost && same_place(o, s))
			return o->lost;
	}
	return 0;
}

void dm_store_forget_lost(struct dm_store *s)
{
	if (!s->lost || s->world->releasing || !dm_recording(s->world))
		return;
	put(s, lost_elsewhere(s));
	commit(s);
}

void dm_stores_lost_again(const struct dm_table *t)
{
	struct dm_recorder *r = t->world->records.recorder;
	size_t i, len;

	for (i = 0; i < t->n_stores; i++) {
		struct dm_store *s = t->stores[i];
		struct text key = TEXT_INIT;
		const char *value = NULL;
		char head[16];

		if (s->type->known_by && s->type->fail_flushes && key_of(s, &key))
			value = r->get(r, key.s, &len);
		text_free(&key);
		if (!value)
			continue;
		snprintf(head, sizeof(head), "%.*s", len < sizeof(head) ? (int)len : (int)sizeof(head) - 1, value);
		s->lost = -atoi(head);
		s->type->fail_flushes(s, s->lost);
		log_warn("'%s': a flush failed before the daemon was killed, and data was lost; flushes fail until it is loaded anew", s->name);
	}
}
