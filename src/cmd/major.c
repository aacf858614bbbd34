/* SPDX-License-Identifier: BSD-2-Clause */
/* See major.h. Linux allocates dynamic numbers from 254 down to 234; 240 to 254 are for local use. */
#include "cmd/major.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/world.h"

#define MAJOR_FIRST 240u
#define MAJOR_LAST 254u

static void major_note(bool taken[MAJOR_LAST + 1], const char *line)
{
	unsigned number;

	if (sscanf(line, "%u", &number) == 1 && number <= MAJOR_LAST)
		taken[number] = true;
}

uint32_t major_free(void)
{
	bool taken[MAJOR_LAST + 1] = { false }, block = false;
	FILE *f = fopen("/proc/devices", "re");
	uint32_t major = MAJOR_FIRST;
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		if (block)
			major_note(taken, line);
		block |= !strcmp(line, "Block devices:\n");
	}
	if (f)
		fclose(f);
	if (!taken[DM_MAJOR])
		return DM_MAJOR;
	while (major < MAJOR_LAST && taken[major])
		major++;
	return major;
}
