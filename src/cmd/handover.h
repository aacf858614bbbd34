/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a daemon passes to the program that replaces it (replace.h), which is started in its place with execve(2): a text in a
 * memfd whose number is in the environment, and the descriptors that it names. Its lines:
 *
 *   dmuse handover 1          the version of this form
 *   old FD                    the program that is replaced; it is started again if the new one does not come up
 *   directory FD              where the daemon was started: relative paths of its options begin there
 *   background                stderr is the log
 *   id ID                     of the command that asked for this
 *   back SENTENCE             for the old program: why it is here again
 *   death SENTENCE            from a keeper that is another program: how the daemon has died
 *   passed FD NAME            a socket of socket activation
 *   kept FD NAME              see keep.h
 *   words LENGTH
 *   saved LENGTH
 *   nbd LENGTH                then so many bytes with the words that the old program was started with, each with its NUL, so
 *                             many of nbd_handed_over(), and so many of dm_hand_over_text(), in which there may be keys
 *
 * The memfd is zeros when it was read; memory that had keys is, too, before it is freed.
 */
#ifndef CMD_HANDOVER_H
#define CMD_HANDOVER_H

#include <stdbool.h>

#include "base/err.h"
#include "base/text.h"

#define HANDOVER_WORD "handover-check"	/* the program's first word; prints HANDOVER_FORM if it can take over */
#define HANDOVER_FORM "dmuse handover 1\n"
#define HANDOVER_PROGRAM "program"	/* kept: the program that has replaced the keeper's own */
#define HANDOVER_ID 64			/* bytes of an id at most */

struct handover {
	char *text;		/* NULL: nothing was handed over */
	size_t len;
	int old, directory;
	bool background;
	int control, nbd_socket;	/* those of socket activation; -1: none */
	char id[HANDOVER_ID + 1];
	char back[ERR_TEXT];	/* "" in the new program */
	char death[ERR_TEXT];
	char *words;		/* in text, like the next one */
	size_t words_len;
	const char *nbd, *saved;
	size_t nbd_len, saved_len;
};

#define HANDOVER_NONE ((struct handover){ .old = -1, .directory = -1, .control = -1, .nbd_socket = -1 })

/* Once, at the start: what was handed over to this process. What was kept is with keep.h then. 0, or -errno and a sentence. */
int handover_read(struct handover *h, struct err *e);

/* The last lines of T, a TEXT_SECRET if SAVED is. */
void handover_end(struct text *t, const struct text *nbd, const struct text *saved);

/* This program serves, and will not go back: what may be secret is forgotten. H may be NULL. */
void handover_served(struct handover *h);

/* The text is what the program at PATH needs: becomes it. Returns only if that fails: -errno and a sentence. */
int handover_exec(const char *path, const struct text *t, struct err *e);

/* The new program cannot take over, because of WHY: becomes the old one again. Returns only if that fails. */
void handover_go_back(const struct handover *h, const char *why);

void handover_free(struct handover *h);

/* HANDOVER_WORD: prints HANDOVER_FORM. Returns the exit code. */
int handover_check(void);

#endif
