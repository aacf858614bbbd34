/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a command asks of a target: to handle a message, or to bring its status up to date. The hook (target.h) returns
 * 0 or -errno at once, or returns DM_HELD and calls dm_ask_done() later. Only the command waits, not the control
 * thread. If the command is cancelled, the device is removed or the world ends meanwhile, the command ends with a
 * sentence, and the ask is given up; the target and its table nevertheless stay until dm_ask_done(). Transitions do not
 * wait for asks: if they must, presuspend() has to do that.
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

struct dm_ask {
	/* The target's, from the call of the hook to dm_ask_done(). */
	int argc;			/* of a message: its words */
	char **argv;
	struct text out;		/* its answer */
	struct err err;			/* the sentence for a failure */
	bool changed;			/* set by the target: it has changed what it keeps besides the words of its line */
	bool acted;			/* the same: it has done something elsewhere, not to be done twice */
	atomic_bool given_up;		/* nobody waits for it any more: it may end soon, with any result */
	/* The core's. */
	struct dm_target *target;
	struct dm_table *table;
	struct dm_device *device;	/* in which the table was active; it may be gone by now */
	struct dm_cmd *cmd;		/* NULL: given up */
	size_t line;			/* of a status: the next line */
	char *text;			/* memory of the words ... */
	size_t text_size;		/* ... and its bytes */
	const char *what;		/* "message", "status" */
	void (*then)(struct dm_ask *a);
	int result;
	struct loop_msg msg;
	struct list node;		/* in table->asks */
};

/*
 * Ends A: 0, or -errno with or without a sentence in A->err. To be called once, on any thread, also from within the
 * hook.
 */
void dm_ask_done(struct dm_ask *a, int err);

/*
 * The rest is for commands, on the control thread. C wants to ask for WHAT from the active table of its device. NULL:
 * no memory.
 */
struct dm_ask *dm_ask_new(struct dm_cmd *c, const char *what);
void dm_ask_free(struct dm_ask *a);

/* Asks T. True: A->result has the answer. False: THEN is called later, if A->cmd is still there; else A is freed. */
bool dm_ask(struct dm_ask *a, struct dm_target *t, int (*hook)(struct dm_target *t, struct dm_ask *a), void (*then)(struct dm_ask *a));

/* The sentence for a failure, even if the target has set none. */
const char *dm_ask_why(struct dm_ask *a);

/* Describes an ask of T that has not ended: "message of target thin-pool at sector 0"; or "". */
const char *dm_ask_where(const struct dm_table *t, char *buffer, size_t size);

#endif
