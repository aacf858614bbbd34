/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of the features: see piece.h. */
#include "session/piece.h"

#include <stdio.h>
#include <stdlib.h>

static const struct { const char *name, *without; bool needed; } pieces[PIECES] = {
	[PIECE_FUSE] = { "/dev/fuse", "devices as NBD exports; no session and no `dmuse mount`", true },
	[PIECE_NAMESPACES] = { "namespaces", "devices as NBD exports, and as files with `dmuse mount`", true },
	[PIECE_FUSE_MOUNT] = { "FUSE in namespaces", "devices as NBD exports", true },
	[PIECE_MOUNTS] = { "mounts in namespaces", "devices as NBD exports, and as files with `dmuse mount`", true },
	[PIECE_ENTER] = { "entering namespaces", "devices as NBD exports, and as files with `dmuse mount`", true },
	[PIECE_SECCOMP] = { "seccomp listeners", "devices as NBD exports, and as files with `dmuse mount`", true },
	[PIECE_MEMORY] = { "access to memory", "devices as NBD exports, and as files with `dmuse mount`", true },
	[PIECE_SPEED] = { "fast listeners", "everything; but opening a file in a session costs about 80 µs, not 7", false },
	[PIECE_SYS] = { "/sys", "everything but lsblk and other programs that read /sys", false },
	[PIECE_LOOP] = { "loop devices", "everything but mount(8) in a session; fuse2fs mounts ext2, ext3 and ext4", false },
	[PIECE_DMUSE_MOUNT] = { "dmuse mount", "everything but `dmuse mount`", false },
};

const char *piece_name(enum piece p)
{
	return pieces[p].name;
}

bool piece_is_needed(enum piece p)
{
	return pieces[p].needed;
}

const char *piece_without(enum piece p)
{
	return pieces[p].without;
}

const char *piece_fuse_device(void)
{
	const char *given = getenv("DMUSE_FUSE_DEVICE");

	return given && *given ? given : "/dev/fuse";
}

long piece_setting(const char *name)
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

int piece_lacks(enum piece p, int r, struct err *e)
{
	struct piece_lack l;

	piece_explain(p, r, &l);
	if (l.fix[0])
		return err_set(e, r, "%s: `%s`, %s, fixes it; see `dmuse doctor`", l.what, l.fix, l.how);
	return err_set(e, r, "%s; see `dmuse doctor`", l.what);
}
