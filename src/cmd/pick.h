/* SPDX-License-Identifier: BSD-2-Clause */
/* Which devices a sub-command is about: names, -u UUID, -j MAJOR -m MINOR, or all of them. */
#ifndef CMD_PICK_H
#define CMD_PICK_H

#include <stdbool.h>
#include <stddef.h>

#include "cmd/job.h"
#include "proto/plist.h"

struct pick {
	char **names;
	size_t n;
	bool all;	/* no device was said: it is every one, and one that vanishes meanwhile is no failure */
};

enum pick_none { PICK_NONE_IS_WRONG, PICK_NONE_IS_ALL };

/* The devices of the job's words. EXIT_OK, or another code after saying why. Free it with pick_free() in any case. */
int pick_devices(struct job *j, enum pick_none none, struct pick *p);

/*
 * The one device at the front of the words, which moves them on (not with -u or -m). MIN to MAX words may follow.
 * *NAME is freed by the caller.
 */
int pick_device(struct job *j, int min, int max, char **name);
void pick_free(struct pick *p);

/* Every device's dict, sorted by name; *OUT is an array of them that the caller frees with its reply. */
struct pick_rows {
	plist_t reply;
	plist_t *rows;
	size_t n;
};

int pick_all(struct job *j, struct pick_rows *out);
/* The same, each with `deps`, what it uses. */
int pick_all_deps(struct job *j, struct pick_rows *out);
void pick_rows_free(struct pick_rows *r);

/* Says that there is no device; and if that is because there is no daemon, why, on stderr. */
void pick_say_none(struct job *j);

#endif
