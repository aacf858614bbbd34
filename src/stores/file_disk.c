/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who serves the disk under a file? If it is this process (by NBD, a loop device over FUSE, or devices mapped onto
 * those), a thread that waits for the disk may wait for itself. A hardware disk, also a virtual machine's, has a link
 * `device` in sysfs; disks made of others list them in `slaves`.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stores/file.h"

#define DISK_DEPTH 8	/* nesting of disks */

static bool disk_has(const char *sys, const char *what)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/%s", sys, what) < (int)sizeof(path) && !access(path, F_OK);
}

static bool disk_is_hardware(const char *sys, unsigned depth);

/* Does it consist of such disks only, and of at least one? */
static bool disk_slaves_are(const char *sys, unsigned depth)
{
	char path[PATH_MAX];
	unsigned n = 0, good = 0;
	struct dirent *entry;
	DIR *d;

	snprintf(path, sizeof(path), "%s/slaves", sys);
	d = opendir(path);
	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.') {
			n++;
			good += snprintf(path, sizeof(path), "%s/slaves/%s", sys, entry->d_name) < (int)sizeof(path) &&
				disk_is_hardware(path, depth + 1);
		}
	if (d)
		closedir(d);
	return n && good == n;
}

/* SYS: its directory, or that of a partition, which is inside its disk's. */
static bool disk_is_hardware(const char *sys, unsigned depth)
{
	if (depth > DISK_DEPTH)
		return false;
	return disk_has(sys, "device") || (disk_has(sys, "partition") && disk_has(sys, "../device")) ||
	       disk_slaves_are(sys, depth);
}

bool file_disk_is_hardware(const char *sys)
{
	return disk_is_hardware(sys, 0);
}
