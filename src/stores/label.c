/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Partition tables and disk labels by libblkid: see label.h. What is safe to map: after a GPT, from its own first
 * usable sector; after 65 sectors, where an i386 label may be (63 of boot code, 2 of label); after 2 if only a BSD
 * label is in the first sectors.
 */
#include "stores/label.h"

#include <blkid.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SAFE_BSD 2u
#define SAFE_I386 65u
#define GPT_FIRST_USABLE 40		/* offset in the header (UEFI specification, table "GPT Header") */
#define GPT_SAFE_LEAST 34u
#define BSD_MAGIC 0x82564557u

/* The GPT header is in the second block. If only the copy at the end is left, the default is safe. */
static uint64_t gpt_first_usable(int fd, uint32_t block)
{
	unsigned char header[512];
	uint64_t lba;

	if (pread(fd, header, sizeof(header), block) != sizeof(header) || memcmp(header, "EFI PART", 8))
		return GPT_SAFE_LEAST * (block / 512);
	memcpy(&lba, header + GPT_FIRST_USABLE, sizeof(lba));
	return le64toh(lba) * (block / 512);
}

/* i386 has its BSD label at the beginning of sector 1, others 64 or 128 bytes into sector 0. */
static uint64_t bsd_safe(int fd)
{
	uint32_t magic;

	if (pread(fd, &magic, sizeof(magic), 512) == sizeof(magic) && le32toh(magic) == BSD_MAGIC)
		return SAFE_I386;
	return SAFE_BSD;
}

static void label_fill(struct dm_label *out, const char *kind, uint64_t safe)
{
	snprintf(out->kind, sizeof(out->kind), "%s", kind);
	out->safe = safe;
}

static int label_name(int fd, uint32_t block, const char *type, struct dm_label *out)
{
	if (!strcmp(type, "gpt"))
		label_fill(out, "GPT", gpt_first_usable(fd, block));
	else if (!strcmp(type, "dos"))
		label_fill(out, "MBR", SAFE_I386);
	else if (!strcmp(type, "bsd"))
		label_fill(out, "BSD disklabel", bsd_safe(fd));
	else
		label_fill(out, type, SAFE_I386);	/* sun, sgi, mac, ...: the largest safe offset */
	return 1;
}

/* *OUT is the caller's, NULL if there is no memory. 0 or -errno. */
static int label_open(blkid_probe *out, int fd, uint32_t block)
{
	*out = blkid_new_probe();
	if (!*out)
		return -ENOMEM;
	if (blkid_probe_set_device(*out, fd, 0, 0))
		return -EIO;
	blkid_probe_set_sectorsize(*out, block);	/* a file does not tell the block size of the disk it came from */
	errno = 0;
	return 0;
}

/* Asks for the partition list and not only for the type, because only then libblkid finds BSD labels. */
int label_probe(int fd, uint32_t block, struct dm_label *out)
{
	blkid_probe probe;
	int r = label_open(&probe, fd, block);
	blkid_partlist list = r ? NULL : blkid_probe_get_partitions(probe);
	blkid_parttable table = list ? blkid_partlist_get_table(list) : NULL;

	if (!table && !r && errno == ENOMEM)
		r = -ENOMEM;		/* libblkid only reports that it found nothing */
	if (table)
		r = label_name(fd, block, blkid_parttable_get_type(table), out);
	blkid_free_probe(probe);
	return r;
}

/*
 * Like the kernel's node of an extended partition: room for a boot loader, since its content are partitions of their
 * own.
 */
#define EXTENDED_SECTORS 2

static void label_add(struct dm_parts *out, blkid_partition part, uint32_t block)
{
	int number = blkid_partition_get_partno(part);
	struct dm_part p = { .number = (uint32_t)number, .start = (uint64_t)blkid_partition_get_start(part),
			     .sectors = (uint64_t)blkid_partition_get_size(part) };

	if (number < 1 || number > (int)DM_PARTS_MAX || !p.sectors || out->n == DM_PARTS_MAX)
		return;
	if (blkid_partition_is_extended(part) && p.sectors > EXTENDED_SECTORS)
		p.sectors = block / 512 > EXTENDED_SECTORS ? block / 512 : EXTENDED_SECTORS;
	out->at[out->n++] = p;
}

static int label_parts_once(int fd, uint32_t block, struct dm_parts *out)
{
	blkid_probe probe;
	int r = label_open(&probe, fd, block);
	blkid_partlist list = r ? NULL : blkid_probe_get_partitions(probe);

	if (!r && errno == ENOMEM)
		r = -ENOMEM;
	out->n = 0;
	for (int i = 0; list && i < blkid_partlist_numof_partitions(list); i++)
		label_add(out, blkid_partlist_get_partition(list, i), block);
	blkid_free_probe(probe);
	return r;
}

/* Without memory libblkid may find nothing and not say why: what is not there is looked for twice. */
int label_parts(int fd, uint32_t block, struct dm_parts *out)
{
	int r = label_parts_once(fd, block, out);

	return r || out->n ? r : label_parts_once(fd, block, out);
}
