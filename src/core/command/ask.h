/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a target is asked for by a command: a message, or to make its status ready. The hook (target.h) answers at once with 0
 * or -errno, or returns DM_HELD and ends with dm_ask_done() later. The command waits, the control thread does not. If the
 * command is cancelled, the device removed or the world ends meanwhile, the command ends with a sentence, and the ask is
 * given up: the target and its table stay until dm_ask_done() all the same. Transitions do not wait for an ask: where they
 * must, presuspend() does.
 */
#ifndef CORE_ASK_H
#define CORE_ASK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/text.h"

struct dm_cmd;
struct dm_device;
struct dm_table;
struct dm_target;

#define DM_ASK_WORDS 64

struct dm_ask {
	/* The target's, from the hook to dm_ask_done(). */
	int argc;			/* of a message: its words */
	char *argv[DM_ASK_WORDS];
	struct text out;		/* its answer */
	struct err err;			/* the sentence of a failure */
	bool changed;			/* set by the target: what it keeps beside the words of its line is not what it was */
	atomic_bool given_up;		/* nobody waits for it any more: it may end soon, with any result */
	/* The core's. */
	struct dm_target *target;
	struct dm_table *table;
	struct dm_device *device;	/* that the table was active in; perhaps gone by now */
	struct dm_cmd *cmd;		/* NULL: given up */
	size_t line;			/* of a status: the next one */
	char *text;			/* what the words are in */
	const char *what;		/* "message", "status" */
	void (*then)(struct dm_ask *a);
	int result;
	struct loop_msg over;
	struct list node;		/* in table->asks */
};

/* A is over: 0, or -errno with a sentence in A->err or without. Once, on any thread, also within the hook. */
void dm_ask_done(struct dm_ask *a, int err);

/* The rest is for the commands, on the control thread. C asks for WHAT of the active table of its device. NULL: no memory. */
struct dm_ask *dm_ask_new(struct dm_cmd *c, const char *what);
void dm_ask_free(struct dm_ask *a);

/* Asks T: true: A->result has the answer. False: later, and then THEN is called, if A->cmd is still there; else A is freed. */
bool dm_ask(struct dm_ask *a, struct dm_target *t, int (*hook)(struct dm_target *t, struct dm_ask *a), void (*then)(struct dm_ask *a));

/* The sentence of a failure, also where the target has none. */
const char *dm_ask_why(struct dm_ask *a);

/* Which one of T is under way, for people: "message of target thin-pool at sector 0"; or "". */
const char *dm_ask_where(const struct dm_table *t, char *buffer, size_t size);

#endif
