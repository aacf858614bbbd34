/* SPDX-License-Identifier: BSD-2-Clause */
/* See done.h. The value has the number by which the oldest is found, the device's minor, and the answer of a message. */
#include "core/state/done.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/command/do.h"
#include "core/state/recorder.h"

#define KEY (sizeof("done/") + DM_ID_MAX)

struct dm_dones {
	uint64_t last;			/* number */
	struct {
		uint64_t number;
		char id[DM_ID_MAX + 1];
	} all[DM_DONES];		/* at its number, modulo */
};

bool dm_id_is_valid(const char *id)
{
	size_t n = 0;

	while (isalnum((unsigned char)id[n]) || id[n] == '-')
		n++;
	return n && n <= DM_ID_MAX && !id[n];
}

static void key_of(char key[KEY], const char *id)
{
	snprintf(key, KEY, "done/%s", id);
}

static bool is_last_part(const struct dm_cmd *c)
{
	return c && c->id && !c->partly;
}

/* Without memory, commands have no identity. */
static struct dm_dones *dones_of(struct dm_world *w)
{
	if (!w->records.dones)
		w->records.dones = calloc(1, sizeof(*w->records.dones));
	return w->records.dones;
}

void dm_done_put(struct dm_world *w, const struct dm_cmd *c)
{
	struct dm_dones *d = is_last_part(c) ? dones_of(w) : NULL;
	struct text value = TEXT_INIT;
	char key[KEY];

	if (!d)
		return;
	if (*d->all[(d->last + 1) % DM_DONES].id) {
		key_of(key, d->all[(d->last + 1) % DM_DONES].id);
		dm_record_value(w, key, NULL, 0);
	}
	text_printf(&value, "number %" PRIu64 "\n", d->last + 1);
	if (c->device && !c->device->disk && c->verb != DM_DO_REMOVE)
		text_printf(&value, "minor %" PRIu32 "\n", c->device->minor);
	if (c->reply.answer)
		text_printf(&value, "answer %s", c->reply.answer);
	key_of(key, c->id);
	if (value.failed)
		w->records.no_memory = true;
	else
		dm_record_value(w, key, value.s, value.len);
	text_free(&value);
}

void dm_done_settle(struct dm_world *w, struct dm_cmd *c, bool committed)
{
	struct dm_dones *d = w->records.dones;

	if (!committed || !c)
		return;
	c->recorded = true;
	if (!is_last_part(c) || !d)
		return;
	d->last++;
	d->all[d->last % DM_DONES].number = d->last;
	strcpy(d->all[d->last % DM_DONES].id, c->id);
}

void dm_done_undo(struct dm_world *w, const struct dm_cmd *c)
{
	char key[KEY];

	if (!is_last_part(c))
		return;
	key_of(key, c->id);
	dm_record_value(w, key, NULL, 0);
}

void dm_done_known(struct dm_world *w, const char *id, const char *value, size_t len)
{
	struct dm_dones *d = dones_of(w);
	uint64_t number;
	char head[40];

	snprintf(head, sizeof(head), "%.*s", len < sizeof(head) ? (int)len : (int)sizeof(head) - 1, value);
	if (!d || !dm_id_is_valid(id) || sscanf(head, "number %" SCNu64, &number) != 1)
		return;
	strcpy(d->all[number % DM_DONES].id, id);
	d->all[number % DM_DONES].number = number;
	if (number > d->last)
		d->last = number;
}

/* The device as it is by now; one that was removed tells nothing. */
static void answer_from(struct dm_cmd *c, const char *value, size_t len)
{
	char *copy = arena_strndup(&c->reply.arena, value, len), *at = copy ? strstr(copy, "\nminor ") : NULL;
	uint32_t minor;

	if (!copy) {
		err_set(&c->reply.err, -ENOMEM, "the command was carried out before; there is no memory for its answer");
		return;
	}
	if (at && sscanf(at, "\nminor %" SCNu32, &minor) == 1)
		c->device = dm_find_minor(c->world, minor);
	at = strstr(copy, "\nanswer ");
	c->reply.answer = at ? at + strlen("\nanswer ") : NULL;
}

static const char *value_of(struct dm_world *w, const char *id, size_t *len)
{
	struct dm_recorder *r = w->records.recorder;
	char key[KEY];

	if (!id || !dm_recording(w))
		return NULL;
	key_of(key, id);
	return r->get(r, key, len);
}

bool dm_done_is(struct dm_world *w, const char *id)
{
	size_t len;

	return value_of(w, id, &len);
}

bool dm_done_answer(struct dm_cmd *c)
{
	size_t len;
	const char *value = value_of(c->world, c->id, &len);

	if (!value)
		return false;
	answer_from(c, value, len);
	dm_finish(c);
	return true;
}

void dm_dones_free(struct dm_world *w)
{
	free(w->records.dones);
}
