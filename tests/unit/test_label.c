/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The label guard: images with real labels (created by sfdisk) and file systems (created by their mkfs), and the
 * warnings when they are mapped.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "support/place.h"
#include "support/world.h"

#define MIB (1u << 20)
#define SFDISK "PATH=$PATH:/usr/sbin:/sbin sfdisk -q disk"

static struct fixture f;
static char path[PLACE_PATH];

static int begin(void **state)
{
	(void)state;
	place_begin();
	place_file(path, "disk", 16 * MIB);
	fixture_begin(&f, 1, AIO_AUTO);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_end(&f);
	place_end();
	return 0;
}

/* The warning for a mapping of the disk from sector OFFSET on; "" if there is none. To be freed. */
static char *warning(const char *prefix, unsigned offset, uint32_t flags)
{
	struct dm_cmd c = { .verb = DM_DO_CREATE, .name = "x", .flags = flags };
	char text[PLACE_PATH + 64], why[ERR_TEXT], *said;

	snprintf(text, sizeof(text), "0 8 linear %s%s %u", prefix, path, offset);
	c.text = text;
	if (run(&f, &c, why))
		fail_msg("%s", why);
	said = strdup(text_str(&c.reply.warnings));
	dm_reply_free(&c.reply);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "x", 0, why), 0);
	return said;
}

/* There is a warning for everything before SAFE, with the label's name and that number; but not for SAFE itself. */
static void assert_guarded(const char *prefix, const char *kind, unsigned safe, unsigned block)
{
	char offset[64], *said = warning(prefix, 0, 0);

	snprintf(offset, sizeof(offset), "offset of %u sectors", safe);
	if (!strstr(said, kind) || !strstr(said, offset))
		fail_msg("'%s' or '%s' is not in: %s", kind, offset, said);
	free(said);
	said = warning(prefix, safe - block, 0);
	assert_non_null(strstr(said, offset));
	free(said);
	said = warning(prefix, safe, 0);
	assert_string_equal(said, "");
	free(said);
	said = warning(prefix, 0, DM_WITH_READONLY);	/* a read-only mapping destroys nothing */
	assert_string_equal(said, "");
	free(said);
}

static void assert_unguarded(void)
{
	char *said = warning("", 0, 0);

	assert_string_equal(said, "");
	free(said);
}

static void put(uint64_t at, const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, bytes, n, (off_t)at), n);
	close(fd);
}

static void a_gpt_says_itself_what_is_safe(void **state)
{
	(void)state;
	assert_true(place_run("echo 'label: gpt\n,,' | " SFDISK));
	assert_guarded("", "GPT", 2048, 1);	/* sfdisk's default first usable sector */
	assert_true(place_run("printf 'label: gpt\nfirst-lba: 34\nstart=2048\n' | " SFDISK));
	assert_guarded("", "GPT", 34, 1);
}

static void an_mbr_is_guarded_as_i386_label(void **state)
{
	(void)state;
	assert_true(place_run("echo 'label: dos\n,,' | " SFDISK));
	assert_guarded("", "MBR", 65, 1);
	assert_guarded("file,direct:", "MBR", 65, 1);
}

struct bsd {
	uint32_t magic;
	uint16_t type, subtype;
	char unused[128 - 8 + 4];
	uint32_t magic2;
	uint16_t checksum, partitions;
	uint32_t boot_size, super_size;
	struct {
		uint32_t size, offset, fragment;
		uint8_t type, fragments;
		uint16_t group;
	} part[8];
} __attribute__((packed));

static void put_bsd(uint64_t at)
{
	struct bsd b = { .magic = htole32(0x82564557), .magic2 = htole32(0x82564557), .partitions = htole16(2) };
	uint16_t sum = 0, words[sizeof(b) / 2];
	size_t i;

	assert_int_equal(offsetof(struct bsd, magic2), 132);
	b.part[0].size = htole32(1000);
	b.part[0].offset = htole32(100);
	b.part[0].type = 7;
	memcpy(words, &b, sizeof(words));
	for (i = 0; i < (148 + 16 * 2) / 2; i++)
		sum ^= words[i];
	b.checksum = sum;
	put(at, &b, sizeof(b));
}

static void a_bsd_disklabel_on_i386(void **state)
{
	(void)state;
	put_bsd(512);
	assert_guarded("", "BSD disklabel", 65, 1);
}

static void a_bsd_disklabel_elsewhere(void **state)
{
	(void)state;
	put_bsd(64);
	assert_guarded("", "BSD disklabel", 2, 1);
}

/* An image of a 4Kn disk: its GPT is in the second block of 4096 bytes. */
static void a_gpt_of_large_blocks(void **state)
{
	char dev[PLACE_PATH], command[PLACE_PATH + 128];
	int kept = place_loop(dev, path, 4096, false);

	(void)state;
	assert_true(kept >= 0);
	snprintf(command, sizeof(command), "printf 'label: gpt\nfirst-lba: 6\nstart=256\n' | PATH=$PATH:/usr/sbin:/sbin "
		 "sfdisk -q --no-reread --no-tell-kernel %s", dev);
	assert_true(place_run(command));
	fsync(kept);
	close(kept);
	assert_guarded("file,logical=4096:", "GPT", 48, 8);
}

