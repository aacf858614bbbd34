/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NetBSD's ioctl for programs in a session (LD_PRELOAD, `dmuse exec --netbsd`): a dictionary goes in as text, and the
 * reply comes back in memory that is mapped here, in the caller, which unmaps it. That mapping cannot be created from
 * outside. Each call is a connection of its own to the daemon at $DMUSE_SOCKET, so that threads and forks do not
 * matter.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/process.h"

#define EXPORT __attribute__((visibility("default")))
#define TEXT_MAX (256u << 20)	/* the daemon's limit */
#define CONTROL_MAJOR 10
#define CONTROL_MINOR 236

struct plistref {
	void *plist;
	size_t len;
};

/* Encoded as in BSD: in and out, the size of the argument, group 0xfd, number 0. LP64: 0xC010FD00. */
#define NETBSD_DM_IOCTL (0xC0000000u | ((uint32_t)sizeof(struct plistref) & 0x1fff) << 16 | 0xfd00u)

/* Converts NetBSD's errno to the host's. */
static int netbsd_errno(unsigned number)
{
	switch (number) {
#define NUMBER(here, there) case there: return here;
#include "proto/dict_errno.list"
#undef NUMBER
	default:
		return (int)number;
	}
}

/* The control node, or a mapped device: NetBSD's driver accepts commands on any of its nodes. */
static bool is_ours(int fd)
{
	struct stat st;
	char dm[64];

	if (fstat(fd, &st))
		return false;
	if (S_ISCHR(st.st_mode))
		return st.st_rdev == makedev(CONTROL_MAJOR, CONTROL_MINOR);
	snprintf(dm, sizeof(dm), "/sys/dev/block/%u:%u/dm", major(st.st_rdev), minor(st.st_rdev));
	return S_ISBLK(st.st_mode) && !access(dm, F_OK);
}

/* Waits only if the daemon's queue is full, and not forever. */
static int reach_daemon(const char *path)
{
	const struct timeval patience = { .tv_sec = 5 }, ever = { 0 };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd, code;

	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	strcpy(to.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) &&
	    !connect(fd, (struct sockaddr *)&to, sizeof(to)) && !setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &ever, sizeof(ever)))
		return fd;
	code = errno == EAGAIN ? -ETIMEDOUT : -errno;
	close(fd);
	return code;
}

/* A bad pointer is detected by the kernel: send() fails with EFAULT. */
static int send_all(int fd, const char *p, size_t n, int flags)
{
	while (n) {
		ssize_t r = send(fd, p, n, MSG_NOSIGNAL | flags);

		if (r < 0)
			return -errno;
		p += r;
		n -= (size_t)r;
	}
	return 0;
}

static int recv_all(int fd, char *p, size_t n)
{
	while (n) {
		ssize_t r = recv(fd, p, n, 0);

		if (r <= 0)
			return r ? -errno : -ECONNRESET;
		p += r;
		n -= (size_t)r;
	}
	return 0;
}

/* The integer of key `errno` in the outermost dictionary. The daemon wrote this text, so each '<' begins a tag. */
static unsigned answer_errno(const char *text)
{
	static const char key[] = "<key>errno</key>";
	int depth = 0;

	for (; (text = strchr(text, '<')); text++) {
		if (!strncmp(text, "<dict>", 6) || !strncmp(text, "<array>", 7))
			depth++;
		else if (!strncmp(text, "</dict>", 7) || !strncmp(text, "</array>", 8))
			depth--;
		else if (depth == 1 && !strncmp(text, key, sizeof(key) - 1))
			return (text = strstr(text, "<integer>")) ? (unsigned)strtoul(text + 9, NULL, 0) : 5;
	}
	return 5;	/* EIO: it was not a daemon of dmuse */
}

/* Receives the reply into new memory, NUL-terminated; -errno if there is none, or if it contains an errno. */
static int receive(int fd, struct plistref *out)
{
	uint32_t len;
	char *text;
	int r = recv_all(fd, (char *)&len, sizeof(len));

	if (r)
		return r;
	len = ntohl(len);
	if (len > TEXT_MAX)
		return -EPROTO;
	text = mmap(NULL, (size_t)len + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (text == MAP_FAILED)
		return -errno;
	r = recv_all(fd, text, len);
	if (!r)
		r = -netbsd_errno(answer_errno(text));
	if (r)
		munmap(text, (size_t)len + 1);
	else
		*out = (struct plistref){ text, (size_t)len + 1 };
	return r;
}

/* N bytes within this process; a bad pointer does not kill it. */
static int copy_in(void *to, const void *from, size_t n)
{
	return process_peek(AT_FDCWD, getpid(), (uintptr_t)from, to, n);
}

static int copy_out(void *to, void *from, size_t n)
{
	return process_poke(AT_FDCWD, getpid(), (uintptr_t)to, from, n);
}

static int exchange(int fd, struct plistref *ref)
{
	uint32_t head = htonl((uint32_t)ref->len);
	int r = send_all(fd, (char *)&head, sizeof(head), MSG_MORE);

	if (!r)
		r = send_all(fd, ref->plist, ref->len, 0);
	return r && r != -EPIPE && r != -ECONNRESET ? r : receive(fd, ref);
}

/* Does what NetBSD's driver does with the ioctl. If it fails, the caller's plistref is not changed. */
static int netbsd_ioctl(const char *socket, struct plistref *caller)
{
	struct plistref ref;
	int fd, r = copy_in(&ref, caller, sizeof(ref));

	if (!r && ref.len > TEXT_MAX)
		r = -EINVAL;
	if (r)
		return r;
	fd = reach_daemon(socket);
	if (fd < 0)
		return fd;
	r = exchange(fd, &ref);
	close(fd);
	if (r)
		return r;
	r = copy_out(caller, &ref, sizeof(ref));
	if (r)
		munmap(ref.plist, ref.len);
	return r;
}

EXPORT int ioctl(int fd, unsigned long number, ...)
{
	const char *socket = getenv("DMUSE_SOCKET");
	va_list ap;
	void *arg;
	int r;

	va_start(ap, number);
	arg = va_arg(ap, void *);
	va_end(ap);
	if ((uint32_t)number != NETBSD_DM_IOCTL || !socket || !is_ours(fd))
		return (int)syscall(SYS_ioctl, fd, number, arg);
	r = netbsd_ioctl(socket, arg);
	if (!r)
		return 0;
	errno = -r;
	return -1;
}
