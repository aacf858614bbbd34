/* SPDX-License-Identifier: BSD-2-Clause */
/* The command message: to the target at a sector, or to the device itself. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/words.h"
#include "core/command/do.h"
#include "core/command/linux.h"
#include "core/path/regions.h"

#define MESSAGE_WORDS 64

static int message_split(char *text, char **argv, struct err *e)
{
	int argc = 0;

	while ((argv[argc] = words_next(&text, e)))
		if (++argc == MESSAGE_WORDS)
			return err_set(e, -EINVAL, "a message has at most %d words", MESSAGE_WORDS - 1);
	if (e->code)
		return e->code;
	return argc ? argc : err_set(e, -EINVAL, "the message is empty");
}

static int message_to_device(struct dm_cmd *c, struct dm_device *d, int argc, char **argv, struct text *out, struct err *e)
{
	if (strcasecmp(argv[0], "@cancel_deferred_remove"))
		return dm_regions_message(c, d, argc, argv, out, e);
	if (argc > 1)
		return err_set(e, -EINVAL, "@cancel_deferred_remove stands alone");
	d->deferred = false;
	return 0;
}

static void message_send(struct dm_cmd *c, struct dm_device *d, struct dm_target *t, char *text)
{
	struct text *said = &c->reply.said;
	struct err *e = &c->reply.err;
	char *argv[MESSAGE_WORDS];
	int argc = message_split(text, argv, e), r = argc;

	if (argc > 0)
		r = t ? t->type->message(t, argc, argv, said, e) : message_to_device(c, d, argc, argv, said, e);
	if (!r && said->failed)
		err_set(e, -ENOMEM, "no memory for the answer");
	else if (!r && said->s)
		c->reply.answer = said->s;
}

static void message_to_target(struct dm_cmd *c, struct dm_device *d, char *text)
{
	struct dm_table *t = d->active;
	struct err *e = &c->reply.err;

	if (!t && dm_linux_loses_messages(c))
		return;
	if (!t)
		err_set(e, -EINVAL, "device '%s' has no active table that could take a message", d->name);
	else if (c->sector >= t->sectors)
		err_set(e, -EINVAL, "sector %llu is behind the end of '%s', which has %llu sectors",
			(unsigned long long)c->sector, d->name, (unsigned long long)t->sectors);
	else if (!t->targets[dm_table_find(t, c->sector)].type->message)
		err_set(e, -EINVAL, "target %s takes no messages", t->targets[dm_table_find(t, c->sector)].type->name);
	else
		message_send(c, d, &t->targets[dm_table_find(t, c->sector)], text);
}

/* What begins with @ is for the device itself, wherever it is sent. */
void dm_do_message(struct dm_cmd *c, struct dm_device *d)
{
	char *text = strdup(c->message ? c->message : "");

	if (!text)
		err_set(&c->reply.err, -ENOMEM, "no memory for the message");
	else if (*text == '@')
		message_send(c, d, NULL, text);
	else
		message_to_target(c, d, text);
	free(text);
	dm_finish(c);
}
