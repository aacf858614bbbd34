/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of NetBSD's driver, which knows the ioctl and nothing else of dmuse: runs in a session, prints TAP. It sends
 * the text including its NUL, as proplib does, and gets a mapping, which it reads and unmaps.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/plist.h"

struct plistref {
	void *plist;
	size_t len;
};

/* dev/dm/netbsd-dm.h has _IOWR(0xfd, 0, struct plistref); this is the value that NetBSD's _IOWR gives. */
#define NETBSD_DM_IOCTL (0xC0000000u | sizeof(struct plistref) << 16 | 0xfdu << 8)

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple Computer//DTD PLIST 1.0//EN\" " \
	"\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n<dict>\n"
#define KEY(k, v) "\t<key>" k "</key>\n\t" v "\n"
#define STR(s) "<string>" s "</string>"
#define INT(n) "<integer>" n "</integer>"
#define VERSION KEY("version", "<array>\n\t\t<integer>0x4</integer>\n\t\t<integer>0x0</integer>\n\t\t<integer>0x0</integer>\n\t</array>")
#define TAIL "</dict>\n</plist>\n"
#define REQUEST(command, more) HEAD KEY("command", STR(command)) more VERSION TAIL

static int tests;

__attribute__((format(printf, 2, 3)))
static void ok(bool good, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("%sok %d - ", good ? "" : "not ", ++tests);
	vprintf(fmt, ap);
	printf("%s%s\n", good ? "" : ": errno is ", good ? "" : strerror(errno));
	va_end(ap);
	fflush(stdout);
}

/* 0 and the dictionary, for plist_free(); or the errno. */
static int sendrecv(int fd, const char *request, plist_t *reply)
{
	struct plistref ref = { (void *)(uintptr_t)request, strlen(request) + 1 };

	if (ioctl(fd, NETBSD_DM_IOCTL, &ref))
		return errno;
	if (ref.len != strlen(ref.plist) + 1)
		return ENOBUFS;
	plist_read(ref.plist, ref.len - 1, 1000, reply, NULL);
	if (munmap(ref.plist, ref.len))
		return errno;
	return *reply ? 0 : EBADMSG;
}

static uint64_t number(plist_t dict, const char *key)
{
	plist_t node = plist_dict_get_item(dict, key);
	uint64_t v = ~0ull;

	if (node)
		v = plist_uint(node);
	return v;
}

static void works(int fd, const char *what, const char *request, uint64_t flags)
{
	plist_t reply = NULL;

	errno = sendrecv(fd, request, &reply);
	ok(!errno && (flags == ~0ull || number(reply, "flags") == flags), "%s", what);
	plist_free(reply);
}

static void fails(int fd, const char *what, const char *request, int code)
{
	plist_t reply = NULL;

	errno = sendrecv(fd, request, &reply);
	ok(errno == code && !reply, "%s: %s", what, strerror(code));
}

static void a_device_comes_and_goes(int fd)
{
	plist_t reply = NULL, row;
	const char *params = NULL;

	works(fd, "version", REQUEST("version", ""), ~0ull);
	works(fd, "create", REQUEST("create", KEY("name", STR("nb")) KEY("flags", INT("0x4"))), 0x4);
	fails(fd, "create again", REQUEST("create", KEY("name", STR("nb"))), EEXIST);
	works(fd, "reload", REQUEST("reload", KEY("name", STR("nb")) KEY("cmd_data", "<array>\n\t<dict>\n" KEY("length", INT("0x800"))
		KEY("params", "<string/>") KEY("start", INT("0x0")) KEY("type", STR("zero")) "</dict></array>")), 0x44);
	works(fd, "resume", REQUEST("resume", KEY("name", STR("nb"))), 0x24);
	errno = sendrecv(fd, REQUEST("table", KEY("name", STR("nb")) KEY("flags", INT("0x14"))), &reply);
	row = reply ? plist_array_get_item(plist_dict_get_item(reply, "cmd_data"), 0) : NULL;
	if (row)
		params = plist_string(plist_dict_get_item(row, "params"));
	ok(row && number(row, "length") == 0x800 && params && !*params, "table");
	plist_free(reply);
}

