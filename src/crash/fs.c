/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See fs.h. Everything is laid out at mkfs, so that no background thread of the kernel writes to the disk; UUIDs and
 * times are fixed, so that two runs make the same image.
 */
#include "crash/fs.h"

#include <stddef.h>
#include <string.h>

#define UUID "6d757365-0000-4000-8000-637261736821"
#define TIMES "E2FSPROGS_FAKE_TIME=1700000000 SOURCE_DATE_EPOCH=1700000000 "
#define MKE2FS(type) TIMES "mkfs." type " -q -F -U " UUID " -E lazy_itable_init=0,lazy_journal_init=0,nodiscard,hash_seed=" UUID
#define E2FSCK "e2fsck -fn"
#define REPLAY "e2fsck -E journal_only -p"
#define FUSE2FS "fuse2fs -o fakeroot"
#define MIB (UINT64_C(1) << 20)

static const struct fs all[] = {
	{ "ext4", MKE2FS("ext4"), E2FSCK, REPLAY, FUSE2FS, "errors=remount-ro", 6, 2 * MIB, false },
	{ "ext3", MKE2FS("ext3"), E2FSCK, REPLAY, FUSE2FS, "errors=remount-ro", 6, 2 * MIB, false },
	{ "ext2", MKE2FS("ext2"), E2FSCK, NULL, FUSE2FS, "errors=remount-ro", 31, MIB, false },
	{ "xfs", TIMES "mkfs.xfs -q -f -K -m uuid=" UUID, "xfs_repair -n -f", NULL, NULL, "nouuid", 31, 300 * MIB, false },
	{ "btrfs", TIMES "mkfs.btrfs -q -f -K -U " UUID, "btrfs check --readonly", NULL, NULL, "", 31, 109 * MIB, true },
};

const struct fs *fs_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!strcmp(all[i].name, name))
			return &all[i];
	return NULL;
}

void fs_names(struct text *out)
{
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(*all); i++)
		text_printf(out, i ? ", %s" : "%s", all[i].name);
}
