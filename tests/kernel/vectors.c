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

#define SECTORS 64u
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

struct row {
	char cipher[128], options[256];
	unsigned key, tag, n_options;
};

static void table(const struct row *r, unsigned sector, bool large, char *out)
{
	unsigned i, n = r->n_options + (r->tag != 0) + (sector != 512) + large;

	out += sprintf(out, "%s %s", r->cipher, r->key ? "" : "-");
	for (i = 0; i < r->key; i++)
		out += sprintf(out, "%02x", (i * 11 + r->key) % 256);
	out += sprintf(out, " 4294967264 %s", r->tag ? "/dev/below 0" : "/dev/vda 8");
	if (n)
		out += sprintf(out, " %u", n);
	out += sprintf(out, "%s", r->options);
	if (r->tag)
		out += sprintf(out, " integrity:%u:%s", r->tag, strstr(r->cipher, "capi:") ? "aead" : "none");
	if (sector != 512)
		out += sprintf(out, " sector_size:%u", sector);
	if (large)
		sprintf(out, " iv_large_sectors");
}

static void ask(const struct row *r, unsigned sector, bool large)
{
	char words[ROOM];
	unsigned from = 8, count = SECTORS;
	int err = 0;

	clear_disk();
	if (r->tag) {
		sprintf(words, "/dev/vda 0 %u D 4 journal_sectors:400 interleave_sectors:256 fix_padding block_size:%u", r->tag, sector);
		err = make("below", "integrity", words);
	}
	if (r->tag && !err) {
		from = tags_begin("below");
		count = 512;
	}
	table(r, sector, large, words);
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

static void plain_make(void)
{
	char line[513];

	for (unsigned i = 0; i < SECTORS; i++) {
		snprintf(line, sizeof(line), "%-511u\n", i);
		memcpy(plain + i * 512, line, 512);
	}
}

static void row_ask(const struct row *r)
{
	static const unsigned sizes[] = { 512, 1024, 2048, 4096 };
	unsigned i;

	for (i = 0; i < 7; i++) {
		ask(r, sizes[(i + 1) / 2], i && i % 2 == 0);
		putchar(i < 6 ? ' ' : '\n');
	}
	fflush(stdout);
}

int main(void)
{
	char line[512];
	int used;

	control = open("/dev/mapper/control", O_RDWR);
	disk = open("/dev/vda", O_RDWR | O_DIRECT);
	if (control < 0 || disk < 0 || posix_memalign((void **)&plain, 4096, BYTES) || posix_memalign((void **)&seen, 4096, BYTES) ||
	    posix_memalign((void **)&area, 4096, AREA))
		return 1;
	plain_make();
	while (fgets(line, sizeof(line), stdin)) {
		struct row r = { .tag = 0 };
		char *word, *rest = NULL;

		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%127s %u %n", r.cipher, &r.key, &used) < 2)
			continue;
		printf("%s\t", line);
		word = strtok_r(line + used, " ", &rest);
		if (word)
			r.tag = (unsigned)strtoul(word, NULL, 10);
		while ((word = strtok_r(NULL, " ", &rest))) {
			strcat(strcat(r.options, " "), word);
			r.n_options++;
		}
		row_ask(&r);
	}
	return 0;
}
