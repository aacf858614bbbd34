/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of the features: see feature.h. */
#include "session/feature.h"

#include <stdio.h>
#include <stdlib.h>

static const struct { const char *name, *without; bool needed; } features[FEATURES] = {
	[FEATURE_FUSE] = { "/dev/fuse", "devices as NBD exports; no session and no `dmuse mount`", true },
	[FEATURE_NAMESPACES] = { "namespaces", "devices as NBD exports, and as files with `dmuse mount`", true },
	[FEATURE_FUSE_MOUNT] = { "FUSE in namespaces", "devices as NBD exports", true },
	[FEATURE_MOUNTS] = { "mounts in namespaces", "devices as NBD exports, and as files with `dmuse mount`", true },
	[FEATURE_ENTER] = { "entering namespaces", "devices as NBD exports, and as files with `dmuse mount`", true },
	[FEATURE_SECCOMP] = { "seccomp listeners", "devices as NBD exports, and as files with `dmuse mount`", true },
	[FEATURE_MEMORY] = { "access to memory", "devices as NBD exports, and as files with `dmuse mount`", true },
	[FEATURE_SPEED] = { "fast listeners", "everything; but opening a file in a session costs about 80 µs, not 7", false },
	[FEATURE_SYS] = { "/sys", "everything but lsblk and other programs that read /sys", false },
	[FEATURE_LOOP] = { "loop devices", "everything but mount(8) in a session; fuse2fs mounts ext2, ext3 and ext4", false },
	[FEATURE_DMUSE_MOUNT] = { "dmuse mount", "everything but `dmuse mount`", false },
	[FEATURE_RESTART] = { "restart after a crash", "everything; but when the daemon is killed, programs that have a device open in a session "
			      "or in a directory of `dmuse mount` get errors, and go on only with the next daemon", false },
};

const char *feature_name(enum feature p)
{
	return features[p].name;
}

bool feature_is_needed(enum feature p)
{
	return features[p].needed;
}

const char *feature_without(enum feature p)
{
	return features[p].without;
}

const char *feature_fuse_device(void)
{
	const char *given = getenv("DMUSE_FUSE_DEVICE");

	return given && *given ? given : "/dev/fuse";
}

long feature_setting(const char *name)
{
	char path[120];
	long n = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	f = fopen(path, "re");
	if (f) {
		if (fscanf(f, "%ld", &n) != 1)
			n = -1;
		fclose(f);
	}
	return n;
}

int feature_fail(enum feature p, int r, struct err *e)
{
	struct feature_lack l;

	feature_explain(p, r, &l);
	if (l.fix[0])
		return err_set(e, r, "%s: `%s`, %s, fixes it; see `dmuse doctor`", l.what, l.fix, l.how);
	return err_set(e, r, "%s; see `dmuse doctor`", l.what);
}
