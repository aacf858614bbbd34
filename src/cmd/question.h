/* SPDX-License-Identifier: BSD-2-Clause */
/* Another program is asked whether it can take over from this one: a child, which says HANDOVER_FORM. Control thread. */
#ifndef CMD_QUESTION_H
#define CMD_QUESTION_H

#include "base/err.h"

struct blocking;
struct question;

/*
 * Asks PROGRAM. Later ANSWERED is called once, and the question is gone; E->code is 0 if it can take over. NULL and a sentence: it
 * cannot be asked.
 */
struct question *question_new(struct blocking *helpers, const char *program, void (*answered)(void *arg, const struct err *e), void *arg,
			      struct err *e);

/* Nobody waits for the answer of Q (or NULL) any more: ANSWERED is not called. */
void question_forget(struct question *q);

#endif