static void nothing_is_not_a_label(void **state)
{
	(void)state;
	assert_unguarded();
}

static void an_ext4_file_system_is_not_a_label(void **state)
{
	(void)state;
	assert_true(place_run("PATH=$PATH:/usr/sbin:/sbin mkfs.ext4 -q disk"));
	assert_unguarded();
}

static void an_xfs_file_system_is_not_a_label(void **state)
{
	(void)state;
	assert_int_equal(truncate(path, 512 * MIB), 0);
	assert_true(place_run("PATH=$PATH:/usr/sbin:/sbin; command -v mkfs.xfs && mkfs.xfs -q -f disk || ! command -v mkfs.xfs"));
	assert_unguarded();
}

/* A FAT boot sector ends like an MBR. */
static void a_boot_sector_is_not_a_label(void **state)
{
	static unsigned char fat[512] = { 0xeb, 0x3c, 0x90, 'm', 'k', 'f', 's', '.', 'f', 'a', 't', 0, 2, 4, 4, 0, 2, 0, 2,
					  0, 128, 0xf8, 32, 0, 32, 0, 2 };
	static const unsigned char table[4] = { 0xf8, 0xff, 0xff, 0xff };

	(void)state;
	memcpy(fat + 0x26, "\x29\x78\x56\x34\x12NO NAME    FAT16   ", 24);
	fat[510] = 0x55;
	fat[511] = 0xaa;
	put(0, fat, sizeof(fat));
	put(4 * 512, table, sizeof(table));
	put(36 * 512, table, sizeof(table));
	assert_unguarded();
}

/* The sectors of an image are not a disk, from wherever they are mapped, and even if they are only read. */
static void assert_image(const char *what)
{
	static const unsigned offsets[] = { 0, 4096 };
	char wanted[80];
	unsigned i;

	snprintf(wanted, sizeof(wanted), "table line 1: '%.20s", path);
	for (i = 0; i < 4; i++) {
		char *said = warning("", offsets[i / 2], i % 2 ? DM_WITH_READONLY : 0);

		if (!strstr(said, what) || !strstr(said, wanted))
			fail_msg("'%s' is not in: %s", what, said);
		free(said);
	}
}

static void images_are_not_disks(void **state)
{
	static const char *const made[][2] = {
		{ "qcow2", "is a qcow2 image" }, { "qed", "is a QED image" }, { "vmdk", "is a VMDK image" },
		{ "vdi", "is a VDI image" }, { "vhdx", "is a VHDX image" }, { "vpc", "is a VHD image" },
		{ "parallels", "is a Parallels image" },
	};
	char command[200];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(made) / sizeof(*made); i++) {
		snprintf(command, sizeof(command), "qemu-img create -q -f %s made 64M && cat made >disk && truncate -s 16M disk && rm made",
			 made[i][0]);
		assert_true(place_run(command));
		assert_image(made[i][1]);
	}
}

/* The disk of a fixed VHD begins at the beginning of the file. */
static void a_fixed_vhd_is_a_disk(void **state)
{
	(void)state;
	assert_true(place_run("rm disk; qemu-img create -q -f vpc -o subformat=fixed disk 16M"));
	assert_unguarded();
}

static void a_luks_volume_is_not_a_disk(void **state)
{
	(void)state;
	assert_true(place_run("truncate -s 32M disk; echo x | PATH=$PATH:/usr/sbin:/sbin cryptsetup -q luksFormat "
			      "--pbkdf pbkdf2 --pbkdf-force-iterations 1000 disk -"));
	assert_image("is a LUKS volume");
	assert_image("`cryptsetup open`");
}

static void a_compressed_image_is_not_a_disk(void **state)
{
	(void)state;
	assert_true(place_run("head -c 1M /dev/urandom | gzip -1 >disk; truncate -s 16M disk"));
	assert_image("is compressed with gzip: ");
	assert_true(place_run("head -c 1M /dev/urandom | xz -0 >disk; truncate -s 16M disk"));
	assert_image("is compressed with xz: ");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

static bool has_loop(void)
{
	char dev[PLACE_PATH];
	int fd;

	place_begin();
	place_file(path, "disk", MIB);
	fd = place_loop(dev, path, 4096, false);
	if (fd >= 0)
		close(fd);
	place_end();
	return fd >= 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_gpt_says_itself_what_is_safe),
		CASE(an_mbr_is_guarded_as_i386_label),
		CASE(a_bsd_disklabel_on_i386),
		CASE(a_bsd_disklabel_elsewhere),
		CASE(nothing_is_not_a_label),
		CASE(an_ext4_file_system_is_not_a_label),
		CASE(an_xfs_file_system_is_not_a_label),
		CASE(a_boot_sector_is_not_a_label),
		CASE(images_are_not_disks),
		CASE(a_fixed_vhd_is_a_disk),
		CASE(a_luks_volume_is_not_a_disk),
		CASE(a_compressed_image_is_not_a_disk),
	};
	const struct CMUnitTest loop[] = { CASE(a_gpt_of_large_blocks) };
	int failed;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = cmocka_run_group_tests_name("labels", tests, NULL, NULL);
	if (has_loop())
		failed += cmocka_run_group_tests_name("labels on loop devices", loop, NULL, NULL);
	return failed;
}
