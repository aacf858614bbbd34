/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What programs do with block devices, more precisely than any tool shows: for tests/tools/session-blockdev.sh. Each word of
 * the command line is a function below; it prints what is wrong, or nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1 << 20)

static int wrong;

static void say(const char *path, const char *what)
{
	int error = errno;

	fputs(path, stdout);
	printf(": %s (%s)\n", what, strerror(error));
	wrong = 1;
}

/* Compares every byte of both forms, by name and by descriptor. */
static void compare(const char *path, int fd)
{
	unsigned mask = STATX_BASIC_STATS | STATX_BTIME;
	struct statx c = { 0 }, d = { 0 };
	struct stat a, b;

	if (stat(path, &a) || fstat(fd, &b) || statx(AT_FDCWD, path, 0, mask, &c) || statx(fd, "", AT_EMPTY_PATH, mask, &d))
		say(path, "no stat");
	else if (memcmp(&a, &b, sizeof(a)))
		say(path, "stat and fstat differ");
	else if (memcmp(&c, &d, sizeof(c)))
		say(path, "statx differs");
}

static int need(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		say(path, "cannot be opened");
	return fd;
}

static void run_stat(const char *path)
{
	int fd = need(path, O_RDONLY);

	compare(path, fd);
	close(fd);
}

/* Descriptors obtained in other ways than open(2) of a name. */
static void run_ways(const char *path)
{
	int fd = need(path, O_RDWR), other, pair[2];
	char name[64], room[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	compare(path, other = dup(fd));
	close(other);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	compare(path, other = need(name, O_RDONLY));
	close(other);
	snprintf(name, sizeof(name), "/dev/fd/%d", fd);
	compare(path, other = need(name, O_RDWR));
	close(other);
	*h = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) };
	memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || sendmsg(pair[0], &m, 0) != 1 || recvmsg(pair[1], &m, 0) != 1)
		say(path, "cannot be sent");
	memcpy(&other, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(other));
	compare(path, other);
	if (fork() == 0) {
		compare(path, other);
		exit(wrong);
	}
	if (wait(&wrong) < 0 || wrong)
		say(path, "differs in a child");
}

static int open_count(int control, const char *path)
{
	struct dm_ioctl d = { .version = { 4, 0, 0 }, .data_size = sizeof(d), .data_start = sizeof(d) };

	snprintf(d.name, sizeof(d.name), "%s", strrchr(path, '/') + 1);
	return ioctl(control, DM_DEV_STATUS, &d) ? -1 : d.open_count;
}

/* Ten thousand times: after an open, the count is one more; after a close, one less, at once. */
static void run_counts(const char *path)
{
	int control = need("/dev/mapper/control", O_RDWR), stale = 0, fd;

	for (int i = 0; i < 10000; i++) {
		fd = need(path, i % 2 ? O_RDONLY : O_RDWR);
		stale += open_count(control, path) != 1;
		close(fd);
		stale += open_count(control, path) != 0;
	}
	if (stale)
		printf("%d of 20000 counts are stale\n", stale);
}

static void expect_busy(const char *path, const char *what)
{
	int fd = open(path, O_RDWR | O_EXCL | O_CLOEXEC);

	if (fd >= 0 || errno != EBUSY)
		say(path, what);
}

static void run_claims(const char *path)
{
	int first = need(path, O_RDWR | O_EXCL), fd;

	expect_busy(path, "can be claimed twice");
	fd = need(path, O_RDWR);	/* without a claim anybody may open it */
	close(fd);
	fd = dup(first);
	close(first);
	expect_busy(path, "is free although a duplicate is open");
	close(fd);
	first = need(path, O_RDONLY | O_EXCL);
	close(first);
}

/* All of a MiB is C, through a mapping and through read(2). */
static void all_is(const char *path, int fd, const char *map, char c)
{
	char *buf = malloc(MIB);

	if (pread(fd, buf, MIB, 0) != MIB)
		say(path, "cannot be read");
	for (size_t i = 0; i < MIB; i++)
		if (buf[i] != c || map[i] != c)
			return say(path, "a mapping and read(2) differ");
	free(buf);
}

