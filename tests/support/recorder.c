/* SPDX-License-Identifier: BSD-2-Clause */
/* See recorder.h. */
#include "support/recorder.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/state/restore.h"

struct value {
	struct list node;
	char *key, *text;	/* TEXT NULL: it is dropped */
};

static struct recorder *of(struct dm_recorder *r)
{
	return container(r, struct recorder, r);
}

static struct value *find(const struct list *values, const char *key)
{
	struct list *n, *next;

	list_each(n, next, values) {
		struct value *v = container(n, struct value, node);

		if (!strcmp(v->key, key))
			return v;
	}
	return NULL;
}

static void drop(struct value *v)
{
	list_remove(&v->node);
	free(v->key);
	free(v->text);
	free(v);
}

static void drop_all(struct list *values)
{
	while (!list_empty(values))
		drop(container(values->next, struct value, node));
}

static void put(struct dm_recorder *r, const char *key, const char *value, size_t len)
{
	struct value *was = find(&of(r)->next, key), *v = calloc(1, sizeof(*v));

	if (was)
		drop(was);
	v->key = strdup(key);
	v->text = value ? strndup(value, len) : NULL;
	list_append(&of(r)->next, &v->node);
}

static void put_by(struct dm_recorder *r, const char *key, void (*write)(const void *arg, struct text *out), const void *arg)
{
	struct text value = TEXT_INIT;

	write(arg, &value);
	put(r, key, text_str(&value), value.len);
	text_free(&value);
}

static void forget(struct dm_recorder *r)
{
	drop_all(&of(r)->next);
}

static int keep(struct recorder *r)
{
	struct list *n;

	while ((n = list_take(&r->next))) {
		struct value *v = container(n, struct value, node), *was = find(&r->values, v->key);

		if (was)
			drop(was);
		list_append(&r->values, &v->node);
		if (!v->text)
			drop(v);
	}
	r->frames++;
	return 0;
}

static int commit(struct dm_recorder *r, struct err *e)
{
	if (!of(r)->fail || of(r)->after) {
		of(r)->after -= of(r)->after > 0;
		return keep(of(r));
	}
	forget(r);
	return err_set(e, of(r)->fail, "the recorder refuses");
}

static bool sync_later(struct dm_recorder *r, struct journal_wait *w)
{
	w->next = of(r)->waiting;
	of(r)->waiting = w;
	return true;
}

static int failed(struct dm_recorder *r, struct err *e)
{
	(void)r;
	return err_set(e, -EIO, "the disk of the recorder is broken");
}

static const char *get(struct dm_recorder *r, const char *key, size_t *len)
{
	const struct value *v = find(&of(r)->values, key);

	if (v)
		*len = strlen(v->text);
	return v ? v->text : NULL;
}

static int each(struct dm_recorder *r, int (*see)(void *arg, const char *key, const char *value, size_t len), void *arg,
		struct err *e)
{
	struct list *n, *next;
	int code = 0;

	(void)e;
	list_each(n, next, &of(r)->values) {
		const struct value *v = container(n, struct value, node);

		if (!code)
			code = see(arg, v->key, v->text, strlen(v->text));
	}
	return code;
}

void recorder_init(struct recorder *r)
{
	*r = (struct recorder){ .r = {
		.put = put, .put_by = put_by, .forget = forget, .commit = commit, .commit_undo = commit, .sync = sync_later, .failed = failed,
		.get = get, .each = each,
	} };
	list_init(&r->values);
	list_init(&r->next);
}

void recorder_free(struct recorder *r)
{
	drop_all(&r->values);
	drop_all(&r->next);
}

void recorder_sync(struct fixture *f, struct recorder *r, int code)
{
	struct journal_wait *w;

	while ((w = r->waiting)) {
		r->waiting = w->next;
		w->code = code;
		loop_post(f->loop, &w->msg);
	}
}

const char *recorder_value(struct recorder *r, const char *key)
{
	size_t len;

	return get(&r->r, key, &len);
}

static int by_key(const void *a, const void *b)
{
	return strcmp((*(struct value *const *)a)->key, (*(struct value *const *)b)->key);
}

char *recorder_all(struct recorder *r)
{
	const struct value *all[1024];
	struct text out = TEXT_INIT;
	struct list *n, *next;
	size_t i, count = 0;

	list_each(n, next, &r->values)
		all[count++] = container(n, struct value, node);
	qsort(all, count, sizeof(all[0]), by_key);
	text_add(&out, "");
	for (i = 0; i < count; i++)
		text_printf(&out, "%s %s\n", all[i]->key, all[i]->text);
	return text_take(&out);
}

unsigned recorder_restore(struct fixture *f, struct recorder *r)
{
	struct dm_restored n;
	struct err e = ERR_INIT;

	if (dm_restore(f->world, &r->r, &n, &e))
		fail_msg("%s", e.text);
	return (unsigned)n.lost;
}
