/* SPDX-License-Identifier: BSD-2-Clause */
/* See caller.h. Each action is a word with its arguments after colons, "read:0:4096", or after another separator. */
#include "support/caller.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <linux/hdreg.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "fronts/fuse/dev_private.h"

#define ARGS 6		/* the last argument is the rest, including separators */
#define BUFFER 65536

static int fd;
static char *path, *args[ARGS];
static union {
	struct dm_ioctl head;
	char bytes[BUFFER];
} dm;

static unsigned long long number(int i)
{
	return args[i] ? strtoull(args[i], NULL, 0) : 0;
}

static void said(long r)
{
	if (r < 0)
		printf("%s\n", strerrorname_np(errno));
	else
		printf("%ld\n", r);
}

static void told(long r, unsigned long long value)
{
	if (r)
		said(r);
	else
		printf("%llu\n", value);
}

/* get:NUMBER:WIDTH, the width of the ioctl's result. */
static void do_get(void)
{
	unsigned long long v = 0;
	long r = ioctl(fd, number(1), &v);

	told(r, number(2) < 8 ? v & ((1ull << 8 * number(2)) - 1) : v);
}

/* set:NUMBER:INT, by reference; value:NUMBER:LONG, by value. */
static void do_set(void)
{
	size_t v = number(2);

	said(ioctl(fd, number(1), &v));
}

static void do_value(void)
{
	said(ioctl(fd, number(1), (unsigned long)number(2)));
}

static void do_range(void)
{
	unsigned long long range[2] = { number(2), number(3) };

	said(ioctl(fd, number(1), range));
}

static void do_geometry(void)
{
	struct hd_geometry g = { 0 };

	if (ioctl(fd, HDIO_GETGEO, &g))
		said(-1);
	else
		printf("%u %u %u %lu\n", g.cylinders, g.heads, g.sectors, g.start);
}

static void do_fallocate(void)
{
	said(fallocate(fd, (int)number(1), (off_t)number(2), (off_t)number(3)));
}

/* read:OFFSET:LENGTH and write:OFFSET:LENGTH[:BYTE] of aligned memory. */
static void do_data(void)
{
	size_t len = number(2);
	char *data = aligned_alloc(4096, (len + 4095) & ~4095ul);
	long r;

	memset(data, args[3] ? (int)number(3) : 0, len);
	r = *args[0] == 'r' ? pread(fd, data, len, (off_t)number(1)) : pwrite(fd, data, len, (off_t)number(1));
	if (r > 0 && *args[0] == 'r')
		printf("%ld of %d\n", r, data[r - 1]);
	else
		said(r);
	free(data);
}

static void do_sync(void)
{
	said(fsync(fd));
}

static void do_end(void)
{
	said(lseek(fd, 0, SEEK_END));
}

static void do_truncate(void)
{
	said(ftruncate(fd, (off_t)number(1)));
}

/* remember:OPENFLAGS, recall */
static void do_remember(void)
{
	struct dmuse_node n = { .rdev_major = 252, .mode = 060660, .flags = (uint32_t)number(1) };

	said(ioctl(fd, DMUSE_IOC_REMEMBER, &n));
}

static void do_recall(void)
{
	struct dmuse_node n = { 0 };
	long r = ioctl(fd, DMUSE_IOC_RECALL, &n);

	told(r, n.rdev_major);
}

/* again:FLAGS: opens the file again, and keeps it open. */
static void do_again(void)
{
	fd = open(path, number(1) | O_CLOEXEC);
	if (fd < 0)
		said(-1);
}

static void dm_begin(void)
{
	memset(&dm, 0, sizeof(dm));
	memcpy(dm.head.version, (uint32_t[3]){ 4, 0, 0 }, 12);
	dm.head.data_size = sizeof(dm);
	dm.head.data_start = sizeof(dm.head);
	if (args[2])
		strncpy(dm.head.name, args[2], sizeof(dm.head.name) - 1);
}

static void dm_print_rows(void)
{
	char *first = dm.bytes + dm.head.data_start, *at = first;
	unsigned i;

	for (i = 0; i < dm.head.target_count; i++) {
		struct dm_target_spec *s = (void *)at;

		printf("%llu %llu %s %s\n", (unsigned long long)s->sector_start, (unsigned long long)s->length, s->target_type,
		       at + sizeof(*s));
		at = first + s->next;
	}
}

static void dm_print_names(void)
{
	struct dm_name_list *n = (void *)(dm.bytes + dm.head.data_start);

	for (; n->dev; n = (void *)((char *)n + n->next)) {
		printf("%s ", n->name);
		if (!n->next)
			break;
	}
	printf("\n");
}

