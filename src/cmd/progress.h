/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the status of a line means for a person: how full the store of a snapshot is, how much of a merge is left, how many
 * regions of a mirror are equal. It is read from Linux's status text, so that this says the same as `dmuse status`.
 */
#ifndef CMD_PROGRESS_H
#define CMD_PROGRESS_H

#include <inttypes.h>

#include "base/text.h"
#include "cmd/job.h"
#include "cmd/rows.h"

#define PROGRESS_LEGS 64

struct progress {
	char type[24];
	const char *unit;		/* "sectors" or "regions" */
	uint64_t done, total;		/* of a merge: 0, and what is left */
	bool counted;			/* these are known */
	bool works;			/* it goes on by itself until done is total (of a merge: until nothing is left) */
	char state[24];			/* a word in the place of numbers, as "Invalid"; or empty */
	char health[PROGRESS_LEGS + 1];	/* a letter for each leg: A is alive; or empty */
};

/* False: there is nothing to say of lines of this type. */
bool progress_of(const struct row *r, struct progress *p);

/* Is its work over? */
bool progress_is_over(const struct progress *p);
/* Does it work no more, because something has failed? */
bool progress_has_failed(const struct progress *p);

/* "75 % are equal (6 of 8 regions)" */
void progress_text(const struct progress *p, struct text *out);
/* "75%", "Invalid" */
void progress_short(const struct progress *p, struct text *out);
plist_t progress_json(const struct progress *p);

/*
 * Asks for device NAME's status, and calls EACH for the lines of which there is something to say. A device that has just been
 * removed has none. EXIT_OK, or EXIT_FAILED after saying why.
 */
int progress_each(struct job *j, const char *name, void (*each)(const struct progress *p, void *arg), void *arg);

#endif
