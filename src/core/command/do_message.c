/* SPDX-License-Identifier: BSD-2-Clause */
/* The command message: to the target at a sector, or to the device itself. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/words.h"
#include "core/command/ask.h"
#include "core/command/do.h"
#include "core/command/linux.h"
#include "core/path/regions.h"

/* Words are apart by a character at least. */
static int message_split(struct dm_ask *a)
{
	char *text = a->text;

	a->argv = calloc(strlen(text) / 2 + 2, sizeof(a->argv[0]));
	if (!a->argv)
		return err_set(&a->err, -ENOMEM, "no memory for the message");
	while ((a->argv[a->argc] = words_next(&text, &a->err)))
		a->argc++;
	if (a->err.code)
		return a->err.code;
	return a->argc ? 0 : err_set(&a->err, -EINVAL, "the message is empty");
}

static void message_answer(struct dm_ask *a)
{
	struct dm_reply *r = &a->cmd->reply;

	if (a->result)
		err_set(&r->err, a->result, "%s", dm_ask_why(a));
	else if (a->out.failed)
		err_set(&r->err, -ENOMEM, "no memory for the answer");
	r->said = a->out;
	a->out = (struct text)TEXT_INIT;
	if (!r->err.code && r->said.s)
		r->answer = r->said.s;
}

static void message_over(struct dm_ask *a)
{
	struct dm_cmd *c = a->cmd;

	message_answer(a);
	dm_ask_free(a);
	dm_finish(c);
}

static int message_to_device(struct dm_cmd *c, struct dm_device *d, struct dm_ask *a)
{
	if (strcasecmp(a->argv[0], "@cancel_deferred_remove"))
		return dm_regions_message(c, d, a->argc, a->argv, &a->out, &a->err);
	if (a->argc > 1)
		return err_set(&a->err, -EINVAL, "@cancel_deferred_remove takes no arguments");
	d->deferred = false;
	dm_record_put(d);
	if (!dm_record_commit(c->world, c, &a->err))
		return 0;
	d->deferred = true;
	return a->err.code;
}

/* Sends it to T, or if that is NULL, to D itself. */
static void message_send(struct dm_cmd *c, struct dm_device *d, struct dm_target *t)
{
	struct dm_ask *a = dm_ask_new(c, "message");

	if (a)
		a->text = strdup(c->message ? c->message : "");
	if (a && a->text)
		a->text_size = strlen(a->text);
	if (!a || !a->text) {
		free(a);
		dm_fail(c, -ENOMEM, "no memory for the message");
		return;
	}
	a->result = message_split(a);
	if (!a->result && !t)
		a->result = message_to_device(c, d, a);
	else if (!a->result && !dm_ask(a, t, t->type->message, message_over))
		return;
	message_over(a);
}

static void message_to_target(struct dm_cmd *c, struct dm_device *d)
{
	struct dm_table *t = d->active;

	if (!t && dm_linux_loses_messages(c))
		dm_finish(c);
	else if (!t)
		dm_fail(c, -EINVAL, "device '%s' has no active table to send a message to", d->name);
	else if (c->sector >= t->sectors)
		dm_fail(c, -EINVAL, "sector %llu is past the end of '%s', which has %llu sectors",
			(unsigned long long)c->sector, d->name, (unsigned long long)t->sectors);
	else if (!t->targets[dm_table_find(t, c->sector)].type->message)
		dm_fail(c, -EINVAL, "target %s takes no messages", t->targets[dm_table_find(t, c->sector)].type->name);
	else
		message_send(c, d, &t->targets[dm_table_find(t, c->sector)]);
}

/* What begins with @ is for the device itself, whatever the sector. */
void dm_do_message(struct dm_cmd *c, struct dm_device *d)
{
	if (c->message && *c->message == '@')
		message_send(c, d, NULL);
	else
		message_to_target(c, d);
}
