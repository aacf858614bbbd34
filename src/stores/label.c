/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disk labels by libblkid: see label.h. What is safe: behind a GPT, its own first
 * usable sector; 65 sectors where an i386 label may be (63 of boot code, 2 of
 * label); 2 where a BSD label stands alone in the first sectors.
 */
#include "stores/label.h"

#include <blkid.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SAFE_BSD 2u
#define SAFE_I386 65u
#define GPT_FIRST_USABLE 40		/* byte of the header (UEFI specification, table "GPT Header") */
#define GPT_SAFE_LEAST 34u
#define BSD_MAGIC 0x82564557u

/* The GPT header is in the second block. If only the copy at the end is left, what is usual is safe. */
static uint64_t gpt_first_usable(int fd, uint32_t block)
{
	unsigned char header[512];
	uint64_t lba;

	if (pread(fd, header, sizeof(header), block) != sizeof(header) || memcmp(header, "EFI PART", 8))
		return GPT_SAFE_LEAST * (block / 512);
	memcpy(&lba, header + GPT_FIRST_USABLE, sizeof(lba));
	return le64toh(lba) * (block / 512);
}

/* i386 keeps its BSD label at the beginning of sector 1, others 64 or 128 bytes into sector 0. */
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
		label_fill(out, type, SAFE_I386);	/* sun, sgi, mac, ...: what is safe for the largest of ours */
	return 1;
}

/* Asked for the list, not for the type alone, because libblkid finds BSD labels only then. */
static int label_ask(blkid_probe probe, int fd, uint32_t block, struct dm_label *out)
{
	blkid_partlist list;
	blkid_parttable table;

	if (blkid_probe_set_device(probe, fd, 0, 0))
		return -EIO;
	blkid_probe_set_sectorsize(probe, block);	/* an image does not know that it was a disk of large blocks */
	list = blkid_probe_get_partitions(probe);
	table = list ? blkid_partlist_get_table(list) : NULL;
	return table ? label_name(fd, block, blkid_parttable_get_type(table), out) : 0;
}

int probe_reopen(int fd)
{
	char again[32];

	snprintf(again, sizeof(again), "/proc/self/fd/%d", fd);
	return open(again, O_RDONLY | O_CLOEXEC);
}

int label_probe(int fd, uint32_t block, struct dm_label *out)
{
	blkid_probe probe = blkid_new_probe();
	int mine, r;

	if (!probe)
		return -ENOMEM;
	mine = probe_reopen(fd);
	r = label_ask(probe, mine >= 0 ? mine : fd, block, out);
	blkid_free_probe(probe);
	if (mine >= 0)
		close(mine);
	return r;
}
