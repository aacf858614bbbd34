/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/devices as sessions see it: the machine's, with our majors among the block devices. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fronts/fuse/dev.h"

#define PROC_DM "device-mapper"
#define PROC_DISK "ubd"			/* a type that LVM accepts */
#define PROC_PART "blkext"		/* another one */
#define PROC_LOOP "loop"
#define PROC_BLOCK "Block devices:\n"

struct proc_major {
	unsigned number;
	const char *name;
};

/* Prints our majors that are below NUMBER, in order. */
static void proc_ours(struct text *out, const struct proc_major **ours, unsigned number)
{
	for (; (*ours)->name && (*ours)->number < number; ++*ours)
		text_printf(out, "%3u %s\n", (*ours)->number, (*ours)->name);
}

/* A line of the machine's block devices, unless its number is one of ours here; there is only one device-mapper. */
static void proc_line(struct text *out, const struct proc_major *all, const struct proc_major **ours, const char *line)
{
	unsigned number;
	int at = 0;

	if (sscanf(line, "%u %n", &number, &at) != 1 || !at || !strcmp(line + at, PROC_DM "\n"))
		return;
	proc_ours(out, ours, number);
	for (; all->name; all++)
		if (all->number == number)
			return;
	text_add(out, line);
}

void dev_proc_devices(const struct dev_node *n, struct text *out)
{
	const struct proc_major all[] = { { DM_LOOP_MAJOR, PROC_LOOP }, { DM_DISK_MAJOR, PROC_DISK }, { DM_PART_MAJOR, PROC_PART }, { n->view->front->world->major, PROC_DM },
					  { 0, NULL } };
	const struct proc_major *from = all + !n->view->loops, *ours = from;
	FILE *f = fopen("/proc/devices", "re");
	bool block = false;
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		if (block)
			proc_line(out, from, &ours, line);
		else
			text_add(out, line);
		block |= !strcmp(line, PROC_BLOCK);
	}
	if (!block)
		text_add(out, PROC_BLOCK);
	proc_ours(out, &ours, ~0u);
	if (f)
		fclose(f);
}
