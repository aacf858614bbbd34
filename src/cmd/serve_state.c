/* SPDX-License-Identifier: BSD-2-Clause */
/* See serve_state.h. */
#include "cmd/serve_state.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cmd/handover.h"
#include "core/state/handed.h"
#include "core/state/restore.h"
#include "core/world.h"

#define OPTIONS "options"	/* the key of these */

int serve_state_open(struct serve_state *s, struct dm_world *w, const char *path, bool durable, struct err *e)
{
	const struct journal_opts o = { .path = path, .fd = -1, .durable = durable, .loop = w->loop };
	uint32_t major;
	int r = path ? journal_open(&s->journal, &o, e) : 0;

	if (!s->journal)
		return r;
	s->world = w;
	s->path = path;
	s->durable = durable;
	state_recorder_init(&s->recorder, s->journal, durable);
	major = dm_restore_major(&s->recorder.recorder);
	if (major)
		w->major = major;	/* tables name devices by their numbers */
	return 0;
}

static int restore_with(struct serve_state *s, const struct handover *h, struct dm_restored *n, struct err *e)
{
	struct dm_handed from;
	int r = dm_handed_read(&from, h ? h->saved : NULL, h ? h->saved_len : 0, e);

	if (!r) {
		s->world->records.handed = &from;
		r = dm_restore(s->world, &s->recorder.recorder, n, e);
		s->world->records.handed = NULL;
	}
	dm_handed_free(&from);
	return r;
}

int serve_state_restore(struct serve_state *s, const struct handover *handed, struct err *e)
{
	struct dm_restored n;
	int r = s->journal ? restore_with(s, handed, &n, e) : 0;

	if (r)
		return err_prefix(e, "%s: ", s->path);
	if (s->journal && n.devices)
		log_info("%zu device%s of an earlier daemon %s back%s", n.devices, text_plural(n.devices), n.devices == 1 ? "is" : "are",
			 n.lost ? "; what could not be brought back is suspended" : "");
	return 0;
}

/* What is in a directory of its own is used by whoever names that directory, with the options that he wants. */
void serve_state_options(struct serve_state *s, const char *options, bool tell)
{
	struct dm_recorder *r = &s->recorder.recorder;
	const char *was;
	struct err e = ERR_INIT;
	size_t len;

	if (!s->journal || s->durable)
		return;
	was = r->get(r, OPTIONS, &len);
	if (was && len == strlen(options) && !memcmp(was, options, len))
		return;
	if (was && len && tell)
		log_warn("the daemon that was killed had options that this one has not: %.*s", (int)len, was);
	dm_record_value(s->world, OPTIONS, options, strlen(options));
	if (dm_record_commit(s->world, NULL, &e))
		log_warn("the daemon's options are not recorded: %s", e.text);
}

void serve_state_end(struct serve_state *s, bool served)
{
	if (s->journal)
		s->world->records.recorder = NULL;
	if (s->journal && served && !s->durable)
		journal_remove(s->journal);
	else
		journal_close(s->journal);
	s->journal = NULL;
}
