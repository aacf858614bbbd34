/* SPDX-License-Identifier: BSD-2-Clause */
/* See state_recorder.h. */
#include "cmd/state_recorder.h"

static struct journal *journal_of(struct dm_recorder *r)
{
	return container(r, struct state_recorder, recorder)->journal;
}

static void record_put(struct dm_recorder *r, const char *key, const char *value, size_t len)
{
	if (value)
		journal_put(journal_of(r), key, value, len);
	else
		journal_drop(journal_of(r), key);
}

static void record_put_by(struct dm_recorder *r, const char *key, void (*write)(const void *arg, struct text *out), const void *arg)
{
	journal_put_by(journal_of(r), key, write, arg);
}

static void record_forget(struct dm_recorder *r)
{
	journal_forget(journal_of(r));
}

static int record_commit(struct dm_recorder *r, struct err *e)
{
	return journal_commit(journal_of(r), e);
}

static int record_commit_undo(struct dm_recorder *r, struct err *e)
{
	return journal_commit_undo(journal_of(r), e);
}

static bool record_sync(struct dm_recorder *r, struct journal_wait *w)
{
	return journal_sync(journal_of(r), w);
}

static int record_failed(struct dm_recorder *r, struct err *e)
{
	return journal_failed(journal_of(r), e);
}

static const char *record_get(struct dm_recorder *r, const char *key, size_t *len)
{
	return journal_get(journal_of(r), key, len);
}

static int record_each(struct dm_recorder *r, int (*see)(void *arg, const char *key, const char *value, size_t len), void *arg,
		       struct err *e)
{
	return journal_each(journal_of(r), see, arg, e);
}

void state_recorder_init(struct state_recorder *r, struct journal *journal, bool durable)
{
	*r = (struct state_recorder){
		.recorder = {
			.put = record_put, .put_by = record_put_by, .forget = record_forget, .commit = record_commit, .commit_undo = record_commit_undo,
			.sync = record_sync, .failed = record_failed, .get = record_get, .each = record_each, .durable = durable,
		},
		.journal = journal,
	};
}
