/* SPDX-License-Identifier: BSD-2-Clause */
/* A partition's directory in /sys, which is in its disk's. */
#include <inttypes.h>

#include "fronts/fuse/dev.h"

static uint64_t number_partition(const struct dev_node *n)
{
	return n->device->part;
}

static uint64_t number_start(const struct dev_node *n)
{
	return n->device->part_start;
}

static void show_uevent(const struct dev_node *n, struct text *out)
{
	const struct dm_device *d = n->device;

	text_printf(out, "MAJOR=%u\nMINOR=%u\nDEVNAME=%s\nDEVTYPE=partition\nDISKSEQ=%" PRIu64 "\nPARTN=%u\n", d->major, d->minor,
		    d->name, dev_diskseq(n), d->part);
}

const struct dev_text dev_part_texts[] = {
	{ .name = "alignment_offset", .fixed = "0\n" },
	{ .name = "dev", .show = dev_show_number },
	{ .name = "discard_alignment", .fixed = "0\n" },
	{ .name = "inflight", .fixed = "       0        0\n" },
	{ .name = "partition", .number = number_partition },
	{ .name = "ro", .number = dev_readonly },
	{ .name = "size", .number = dev_size },
	{ .name = "start", .number = number_start },
	{ .name = "stat", .show = dev_show_stat },
	{ .name = "uevent", .show = show_uevent, .store = dev_store_uevent },
	{ 0 },
};
