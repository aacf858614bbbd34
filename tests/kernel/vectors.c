/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel's dm-crypt writes, in a guest: for each line `CIPHER KEYBYTES [TAG [OPTION]...]` of the input a line with the
 * first half of the MD5 sum of what is on /dev/vda for each size of sectors, or the name of the errno with which the table was
 * refused. crypt-vectors explains the list. One process asks for all of them, for under emulation to start one takes longer.
 *
 * With TAG bytes for each sector, the line stands on integrity in mode D, and the sum is that of 512 sectors from the first tag.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nettle/md5.h>
#include <linux/dm-ioctl.h>

#include "vectors.h"

#define BYTES (SECTORS * 512)
#define AREA (1024u * 512)		/* bytes of the disk that the lines use */
#define ROOM 16384

static int control, disk;
static uint8_t *plain, *seen, *area;
static union {
	struct dm_ioctl head;
	uint8_t bytes[ROOM];
} room;

/* Of an empty room; 0 or the errno. */
static int command(unsigned long verb, const char *name, uint32_t flags)
{
	room.head.version[0] = DM_VERSION_MAJOR;
	room.head.data_size = ROOM;
	room.head.data_start = sizeof(room.head);
	room.head.flags = flags;
	strcpy(room.head.name, name);
	return ioctl(control, verb, &room) ? errno : 0;
}

static int simple(unsigned long verb, const char *name, uint32_t flags)
{
	memset(&room, 0, sizeof(room));
	return command(verb, name, flags);
}

static int load(const char *name, const char *type, const char *words)
{
	struct dm_target_spec *s = (struct dm_target_spec *)(room.bytes + sizeof(room.head));

	memset(&room, 0, sizeof(room));
	room.head.target_count = 1;
	s->length = SECTORS;
	strcpy(s->target_type, type);
	strcpy((char *)(s + 1), words);
	return command(DM_TABLE_LOAD, name, 0);
}

static void drop(const char *name)
{
	int err = simple(DM_DEV_REMOVE, name, 0);

	if (err) {
		printf("vectors: %s is not removed: %s\n", name, strerror(err));
		exit(1);
	}
}

/* The device NAME, whose node is /dev/NAME; or the errno. */
static int make(const char *name, const char *type, const char *words)
{
	char node[64];
	int err = simple(DM_DEV_CREATE, name, 0);

	if (err)
		return err;
	snprintf(node, sizeof(node), "/dev/%s", name);
	unlink(node);
	mknod(node, S_IFBLK | 0600, (dev_t)room.head.dev);
	err = load(name, type, words);
	if (!err)
		err = simple(DM_DEV_SUSPEND, name, 0);	/* without the flag it is resumed */
	if (err)
		drop(name);
	return err;
}

/* The first tag's sector: behind superblock and journal. */
static unsigned tags_begin(const char *name)
{
	const char *at;

	simple(DM_TABLE_STATUS, name, DM_STATUS_TABLE_FLAG);
	at = strstr((char *)room.bytes + room.head.data_start + sizeof(struct dm_target_spec), "journal_sectors:");
	return 8 + (unsigned)strtoul(at + strlen("journal_sectors:"), NULL, 10);
}

/* Writes and reads again; false: what was read is something else. */
static bool pass(const char *node, unsigned sector)
{
	int fd = open(node, O_RDWR | O_DIRECT);
	bool good = fd >= 0 && pwrite(fd, plain, BYTES, 0) == BYTES;
	unsigned at;

	for (at = 0; good && at < BYTES; at += sector)
		good = pread(fd, seen + at, sector, at) == (ssize_t)sector;
	close(fd);
	return good && !memcmp(seen, plain, BYTES);
}

static void clear_disk(void)
{
	memset(area, 0, AREA);
	if (pwrite(disk, area, AREA, 0) != AREA)
		exit(1);
}

static void print_sum(unsigned sector, unsigned count)
{
	uint8_t sum[16];
	struct md5_ctx m;

	if (pread(disk, area, count * 512, sector * 512) != (ssize_t)(count * 512))
		exit(1);
	md5_init(&m);
	md5_update(&m, count * 512, area);
	md5_digest(&m, sizeof(sum), sum);
	for (unsigned i = 0; i < 8; i++)
		printf("%02x", sum[i]);
}

static void ask(const struct row *r, unsigned sector, bool large)
{
	char words[ROOM];
	unsigned from = ON_DISK, count = SECTORS;
	int err = 0;

	clear_disk();
	if (r->tag) {
		row_words_below(r, sector, "/dev/vda", words);
		err = make("below", "integrity", words);
	}
	if (r->tag && !err) {
		from = tags_begin("below");
		count = WITH_TAGS;
	}
	row_words(r, sector, large, "/dev/vda", "/dev/below", words);
	if (!err)
		err = make("c", "crypt", words);
	if (err) {
		printf("%s", strerrorname_np(err));
	} else {
		bool good = pass("/dev/c", sector);

		drop("c");
		printf(good ? "" : "unread:");
	}
	if (r->tag)
		drop("below");
	if (!err)
		print_sum(from, count);
}

static void row_ask(const struct row *r)
{
	unsigned i;

	for (i = 0; i < ROW_SIZES; i++) {
		ask(r, row_sector(i), row_is_large(i));
		putchar(i < ROW_SIZES - 1 ? ' ' : '\n');
	}
	fflush(stdout);
}

int main(void)
{
	char line[512];
	struct row r;

	control = open("/dev/mapper/control", O_RDWR);
	disk = open("/dev/vda", O_RDWR | O_DIRECT);
	if (control < 0 || disk < 0 || posix_memalign((void **)&plain, 4096, BYTES) || posix_memalign((void **)&seen, 4096, BYTES) ||
	    posix_memalign((void **)&area, 4096, AREA))
		return 1;
	plain_make(plain);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (!row_read(&r, line))
			continue;
		printf("%s\t", line);
		row_ask(&r);
	}
	return 0;
}