static void a_node_of_a_device_takes_commands_too(void)
{
	int fd = open("/dev/mapper/nb", O_RDONLY);

	ok(fd >= 0, "the device's node opens");
	works(fd, "a command on the device's node", REQUEST("info", KEY("name", STR("nb"))), 0x24);
	close(fd);
}

static void failures(int fd)
{
	struct plistref ref = { (void *)8, 100 }, huge = { "x", (size_t)1 << 40 };
	int null = open("/dev/null", O_RDWR);

	fails(fd, "no such device", REQUEST("info", KEY("name", STR("nobody"))), ENOENT);
	fails(fd, "no such command", REQUEST("frobnicate", ""), EINVAL);
	fails(fd, "another version", HEAD KEY("command", STR("version")) KEY("version", "<array><integer>5</integer><integer>0"
		"</integer><integer>0</integer></array>") TAIL, EIO);
	fails(fd, "an `errno` of the client's own is no answer",
	      REQUEST("info", KEY("a", "<dict><key>errno</key><integer>0</integer></dict>") KEY("name", STR("nobody"))), ENOENT);
	fails(fd, "no dictionary", "<plist><array/></plist>", EIO);
	fails(fd, "no property list", "hello", EIO);
	fails(fd, "nothing at all", "", EIO);
	ok(ioctl(fd, NETBSD_DM_IOCTL, (void *)8) == -1 && errno == EFAULT, "a bad plistref");
	ok(ioctl(fd, NETBSD_DM_IOCTL, &ref) == -1 && errno == EFAULT, "a bad pointer in it");
	ok(ref.plist == (void *)8 && ref.len == 100, "after a failure the plistref is as it was");
	ok(ioctl(fd, NETBSD_DM_IOCTL, &huge) == -1 && errno == EINVAL, "a terabyte");
	ok(ioctl(fd, 0x4010647FUL, &ref) == -1 && errno == ENOTTY, "another number (DIOCGDISKINFO)");
	ok(ioctl(null, NETBSD_DM_IOCTL, &ref) == -1 && errno == ENOTTY, "another device");
	ok(ioctl(-1, NETBSD_DM_IOCTL, &ref) == -1 && errno == EBADF, "no device");
	close(null);
}

/* Pages of mapped address space. */
static size_t mapped(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	size_t pages = 0;

	if (f && fscanf(f, "%zu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return pages;
}

static void *many(void *fd)
{
	plist_t reply;
	intptr_t i, wrong = 0;

	for (i = 0; i < 500; i++) {
		reply = NULL;
		wrong += sendrecv(*(int *)fd, REQUEST("info", KEY("name", STR("nb"))), &reply) != 0;
		plist_free(reply);
	}
	return (void *)wrong;
}

static void threads_and_forks(int fd)
{
	pthread_t t[4];
	void *wrong, *all = NULL;
	size_t before;
	int i, status;
	pid_t pid;

	many(&fd);
	before = mapped();
	all = many(&fd);
	ok(!all && mapped() == before, "500 answers leave no mapping");
	for (i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, many, &fd);
	for (i = 0; i < 4; i++) {
		pthread_join(t[i], &wrong);
		all = (void *)((intptr_t)all + (intptr_t)wrong);
	}
	ok(!all, "four threads on one descriptor");
	pid = fork();
	if (!pid)
		_exit(many(&fd) != NULL);
	all = many(&fd);
	ok(!all && waitpid(pid, &status, 0) == pid && !status, "parent and child on one descriptor");
}

int main(int argc, char **argv)
{
	int fd = open(argc > 1 ? argv[1] : "/dev/mapper/control", O_RDWR);

	ok(fd >= 0, "the control node opens");
	a_device_comes_and_goes(fd);
	a_node_of_a_device_takes_commands_too();
	failures(fd);
	threads_and_forks(fd);
	works(fd, "remove", REQUEST("remove", KEY("name", STR("nb"))), 0);
	printf("1..%d\n", tests);
	return 0;
}
