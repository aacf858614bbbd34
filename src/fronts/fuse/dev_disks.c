/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/partitions and /proc/diskstats as sessions see them: the machine's lines, and one for each of our devices. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fronts/fuse/dev.h"

/* Requests, merged requests, sectors, milliseconds. Linux counts zeroing as writing. */
static void counters_op(uint64_t c[4], const struct dm_stats *s, enum dm_op op)
{
	c[0] += s->ios[op];
	c[2] += s->sectors[op];
	c[3] += s->ns[op] / 1000000;
}

void dev_counters(const struct dm_device *d, uint64_t c[DEV_COUNTERS])
{
	uint64_t *reads = c, *writes = c + 4, *others = c + 8, *discards = c + 11, *flushes = c + 15;
	struct dm_stats s = { 0 };

	dm_device_stats(d, &s);
	memset(c, 0, DEV_COUNTERS * sizeof(*c));
	counters_op(reads, &s, DM_READ);
	counters_op(writes, &s, DM_WRITE);
	counters_op(writes, &s, DM_ZEROES);
	counters_op(discards, &s, DM_DISCARD);
	flushes[0] = s.ios[DM_FLUSH];
	flushes[1] = s.ns[DM_FLUSH] / 1000000;
	others[1] = reads[3] + writes[3];
	others[2] = others[1] + discards[3] + flushes[1];
}

/* A line of the machine's, unless its number is one of ours here; there is only one device-mapper. */
static bool disks_machine(const struct dev_node *n, const char *line)
{
	unsigned major, minor;
	char name[64];
	bool known = sscanf(line, "%u %u %*u %63s", &major, &minor, name) == 3 ||
		     sscanf(line, "%u %u %63s", &major, &minor, name) == 3;

	return !known || (major != n->view->front->world->major && major != DM_DISK_MAJOR && major != DM_PART_MAJOR &&
			  !(n->view->loops && major == DM_LOOP_MAJOR) && strncmp(name, "dm-", 3));
}

/* Copies the machine's FILE without the lines that are ours. */
static void disks_copy(const struct dev_node *n, struct text *out, const char *file)
{
	FILE *f = fopen(file, "re");
	char line[512];

	while (f && fgets(line, sizeof(line), f))
		if (disks_machine(n, line))
			text_add(out, line);
	if (f)
		fclose(f);
}

/* Our devices that are disks in the kernel's sense: a mapped device is not one until it was given a table. */
static void disks_ours(const struct dev_node *n, struct text *out, void (*show)(const struct dm_device *d, struct text *out))
{
	const struct list *const all[] = { &n->view->front->world->devices, &n->view->front->world->disks };
	const struct list *pos;
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(*all); i++)
		for (pos = all[i]->next; pos != all[i]; pos = pos->next) {
			const struct dm_device *d = container(pos, struct dm_device, node);

			if (d->disk || d->ever_loaded)
				show(d, out);
		}
}

/* Empty devices are left out. */
static void partitions_show(const struct dm_device *d, struct text *out)
{
	char name[DM_NAME_MAX + 1];

	if (!dm_device_sectors(d))
		return;
	dev_kernel_name(d, name);
	text_printf(out, "%4u  %7u %10" PRIu64 " %s\n", d->major, d->minor, dm_device_sectors(d) / 2, name);
}

/* On a machine without disks, Linux does not print the heading. */
void dev_proc_partitions(const struct dev_node *n, struct text *out)
{
	struct text ours = TEXT_INIT;

	disks_copy(n, out, "/proc/partitions");
	disks_ours(n, &ours, partitions_show);
	if (ours.len && !out->len)
		text_add(out, "major minor  #blocks  name\n\n");
	text_add_n(out, text_str(&ours), ours.len);
	out->failed |= ours.failed;
	text_free(&ours);
}

static void diskstats_show(const struct dm_device *d, struct text *out)
{
	char name[DM_NAME_MAX + 1];
	uint64_t c[DEV_COUNTERS];
	size_t i;

	dev_kernel_name(d, name);
	dev_counters(d, c);
	text_printf(out, "%4u %7u %s", d->major, d->minor, name);
	for (i = 0; i < DEV_COUNTERS; i++)
		text_printf(out, " %" PRIu64, c[i]);
	text_add(out, "\n");
}

void dev_proc_diskstats(const struct dev_node *n, struct text *out)
{
	disks_copy(n, out, "/proc/diskstats");
	disks_ours(n, out, diskstats_show);
}
