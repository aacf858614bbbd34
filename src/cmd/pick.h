/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices for a sub-command: by name, -u UUID, -j MAJOR -m MINOR, or all. */
#ifndef CMD_PICK_H
#define CMD_PICK_H

#include <stdbool.h>
#include <stddef.h>

#include "cmd/job.h"
#include "proto/plist.h"

struct pick {
	char **names;
	size_t n;
	bool all;	/* none was given, so it is all devices; then one that was removed meanwhile is not an error */
};

enum pick_none { PICK_NONE_IS_WRONG, PICK_NONE_IS_ALL };

/* The devices given by the job's words. EXIT_OK, or another code after saying why. pick_free() is needed in any case. */
int pick_devices(struct job *j, enum pick_none none, struct pick *p);

/*
 * The device given by the first word, which is removed (not with -u or -m). MIN to MAX words may follow. *NAME is freed
 * by the caller.
 */
int pick_device(struct job *j, int min, int max, char **name);
void pick_free(struct pick *p);

/* The dicts of all devices, sorted by name; *OUT is an array of them, freed with its reply. */
struct pick_rows {
	plist_t reply;
	plist_t *rows;
	size_t n;
};

int pick_all(struct job *j, struct pick_rows *out);
/* The same, each with its `deps`. */
int pick_all_deps(struct job *j, struct pick_rows *out);
void pick_rows_free(struct pick_rows *r);

/* Says that there are no devices; and if that is because there is no daemon, also why, on stderr. */
void pick_say_none(struct job *j);

#endif
