/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that can be opened without waiting for a disk or a file server: every name of the path is in the kernel's cache,
 * none is a link, and the file is on a mount of which a helper thread has found out that its file system is one of this
 * machine's. Such a file is opened on the control thread: switching to a helper and back takes longer than opening it.
 *
 * A mount is known by its unique id, which no later mount gets (Linux 6.8). Elsewhere no file is at hand.
 */
#ifndef CORE_AT_HAND_H
#define CORE_AT_HAND_H

/* What a mount of this machine is like, for those who open files there. */
enum {
	DM_MOUNT_LOCAL = 1,		/* nobody else is asked */
	DM_MOUNT_MEMORY = 2,		/* it has no disk */
	DM_MOUNT_SMOOTH = 4,		/* transfers never wait */
	DM_MOUNT_HARDWARE = 8,		/* its disk is not made of other disks */
};

/*
 * A descriptor (O_PATH) of the regular file PATH, which is absolute, for the thread CALLER (0: nobody knows), who must see
 * the same files as this process, and in *MOUNT what was learned; -1: it is not at hand. The control thread's.
 */
int dm_at_hand(const char *path, int caller, unsigned *mount);

/* FD is on a file system of this machine: DM_MOUNT_LOCAL, and what else is so. Any thread. */
void dm_at_hand_learn(int fd, unsigned mount);

#endif
