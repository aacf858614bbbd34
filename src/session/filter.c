/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which system calls are passed to the supervisor. libseccomp generates the program; it is loaded with seccomp(2)
 * directly, because libseccomp 2.5 does not know the flag that keeps signals from interrupting a call that is being
 * answered.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/loop.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/filter.h>

#include "base/apart.h"
#include "fronts/fuse/dev_private.h"
#include "session/supervisor.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
/* Such an open never reaches a driver, so the kernel can do it. (O_TMPFILE includes O_DIRECTORY.) */
#define OPEN_HARMLESS (O_PATH | O_DIRECTORY)
#define FILTER_SECONDS 2	/* of a processor, for what takes a millisecond */
#define FSCONFIG_A_STRING 1
#define FSCONFIG_A_CREATE 6
#define FSCONFIG_A_CREATE_EXCL 8

struct filter_rule {
	int call;		/* below 0: this architecture has no such call */
	int arg;		/* -1: whatever the arguments */
	uint64_t mask, value;
};

static const struct filter_rule filter_notify[] = {
	{ SCMP_SYS(open), 1, OPEN_HARMLESS, 0 },
	{ SCMP_SYS(creat), -1, 0, 0 },
	{ SCMP_SYS(openat), 2, OPEN_HARMLESS, 0 },
	{ SCMP_SYS(openat2), -1, 0, 0 },
	{ SCMP_SYS(fstat), -1, 0, 0 },
	{ SCMP_SYS(newfstatat), 3, AT_EMPTY_PATH, AT_EMPTY_PATH },
	{ SCMP_SYS(statx), 2, AT_EMPTY_PATH, AT_EMPTY_PATH },
	{ SCMP_SYS(mount), -1, 0, 0 },
	{ SCMP_SYS(fsconfig), 1, UINT32_MAX, FSCONFIG_A_STRING },
	{ SCMP_SYS(fsconfig), 1, UINT32_MAX, FSCONFIG_A_CREATE },
	{ SCMP_SYS(fsconfig), 1, UINT32_MAX, FSCONFIG_A_CREATE_EXCL },
	{ SCMP_SYS(swapon), -1, 0, 0 },
	{ SCMP_SYS(swapoff), -1, 0, 0 },
	{ SCMP_SYS(quotactl), -1, 0, 0 },
	{ SCMP_SYS(request_key), -1, 0, 0 },
	{ SCMP_SYS(ioctl), 1, UINT32_MAX, LOOP_SET_FD },
	{ SCMP_SYS(ioctl), 1, UINT32_MAX, LOOP_CONFIGURE },
	{ SCMP_SYS(ioctl), 1, UINT32_MAX, BTRFS_IOC_SCAN_DEV },
	{ SCMP_SYS(ioctl), 1, UINT32_MAX, BTRFS_IOC_FORGET_DEV },
	{ SCMP_SYS(ioctl), 1, UINT32_MAX, BTRFS_IOC_DEVICES_READY },
	{ SCMP_SYS(ioctl), 1, UINT32_MAX, BTRFS_IOC_ADD_DEV },
	{ SCMP_SYS(ioctl), 1, UINT32_MAX, BTRFS_IOC_RM_DEV },
	{ SCMP_SYS(ioctl), 1, UINT32_MAX, BTRFS_IOC_RM_DEV_V2 },
	{ SCMP_SYS(ioctl), 1, UINT32_MAX, BTRFS_IOC_DEV_REPLACE },
};

/* An ordinary user may not create nodes, nor give them to group disk; for our devices he may (super_mknod.c). */
static const struct filter_rule filter_notify_user[] = {
	{ SCMP_SYS(mknod), 1, S_IFMT, S_IFBLK },
	{ SCMP_SYS(mknodat), 2, S_IFMT, S_IFBLK },
	{ SCMP_SYS(mknod), 1, S_IFMT, S_IFCHR },
	{ SCMP_SYS(mknodat), 2, S_IFMT, S_IFCHR },
	{ SCMP_SYS(chown), 2, UINT32_MAX, DEV_DISK_GROUP },
	{ SCMP_SYS(fchownat), 3, UINT32_MAX, DEV_DISK_GROUP },
};