static void dm_print(unsigned nr)
{
	const struct dm_target_deps *deps = (void *)(dm.bytes + dm.head.data_start);

	if (nr == DM_TABLE_STATUS_CMD || nr == DM_DEV_WAIT_CMD)
		dm_print_rows();
	else if (nr == DM_LIST_DEVICES_CMD)
		dm_print_names();
	else if (nr == DM_TABLE_DEPS_CMD)
		printf("%u %llx\n", deps->count, deps->count ? (unsigned long long)deps->dev[0] : 0);
	else
		printf("%u:%u open %d flags %x event %u\n", major(dm.head.dev), minor(dm.head.dev), dm.head.open_count,
		       dm.head.flags, dm.head.event_nr);
}

/* dm:COMMAND:NAME:FLAGS:EVENT:DATA; DATA "START LEN TYPE PARAMS" for a load, a string for others. */
static void dm_data(unsigned nr)
{
	char *at = dm.bytes + dm.head.data_start;
	struct dm_target_spec *s = (void *)at;
	int n = 0;
	unsigned long long start, len;

	dm.head.flags = (uint32_t)number(3);
	dm.head.event_nr = (uint32_t)number(4);
	if (!args[5])
		return;
	if (nr == DM_TARGET_MSG_CMD)
		at += sizeof(struct dm_target_msg);
	if (nr != DM_TABLE_LOAD_CMD) {
		strcpy(at, args[5]);
		return;
	}
	sscanf(args[5], "%llu %llu %15s %n", &start, &len, s->target_type, &n);
	s->sector_start = start;
	s->length = len;
	strcpy(at + sizeof(*s), args[5] + n);
	dm.head.target_count = 1;
}

static void do_dm(void)
{
	unsigned nr = (unsigned)number(1);

	dm_begin();
	dm_data(nr);
	if (ioctl(fd, _IOWR(DM_IOCTL, nr, struct dm_ioctl), &dm))
		said(-1);
	else
		dm_print(nr);
}

/* dmraw:NUMBER:MAJOR:DATASIZE: a call with wrong numbers, and the version that is returned. */
static void do_dmraw(void)
{
	long r;

	args[2] = args[2] ? args[2] : "4";
	dm_begin();
	memset(dm.head.name, 0, sizeof(dm.head.name));
	dm.head.version[0] = (uint32_t)number(2);
	dm.head.data_size = (uint32_t)number(3);
	r = ioctl(fd, (unsigned)number(1), &dm);
	printf("%s %u %u\n", r ? strerrorname_np(errno) : "0", dm.head.version[0], dm.head.flags & DM_BUFFER_FULL_FLAG);
}

/* Is anything that a secret load has sent still in its buffer? */
static void do_secret(void)
{
	size_t i, left = 0;

	dm_begin();
	dm_data(DM_TABLE_LOAD_CMD);
	dm.head.flags |= DM_SECURE_DATA_FLAG;
	said(ioctl(fd, DM_TABLE_LOAD, &dm));
	for (i = sizeof(dm.head); i < sizeof(dm); i++)
		left += dm.bytes[i] != 0;
	printf("%zu bytes left\n", left);
}

/* rounds:N:NAME:PATH: opens and closes PATH, and queries its open count each time; how often was it not 0? */
static void do_rounds(void)
{
	unsigned long long i, stale = 0, n = number(1);

	for (i = 0; i < n; i++) {
		int other = open(args[3], O_RDWR);

		if (other < 0) {
			said(-1);
			return;
		}
		close(other);
		dm_begin();
		stale += ioctl(fd, DM_DEV_STATUS, &dm) || dm.head.open_count;
	}
	printf("%llu stale\n", stale);
}

static void ring(int signal)
{
	(void)signal;
}

/* The number of an ioctl: of each kind, and invalid ones. */
static unsigned fuzz_number(void)
{
	static const unsigned block[] = { BLKGETSIZE64, BLKBSZSET, BLKROSET, BLKDISCARD, BLKZEROOUT, BLKFLSBUF, BLKRASET,
					  BLKSSZGET, HDIO_GETGEO, DMUSE_IOC_REMEMBER, DMUSE_IOC_RECALL };
	static const unsigned types[] = { DM_IOCTL, 0x12, 'D', 0x03, 0xff };
	unsigned type = types[(unsigned)random() % 5], nr = (unsigned)random() % (type == DM_IOCTL ? 20 : 256);

	if (type == 0x12 && random() % 2)
		return block[(unsigned)random() % (sizeof(block) / sizeof(*block))];
	if (type == DM_IOCTL && random() % 8)
		return _IOWR(DM_IOCTL, nr, struct dm_ioctl);
	return _IOC((unsigned)random() % 4, type, nr, (unsigned)random() % 600);
}

