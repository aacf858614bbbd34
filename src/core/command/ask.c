/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking targets for what may take time: see ask.h. */
#include "core/command/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/device/devices.h"
#include "core/command/do.h"
#include "core/device/step.h"

struct dm_ask *dm_ask_new(struct dm_cmd *c, const char *what)
{
	struct dm_ask *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->out = (struct text)TEXT_INIT;
	a->cmd = c;
	a->device = c->device;
	a->table = c->device->active;
	a->what = what;
	list_init(&a->node);
	return a;
}

void dm_ask_free(struct dm_ask *a)
{
	text_free(&a->out);
	free(a->argv);
	if (a->text)
		explicit_bzero(a->text, a->text_size);	/* it may have a key in it */
	free(a->text);
	free(a);
}

/* With it is recorded that this message was carried out: who has lost the answer asks again, and gets it. */
static void ask_commit(struct dm_ask *a)
{
	struct err e = ERR_INIT;

	if (a->cmd)
		a->cmd->reply.answer = a->out.s;		/* NULL: there is none */
	if (dm_record_commit(a->table->world, a->cmd, &e) && !a->result) {
		a->result = err_set(&a->err, e.code, "it was carried out, but is not recorded: %s", e.text);
		if (a->changed)
			dm_record_touch(a->device);
	}
	if (a->cmd)
		a->cmd->reply.answer = NULL;
}

/* A later daemon has to know that the lines are not as their words say. */
static void ask_record(struct dm_ask *a)
{
	if (a->target->type->flags & DM_TARGET_RECORDED)
		atomic_store(&a->table->unsaved, true);
	else if (a->table->altered && !(a->cmd && a->cmd->id))
		return;		/* that is known */
	else
		a->table->altered = true;
	dm_record_put(a->device);
	ask_commit(a);
}

/* Fronts are only told about the active table: of any other, nothing was saved. */
static void ask_tell(struct dm_ask *a)
{
	bool active = a->table->device == a->device && a->device->active == a->table;

	if (a->changed && active) {
		ask_record(a);
		dm_device_changed(a->device, DM_ALTERED);
	} else if (a->acted && a->cmd && a->cmd->id) {
		ask_commit(a);
	}
	a->changed = false;
}

static void ask_ended(struct loop_msg *m)
{
	struct dm_ask *a = container(m, struct dm_ask, msg);
	struct dm_table *table = a->table;

	list_remove(&a->node);
	ask_tell(a);
	if (a->cmd) {
		dm_pending_done(a->cmd);
		a->then(a);
	} else {
		dm_ask_free(a);
	}
	dm_table_drop(table);
}

void dm_ask_done(struct dm_ask *a, int err)
{
	a->result = err;
	a->msg.run = ask_ended;
	loop_post(a->table->world->loop, &a->msg);
}

/* The reason is already in C's reply. */
static void ask_give_up(struct dm_cmd *c)
{
	struct dm_ask *a = c->pending;

	a->cmd = NULL;
	atomic_store(&a->given_up, true);
	dm_pending_done(c);
	dm_finish(c);
}

bool dm_ask(struct dm_ask *a, struct dm_target *t, int (*hook)(struct dm_target *t, struct dm_ask *a), void (*then)(struct dm_ask *a))
{
	int r;

	a->target = t;
	a->then = then;
	r = hook(t, a);
	if (r != DM_HELD) {
		a->result = r;
		ask_tell(a);
		return true;
	}
	list_append(&a->table->asks, &a->node);
	dm_table_hold(a->table);
	dm_pending(a->cmd, a, ask_give_up);
	return false;
}

const char *dm_ask_why(struct dm_ask *a)
{
	if (!a->err.code)
		err_set(&a->err, a->result, "the %s of %s failed: %s", a->what, a->target ? a->target->type->name : "the device", strerror(-a->result));
	a->err.code = a->result;
	return a->err.text;
}

const char *dm_ask_where(const struct dm_table *t, char *buffer, size_t size)
{
	const struct dm_ask *a = list_empty(&t->asks) ? NULL : container(t->asks.next, struct dm_ask, node);

	*buffer = '\0';
	if (a)
		snprintf(buffer, size, "%s of target %s at sector %llu", a->what, a->target->type->name,
			 (unsigned long long)a->target->start);
	return buffer;
}