/* An ordinary user may not do these, and programs that try print warnings. */
static const int filter_pretend[] = {
	SCMP_SYS(mlock), SCMP_SYS(mlock2), SCMP_SYS(mlockall), SCMP_SYS(munlock), SCMP_SYS(munlockall), SCMP_SYS(setpriority),
};

/* Is root here an ordinary user outside? */
static bool filter_user_namespace(void)
{
	unsigned long inside, outside, count;
	char map[80] = "";
	int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, map, sizeof(map) - 1);

	if (fd >= 0)
		close(fd);
	return n <= 0 || sscanf(map, "%lu %lu %lu", &inside, &outside, &count) != 3 || outside || count <= 1;
}

static int filter_add(scmp_filter_ctx ctx, const struct filter_rule *f)
{
	const struct scmp_arg_cmp only = { (unsigned)f->arg, SCMP_CMP_MASKED_EQ, f->mask, f->value };

	if (f->call < 0)
		return 0;
	return seccomp_rule_add_array(ctx, SCMP_ACT_NOTIFY, f->call, f->arg < 0 ? 0 : 1, &only);
}

/* Programs of another architecture (mostly 32 bits) are not filtered: they do not see our devices. */
static int filter_fill(scmp_filter_ctx ctx)
{
	int r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);

	for (size_t i = 0; !r && i < sizeof(filter_notify) / sizeof(*filter_notify); i++)
		r = filter_add(ctx, &filter_notify[i]);
	if (r || !filter_user_namespace())
		return r;
	for (size_t i = 0; !r && i < sizeof(filter_notify_user) / sizeof(*filter_notify_user); i++)
		r = filter_add(ctx, &filter_notify_user[i]);
	for (size_t i = 0; !r && i < sizeof(filter_pretend) / sizeof(*filter_pretend); i++)
		r = filter_pretend[i] < 0 ? 0 : seccomp_rule_add(ctx, SCMP_ACT_ERRNO(0), filter_pretend[i], 0);
	return r;
}

static int filter_generate(int fd)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int r = ctx ? filter_fill(ctx) : -ENOMEM;

	return r ? r : seccomp_export_bpf(ctx, fd);
}

static int filter_child(void *fd)
{
	const struct rlimit most = { FILTER_SECONDS, FILTER_SECONDS };

	setrlimit(RLIMIT_CPU, &most);
	return -filter_generate(*(int *)fd) & 0xff;
}

/* libseccomp crashes if it lacks memory, or never ends, so it has a process of its own. The program is in FD then. */
static int filter_apart(int fd)
{
	int r = apart(filter_child, &fd);

	return r == -EINTR ? -ENOMEM : r < 0 ? r : -r;
}

/* The program that FD has, in memory that is to be freed. */
static int filter_read(int fd, struct sock_fprog *out)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	out->filter = malloc((size_t)st.st_size);
	if (!out->filter)
		return -ENOMEM;
	out->len = (unsigned short)(st.st_size / (off_t)sizeof(*out->filter));
	return pread(fd, out->filter, (size_t)st.st_size, 0) == st.st_size ? 0 : -EIO;
}

static int filter_seccomp(unsigned long flags, const struct sock_fprog *prog)
{
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, prog);

	return fd < 0 ? -errno : (int)fd;
}

/* Linux before 5.19 does not know the flag. A process without the right to load a filter sets no_new_privs first. */
static int filter_load(const struct sock_fprog *prog)
{
	unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	int fd = filter_seccomp(flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, prog);

	if (fd == -EACCES && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		fd = filter_seccomp(flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, prog);
	return fd == -EINVAL ? filter_seccomp(flags, prog) : fd;
}

int supervisor_filter(void)
{
	int fd = memfd_create("filter", MFD_CLOEXEC), r;
	struct sock_fprog prog = { 0 };

	if (fd < 0)
		return -errno;
	r = filter_apart(fd);
	if (!r)
		r = filter_read(fd, &prog);
	close(fd);
	if (!r)
		r = filter_load(&prog);
	free(prog.filter);
	return r;
}
