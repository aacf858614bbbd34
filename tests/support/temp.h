/* SPDX-License-Identifier: BSD-2-Clause */
/* Where tests create files: $TMPDIR, which the runner creates for each test and removes, or else /tmp. */
#ifndef SUPPORT_TEMP_H
#define SUPPORT_TEMP_H

#include <stdio.h>
#include <stdlib.h>

#define TEMP_PATH 72	/* short enough for a socket in a directory of that name */

/* A template for mkstemp(3) or mkdtemp(3). OUT has TEMP_PATH bytes, and is returned. */
static inline char *temp_template(char *out, const char *name)
{
	const char *tmp = getenv("TMPDIR");

	if (!tmp || snprintf(out, TEMP_PATH, "%s/%s.XXXXXX", tmp, name) >= TEMP_PATH)
		snprintf(out, TEMP_PATH, "/tmp/%s.XXXXXX", name);
	return out;
}

#endif
