/* SPDX-License-Identifier: BSD-2-Clause */
/* See kept.h. A name of what is kept is short and of few characters, so it has the word's hash. */
#include "core/table/kept.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include "base/keep.h"

#define NAME 40

/* FNV-1a. */
static void name_of(char name[NAME], const char *word, bool readonly)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *word; word++)
		h = (h ^ (unsigned char)*word) * UINT64_C(0x100000001b3);
	snprintf(name, NAME, "store:%016" PRIx64 ":%s", h, readonly ? "ro" : "rw");
}

int dm_kept_copy(const char *word, bool readonly)
{
	char name[NAME];

	name_of(name, word, readonly);
	return keep_copy(name);
}

int dm_kept_put(const char *word, bool readonly, int fd, struct err *e)
{
	char name[NAME];

	name_of(name, word, readonly);
	return keep_fd(name, fd, e);
}

void dm_kept_drop(const char *word, bool readonly)
{
	char name[NAME];

	name_of(name, word, readonly);
	keep_drop(name);
}
