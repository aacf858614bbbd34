/* SPDX-License-Identifier: BSD-2-Clause */
/* /sys/block/loopN/loop of the session's own loop devices: how they are attached. */
#include <stdlib.h>

#include "core/device/loopdev.h"
#include "core/state/lost.h"
#include "fronts/fuse/dev.h"

static void show_file(const struct dev_node *n, struct text *out)
{
	char *file = n->device->active ? dm_disk_file(n->device->active) : NULL;

	if (file)
		text_printf(out, "%s\n", file);
	else
		out->failed = n->device->active;
	free(file);
}

static uint64_t number_offset(const struct dev_node *n)
{
	return n->device->loopdev->is.offset;
}

static uint64_t number_limit(const struct dev_node *n)
{
	return n->device->loopdev->is.limit;
}

static uint64_t number_autoclear(const struct dev_node *n)
{
	return (n->device->loopdev->is.flags & DM_LOOP_AUTOCLEAR) != 0;
}

static uint64_t number_partscan(const struct dev_node *n)
{
	return (n->device->loopdev->is.flags & DM_LOOP_PARTSCAN) != 0;
}

static uint64_t number_direct(const struct dev_node *n)
{
	return (n->device->loopdev->is.flags & DM_LOOP_DIRECT) != 0;
}

const struct dev_text dev_loop_texts[] = {
	{ .name = "autoclear", .number = number_autoclear },
	{ .name = "backing_file", .show = show_file },
	{ .name = "dio", .number = number_direct },
	{ .name = "offset", .number = number_offset },
	{ .name = "partscan", .number = number_partscan },
	{ .name = "sizelimit", .number = number_limit },
	{ 0 },
};