/* A head that is nearly right, a text that is not a table, and sometimes random bytes. */
static void fuzz_fill(void)
{
	size_t i;

	dm_begin();
	for (i = 0; i < 64; i++)
		((char *)&dm)[random() % 1024] = (char)random();
	if (random() % 8) {
		memcpy(dm.head.version, (uint32_t[3]){ 4, (uint32_t)random() % 50, 0 }, 12);
		dm.head.data_size = (uint32_t)random() % sizeof(dm);
		dm.head.data_start = random() % 4 ? sizeof(dm.head) : (uint32_t)random() % sizeof(dm);
		dm.head.target_count = (uint32_t)random() % 4;
	}
	if (random() % 2)
		strcpy(dm.head.name, random() % 2 ? "a" : "b");
}

/* fuzz:SEED:N calls, none of which may end the daemon. A timer interrupts those that wait. */
static void do_fuzz(void)
{
	struct itimerspec often = { .it_value.tv_nsec = 1000000, .it_interval.tv_nsec = 1000000 };
	struct sigaction a = { .sa_handler = ring };
	unsigned long long i, n = number(2), done = 0;
	timer_t timer;

	srandom((unsigned)number(1));
	sigaction(SIGALRM, &a, NULL);
	timer_create(CLOCK_MONOTONIC, NULL, &timer);
	timer_settime(timer, 0, &often, NULL);
	for (i = 0; i < n; i++) {
		fuzz_fill();
		done += !ioctl(fd, fuzz_number(), random() % 16 ? (void *)&dm : (void *)(uintptr_t)random());
	}
	printf("%s\n", done ? "some worked" : "nothing worked");
}

static void do_poll(void)
{
	struct pollfd p = { fd, POLLIN, 0 };

	said(poll(&p, 1, (int)number(1)));
}

/* alarm:MS: a signal that interrupts the next action. */
static void do_alarm(void)
{
	struct sigaction a = { .sa_handler = ring };
	timer_t timer;
	struct itimerspec when = { .it_value.tv_nsec = (long)number(1) * 1000000 };

	sigaction(SIGALRM, &a, NULL);
	timer_create(CLOCK_MONOTONIC, NULL, &timer);
	timer_settime(timer, 0, &when, NULL);
}

/* lower:CAPABILITY and raise:CAPABILITY, of the effective set. */
static void do_capability(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	uint32_t bit = 1u << number(1) % 32, *word;

	syscall(SYS_capget, &head, data);
	word = &data[number(1) / 32].effective;
	*word = *args[0] == 'r' ? *word | bit : *word & ~bit;
	if (syscall(SYS_capset, &head, data))
		said(-1);
}

/* root: in a user namespace of its own, with all capabilities there. */
static void do_root(void)
{
	if (unshare(CLONE_NEWUSER))
		said(-1);
}

static void do_sh(void)
{
	fflush(stdout);
	if (system(args[1]))
		printf("failed\n");
}

static const struct {
	const char *name;
	void (*run)(void);
} things[] = {
	{ "get", do_get }, { "set", do_set }, { "value", do_value }, { "range", do_range }, { "geometry", do_geometry },
	{ "fallocate", do_fallocate }, { "read", do_data }, { "write", do_data }, { "sync", do_sync }, { "end", do_end },
	{ "truncate", do_truncate }, { "remember", do_remember }, { "recall", do_recall }, { "again", do_again },
	{ "dm", do_dm }, { "dmraw", do_dmraw }, { "secret", do_secret }, { "rounds", do_rounds }, { "poll", do_poll },
	{ "fuzz", do_fuzz }, { "alarm", do_alarm }, { "sh", do_sh }, { "lower", do_capability }, { "raise", do_capability },
	{ "root", do_root },
};

static void run(char *words)
{
	const char separator[] = { words[strspn(words, "abcdefghijklmnopqrstuvwxyz")], '\0' };
	size_t i;

	for (i = 0; i < ARGS; i++)
		args[i] = i < ARGS - 1 ? strsep(&words, separator) : words;
	for (i = 0; i < sizeof(things) / sizeof(*things); i++)
		if (!strcmp(things[i].name, args[0]))
			things[i].run();
}

int caller_main(int argc, char **argv)
{
	const char *how = argv[1];
	int flags = (strchr(how, 'w') ? O_RDWR : O_RDONLY) | (strchr(how, 'd') ? O_DIRECT : 0), i;

	path = argv[2];
	setvbuf(stdout, NULL, _IONBF, 0);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		said(-1);
	for (i = 3; fd >= 0 && i < argc; i++)
		run(argv[i]);
	return 0;
}
