/* SPDX-License-Identifier: BSD-2-Clause */
/* The holder's namespaces, and the FUSE that becomes /dev in them. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "session/feature.h"
#include "session/holder_parts.h"

static int namespaces_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return r;
}

/* Maps root of the namespace to our user outside. */
static int namespaces_map(uid_t uid, gid_t gid, struct err *e)
{
	char line[40];
	int r;

	snprintf(line, sizeof(line), "0 %u 1\n", (unsigned)uid);
	r = namespaces_write("/proc/self/uid_map", line);
	if (!r)
		r = namespaces_write("/proc/self/setgroups", "deny");
	snprintf(line, sizeof(line), "0 %u 1\n", (unsigned)gid);
	if (!r)
		r = namespaces_write("/proc/self/gid_map", line);
	return r ? feature_fail(FEATURE_NAMESPACES, r, e) : 0;
}

static int namespaces_user_ns(struct err *e)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return feature_fail(FEATURE_NAMESPACES, -errno, e);
	return namespaces_map(uid, gid, e);
}

/*
 * In a chroot: whoever enters a mount namespace starts in the namespace's root directory, and would leave the chroot.
 * The same happens to us, who have just created it, so this is how we find out.
 */
static bool namespaces_in_chroot(void)
{
	int ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	struct statx before, after;
	bool moved = false;

	if (ns < 0)
		return false;
	if (!statx(AT_FDCWD, "/", 0, STATX_INO | STATX_MNT_ID, &before) && !setns(ns, CLONE_NEWNS) &&
	    !statx(AT_FDCWD, "/", 0, STATX_INO | STATX_MNT_ID, &after))
		moved = before.stx_mnt_id != after.stx_mnt_id || before.stx_ino != after.stx_ino;
	close(ns);
	return moved;
}

/* Root in a container may lack the right to mount; then it is done as for an ordinary user. */
int holder_unshare(bool *user_ns, struct err *e)
{
	int r = 0;

	*user_ns = geteuid() || unshare(CLONE_NEWNS);
	if (*user_ns)
		r = namespaces_user_ns(e);
	if (!r && namespaces_in_chroot())
		r = feature_fail(FEATURE_NAMESPACES, -EXDEV, e);
	if (r)
		return r;
	/* Later mounts of the machine are seen here; our mounts are not seen there. */
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL))
		return feature_fail(FEATURE_NAMESPACES, -errno, e);
	return 0;
}

/* /dev/fuse must be opened inside the user namespace in which it is mounted. */
int holder_mount(int *fd, struct err *e)
{
	char options[120];

	*fd = open(feature_fuse_device(), O_RDWR | O_CLOEXEC);
	if (*fd < 0)
		return feature_fail(FEATURE_FUSE, -errno, e);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40755,user_id=%u,group_id=%u,allow_other,default_permissions", *fd,
		 (unsigned)geteuid(), (unsigned)getegid());
	if (!mount("dmuse", "/dev", "fuse.dmuse", MS_NOSUID | MS_NODEV, options))
		return 0;
	feature_fail(FEATURE_FUSE_MOUNT, -errno, e);
	close(*fd);
	return e->code;
}