static void run_mmap(const char *path)
{
	int fd = need(path, O_RDWR), direct = need(path, O_RDWR | O_DIRECT);
	char *map = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *buf = aligned_alloc(4096, MIB);

	if (map == MAP_FAILED)
		return say(path, "cannot be mapped");
	memset(map, 'a', MIB);
	all_is(path, fd, map, 'a');
	if (msync(map, MIB, MS_SYNC) || pread(direct, buf, MIB, 0) != MIB || buf[0] != 'a' || memcmp(buf, buf + 1, MIB - 1))
		say(path, "what was mapped does not arrive");
	memset(buf, 'b', MIB);
	if (pwrite(direct, buf, MIB, 0) != MIB)
		say(path, "O_DIRECT does not write");
	all_is(path, fd, map, 'b');
	memset(map, 'c', MIB);
	if (ioctl(fd, BLKFLSBUF, 0) && errno != EACCES)
		say(path, "BLKFLSBUF");
	all_is(path, fd, map, 'c');
	free(buf);
}

/* As in mount(8) of util-linux 2.39 and later; the directory is m. */
static void run_fsopen(const char *path)
{
	int fs = (int)syscall(SYS_fsopen, "ext4", 0), mnt;

	if (fs < 0 || syscall(SYS_fsconfig, fs, 1 /* a string */, "source", path, 0))
		return say(path, "no source of a file system");
	if (syscall(SYS_fsconfig, fs, 6 /* create */, NULL, NULL, 0))
		return say(path, "no file system");
	mnt = (int)syscall(SYS_fsmount, fs, 0, 0);
	if (mnt < 0 || syscall(SYS_move_mount, mnt, "", AT_FDCWD, "m", 4 /* an empty path */))
		say(path, "not mounted");
}

/* As in busybox, with the words unchanged; the directory follows. */
static void run_mount(const char *path)
{
	static const char *device;

	if (!device)
		device = path;
	else if (mount(device, path, "ext4", 0, NULL))
		say(device, "not mounted");
}

/* A disk ends where it ends. */
static void run_end(const char *path)
{
	int fd = need(path, O_RDWR), direct = need(path, O_RDWR | O_DIRECT);
	unsigned long long size = 0;
	char *buf = aligned_alloc(4096, 8192);

	if (ioctl(fd, BLKGETSIZE64, &size) || lseek(fd, 0, SEEK_END) != (off_t)size)
		say(path, "where it ends is not clear");
	if (pread(fd, buf, 8192, (off_t)size - 4096) != 4096 || pread(fd, buf, 1, (off_t)size) != 0)
		say(path, "reads go beyond the end");
	if (pwrite(fd, buf, 8192, (off_t)size - 4096) != 4096)
		say(path, "a write is not cut at the end");
	if (pwrite(fd, buf, 1, (off_t)size) != -1 || errno != ENOSPC)
		say(path, "a write behind the end");
	if (pread(direct, buf, 511, 0) != -1 || errno != EINVAL)
		say(path, "O_DIRECT of less than a sector");
	if (ftruncate(fd, 0) != -1 || errno != EINVAL)
		say(path, "it can be cut short");
	free(buf);
}

int main(int argc, char **argv)
{
	static const struct { const char *name; void (*run)(const char *path); } ways[] = {
		{ "stat", run_stat }, { "ways", run_ways }, { "counts", run_counts }, { "claims", run_claims },
		{ "mmap", run_mmap }, { "end", run_end }, { "fsopen", run_fsopen }, { "mount", run_mount },
	};

	for (size_t i = 0; argc > 2 && i < sizeof(ways) / sizeof(*ways); i++)
		for (int k = 2; k < argc && !strcmp(ways[i].name, argv[1]); k++)
			ways[i].run(argv[k]);
	return wrong;
}
