/* SPDX-License-Identifier: BSD-2-Clause */
/* See super_udev.h. Programs look up a partition's label and type there (lsblk, findfs PARTLABEL=). */
#include <blkid.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "session/super_udev.h"

static void part_word(struct text *out, const char *key, const char *value)
{
	char word[UDEV_VALUE];

	if (value && *value && !blkid_encode_string(value, word, sizeof(word)))
		text_printf(out, "E:ID_PART_ENTRY_%s=%s\n", key, word);
}

static void part_tell(struct text *out, blkid_partition p, const char *disk)
{
	blkid_parttable table = blkid_partition_get_table(p);
	const char *type = blkid_partition_get_type_string(p);
	unsigned long long flags = blkid_partition_get_flags(p);

	part_word(out, "SCHEME", table ? blkid_parttable_get_type(table) : NULL);
	part_word(out, "NAME", blkid_partition_get_name(p));
	part_word(out, "UUID", blkid_partition_get_uuid(p));
	if (type)
		part_word(out, "TYPE", type);
	else
		text_printf(out, "E:ID_PART_ENTRY_TYPE=0x%x\n", (unsigned)blkid_partition_get_type(p));
	if (flags)
		text_printf(out, "E:ID_PART_ENTRY_FLAGS=0x%llx\n", flags);
	text_printf(out, "E:ID_PART_ENTRY_NUMBER=%d\nE:ID_PART_ENTRY_OFFSET=%lld\nE:ID_PART_ENTRY_SIZE=%lld\nE:ID_PART_ENTRY_DISK=%s\n",
		    blkid_partition_get_partno(p), (long long)blkid_partition_get_start(p), (long long)blkid_partition_get_size(p), disk);
}

static void part_read(struct text *out, int fd, int number, const char *disk)
{
	blkid_probe probe = blkid_new_probe();
	blkid_partlist list = NULL;
	blkid_partition p;
	int block = 512;

	if (!probe)
		return;
	ioctl(fd, BLKSSZGET, &block);
	if (!blkid_probe_set_device(probe, fd, 0, 0)) {
		blkid_probe_set_sectorsize(probe, (unsigned)block);
		list = blkid_probe_get_partitions(probe);
	}
	p = list ? blkid_partlist_get_partition_by_partno(list, number) : NULL;
	if (p)
		part_tell(out, p, disk);
	blkid_free_probe(probe);
}

void udev_part(const struct super *s, const char *number, struct text *out)
{
	char part[UDEV_VALUE], disk[UDEV_VALUE];
	int fd;

	udev_sys(number, "partition", part);
	udev_sys(number, "../dev", disk);
	if (!*part || !*disk)
		return;
	fd = openat(s->io, disk, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	part_read(out, fd, atoi(part), disk);
	close(fd);
}
