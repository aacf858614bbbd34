/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The /dev of sessions, as programs see it: mounted in a namespace of its own, where a shell examines it and changes
 * what may be changed, while devices are created and removed in this process.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <cmocka.h>

#include "fronts/fuse/fuse.h"
#include "support/inside.h"
#include "support/temp.h"

#ifndef AS_USER
#define AS_USER 0	/* in a user namespace? */
#endif
#define ROUNDS 10000
#define MANY 3000

static struct fixture f;
static struct fuse_front *front;
static bool stopped, usable;

static void front_stopped(void *arg)
{
	(void)arg;
	stopped = true;
}

static int begin(void **state)
{
	struct err e = { 0 };
	int fd = geteuid() ? -EPERM : inside_begin(AS_USER);

	(void)state;
	usable = fd >= 0;
	if (!usable) {
		printf("# skip: there is no view here: %s\n", strerror(-fd));
		return 0;
	}
	if (AS_USER && seteuid(INSIDE_USER))
		return -1;
	fixture_begin(&f, 2, AIO_AUTO);
	assert_int_equal(fuse_front_new(&front, f.world, &e), 0);
	assert_int_equal(create(&f, "early", "0 8 zero", NULL), 0);
	assert_int_equal(fuse_front_dev(front, fd, inside_pid(), &e), 0);
	return 0;
}

/* The front may end while programs still use it: they see nothing any more, and nobody waits. */
static int end(void **state)
{
	struct stat st;

	(void)state;
	if (!usable)
		return 0;
	if (seteuid(0))
		return -1;
	stopped = false;
	fuse_front_stop(front, front_stopped, NULL);
	while (!stopped)
		loop_turn(f.loop, -1);
	assert_int_equal(inside_stat(&f, "dm-1", &st), -ENOTCONN);
	inside_end();
	fuse_front_free(front);
	fixture_end(&f);
	return 0;
}

/* An ordinary user cannot use the machine's loop devices; so this /dev has some of its own, which other tests try. */
#define WITHOUT_LOOPS "ls() { command ls \"$@\" | sed '/loop-control$/d'; }; "

/* Compares the output of SCRIPT. */
static void says(const char *script, const char *wanted)
{
	char *got, *whole;

	if (!usable)
		skip();
	assert_true(asprintf(&whole, "%s%s", AS_USER ? WITHOUT_LOOPS : "", script) > 0);
	got = inside_sh(&f, whole);
	free(whole);
	if (strcmp(got, wanted))
		print_error("# $ %s\n", script);
	assert_string_equal(got, wanted);
	free(got);
}

static void remove_device(const char *name)
{
	assert_int_equal(verb(&f, DM_DO_REMOVE, name, 0, NULL), 0);
}

static void test_tree(void **state)
{
	(void)state;
	says("ls -A; ls -A mapper", "block\ndm-1\nmapper\ncontrol\nearly");
	says("ls -A .dmuse .dmuse/io .dmuse/sys/dev/block .dmuse/sys/block .dmuse/sys/class/block "
	     ".dmuse/sys/devices/virtual/block | paste -sd' '",
	     ".dmuse: io proc sys  .dmuse/io: 252:1 control  .dmuse/sys/block: dm-1  .dmuse/sys/class/block: dm-1  "
	     ".dmuse/sys/dev/block: 252:1  .dmuse/sys/devices/virtual/block: dm-1");
	says("stat -c '%F %a %t:%T %u' mapper/control mapper/early dm-1",
	     "character special file 600 a:ec 0\nblock special file 660 fc:1 0\nblock special file 660 fc:1 0");
	says("stat -c '%F %a %s' .dmuse/io/252:1 .dmuse/io/control . mapper",
	     "regular file 600 4096\nregular empty file 600 0\ndirectory 755 0\ndirectory 755 0");
	says("readlink block/252:1 .dmuse/sys/dev/block/252:1 .dmuse/sys/block/dm-1 .dmuse/sys/class/block/dm-1",
	     "../dm-1\n../../devices/virtual/block/dm-1\n../devices/virtual/block/dm-1\n../../devices/virtual/block/dm-1");
	says("cat mapper/nothing", "cat: mapper/nothing: No such file or directory");
	says("grep -c . .dmuse/sys/block/dm-1/dev .dmuse/sys/class/block/dm-1/size .dmuse/sys/dev/block/252:1/dm/name",
	     ".dmuse/sys/block/dm-1/dev:1\n.dmuse/sys/class/block/dm-1/size:1\n.dmuse/sys/dev/block/252:1/dm/name:1");
}

static void test_made_by_others(void **state)
{
	(void)state;
	says("mkdir vg && ln -s ../mapper/early vg/lv && readlink vg/lv && stat -Lc %t:%T vg/lv && ls vg && rmdir vg",
	     "../mapper/early\nfc:1\nlv\nrmdir: failed to remove 'vg': Directory not empty");
	says("mv vg vh && mv vh/lv vh/lw && ls -R vh && rm vh/lw && rmdir vh && ls", "vh:\nlw\nblock\ndm-1\nmapper");
	says("echo hello >file && cat file && echo more >>file && cat file && stat -c '%s %a %h' file", "hello\nhello\nmore\n11 644 1");
	says("echo x >file; wc -c <file; ln file two; stat -c %h file; rm file; cat two; rm two; ls", "2\n2\nx\nblock\ndm-1\nmapper");
	says("mkfifo p; stat -c %F p; chmod 600 p; stat -c %a p; touch -d @5 p; stat -c %Y p; rm p", "fifo\n600\n5");
	says("mkdir -p a/b/c; echo 1 >a/b/c/d; mkdir x; mv a x; cat x/a/b/c/d; mv x x/a; rm -r x; ls",
	     "1\nmv: cannot move 'x' to a subdirectory of itself, 'x/a/x'\nblock\ndm-1\nmapper");
	says("exec 5>gone; rm gone; echo still >&5; cat /proc/self/fd/5; ls", "still\nblock\ndm-1\nmapper");
	says("truncate -s 2M big; head -c 1048576 /dev/zero >big; stat -c %s big; rm big",
	     "truncate: failed to truncate 'big' at 2097152 bytes: File too large\n1048576");
	says("mkdir .dmuse/run && echo 1 >.dmuse/run/f && cat .dmuse/run/f && rm -r .dmuse/run; ls .dmuse", "1\nio\nproc\nsys");
	says("echo 1 >mapper/f; cat mapper/f; rm mapper/f; ls mapper", "1\ncontrol\nearly");
}

static void test_ours_stays(void **state)
{
	(void)state;
	says("rm -f mapper/early", "rm: cannot remove 'mapper/early': Operation not permitted");
	says("rm -f dm-1 mapper/control .dmuse/io/control 2>&1 | grep -c 'not permitted'", "3");
	says("rmdir mapper", "rmdir: failed to remove 'mapper': Operation not permitted");
	says("mv mapper/early mapper/late", "mv: cannot move 'mapper/early' to 'mapper/late': Operation not permitted");
	says("echo 1 >f; mv f mapper/early; rm f",
	     "mv: cannot move 'f' to 'mapper/early': Operation not permitted");
	says("mkdir mapper/early", "mkdir: cannot create directory 'mapper/early': File exists");
	says("mkfifo mapper/early", "mkfifo: cannot create fifo 'mapper/early': File exists");
	says("ln -s x mapper/early", "ln: failed to create symbolic link 'mapper/early': File exists");
	says("ln mapper/early e", "ln: failed to create hard link 'e' => 'mapper/early': Operation not permitted");
	says("mkdir .dmuse/sys/block/dm-1/x",
	     "mkdir: cannot create directory '.dmuse/sys/block/dm-1/x': Operation not permitted");
	says("chmod 600 mapper/early; stat -c %a mapper/early; chmod 660 mapper/early", "600");
	says("truncate -s 0 .dmuse/io/252:1",
	     "truncate: failed to truncate '.dmuse/io/252:1' at 0 bytes: Invalid argument");
}

static void test_data(void **state)
{
	(void)state;
	if (!usable)
		skip();
	assert_int_equal(create(&f, "m", "0 2048 linear memory,size=1M:m 0", NULL), 0);
	says("printf hello | dd of=.dmuse/io/252:2 bs=1 seek=700 conv=notrunc status=none; dd if=.dmuse/io/252:2 bs=1 "
	     "skip=700 count=5 status=none", "hello");
	says("stat -c %s .dmuse/io/252:2; dd if=/dev/zero of=.dmuse/io/252:2 bs=1M seek=1 count=1 conv=notrunc 2>&1 | head -1",
	     "1048576\ndd: error writing '.dmuse/io/252:2': No space left on device");
	says("exec 5<.dmuse/io/252:2; cat .dmuse/sys/block/dm-2/size; cmp -n 4096 .dmuse/io/252:1 /dev/zero", "2048");
	remove_device("m");
	says("ls; ls mapper .dmuse/io", "block\ndm-1\nmapper\n.dmuse/io:\n252:1\ncontrol\n\nmapper:\ncontrol\nearly");
}

static void test_device_wins(void **state)
{
	(void)state;
	says("mkdir -p mapper/w/in/side; echo 1 >dm-2; ls mapper/w; cat dm-2", "in\n1");
	assert_int_equal(create(&f, "w", "0 8 zero", NULL), 0);
	says("stat -c %F mapper/w dm-2", "block special file\nblock special file");
	remove_device("w");
	says("ls mapper dm-2", "ls: cannot access 'dm-2': No such file or directory\nmapper:\ncontrol\nearly");
}

static void test_rename(void **state)
{
	(void)state;
	if (!usable)
		skip();
	says("stat -c %t:%T mapper/early", "fc:1");
	assert_int_equal(run(&f, &(struct dm_cmd){ .verb = DM_DO_RENAME, .name = "early", .new_name = "late" }, NULL), 0);
	/* What libdevmapper does when it finds the new name: EPERM means for it that somebody else has done this. */
	says("ls mapper; rm -f mapper/late; mv mapper/early mapper/late; stat -c %t:%T mapper/late; "
	     "cat .dmuse/sys/block/dm-1/dm/name",
	     "control\nlate\nrm: cannot remove 'mapper/late': Operation not permitted\n"
	     "mv: cannot stat 'mapper/early': No such file or directory\nfc:1\nlate");
	assert_int_equal(run(&f, &(struct dm_cmd){ .verb = DM_DO_RENAME, .name = "late", .new_name = "early" }, NULL), 0);
	says("ls mapper", "control\nearly");
}

static void test_sys(void **state)
{
	(void)state;
	if (!usable)
		skip();
	assert_int_equal(create(&f, "low", "0 2048 linear memory,size=1M:m 0", NULL), 0);
	assert_int_equal(run(&f, &(struct dm_cmd){ .verb = DM_DO_CREATE, .name = "top", .uuid = "LVM-x", .flags =
			DM_WITH_READONLY, .text = (char[]){ "0 8 linear /dev/mapper/low 0" }, .cwd = "/" }, NULL), 0);
	says("cd .dmuse/sys/block; cat dm-3/dev dm-3/size dm-3/ro dm-3/removable dm-3/dm/name dm-3/dm/uuid dm-3/dm/suspended; "
	     "ls dm-2/holders dm-3/slaves dm-2/slaves; readlink dm-2/holders/dm-3; cat dm-3/slaves/dm-2/dm/name",
	     "252:3\n8\n1\n0\ntop\nLVM-x\n0\ndm-2/holders:\ndm-3\n\ndm-2/slaves:\n\ndm-3/slaves:\ndm-2\n../../dm-3\nlow");
	says("cd .dmuse/sys/class/block/dm-2; cat queue/logical_block_size queue/read_ahead_kb queue/rotational "
	     "queue/scheduler; echo 64 >queue/read_ahead_kb; cat bdi/read_ahead_kb; echo x >bdi/read_ahead_kb",
	     "512\n128\n0\nnone\n64\nsh: 1: echo: echo: I/O error");
	assert_int_equal(create(&f, "stripes", "0 1024 striped 2 128 /dev/mapper/low 0 /dev/mapper/low 512", NULL), 0);
	assert_int_equal(create(&f, "onit", "0 8 linear /dev/mapper/stripes 0", NULL), 0);
	says("cd .dmuse/sys/block; cat dm-4/queue/minimum_io_size dm-5/queue/optimal_io_size dm-2/queue/minimum_io_size",
	     "65536\n131072\n512");
	remove_device("onit");
	remove_device("stripes");
	/* A table is swapped: programs that look again never see the old one. */
	says("exec 5<.dmuse/sys/block/dm-3/size; cat <&5", "8");
	assert_int_equal(reload(&f, "top", "0 16 zero", NULL), 0);
	says("cat .dmuse/sys/block/dm-3/size; ls .dmuse/sys/block/dm-2/holders .dmuse/sys/block/dm-3/slaves",
	     "8\n.dmuse/sys/block/dm-2/holders:\ndm-3\n\n.dmuse/sys/block/dm-3/slaves:\ndm-2");
	assert_int_equal(verb(&f, DM_DO_RESUME, "top", 0, NULL), 0);
	says("cat .dmuse/sys/block/dm-3/size; stat -c %s .dmuse/io/252:3; ls .dmuse/sys/block/dm-2/holders "
	     ".dmuse/sys/block/dm-3/slaves",
	     "16\n8192\n.dmuse/sys/block/dm-2/holders:\n\n.dmuse/sys/block/dm-3/slaves:");
	remove_device("top");
	remove_device("low");
	says("ls .dmuse/sys/block .dmuse/sys/devices/virtual/block; cat .dmuse/sys/block/dm-3/size",
	     ".dmuse/sys/block:\ndm-1\n\n.dmuse/sys/devices/virtual/block:\ndm-1\n"
	     "cat: .dmuse/sys/block/dm-3/size: No such file or directory");
}

/* A disk is a device like others, but is not a mapped one. */
static void test_disk(void **state)
{
	char path[TEMP_PATH];
	int fd;

	(void)state;
	if (!usable)
		skip();
	fd = mkstemp(temp_template(path, "dev"));
	assert_true(fd >= 0 && !ftruncate(fd, 1 << 20));
	close(fd);
	says("echo 1 >pv0; cat pv0", "1");
	assert_int_equal(run(&f, &(struct dm_cmd){ .verb = DM_DO_DISK, .name = "pv0", .text = path, .cwd = "/" }, NULL), 0);
	says("stat -c '%F %t:%T' pv0; ls mapper .dmuse/io; cat .dmuse/sys/dev/block/98:0/size; ls .dmuse/sys/block/pv0 | grep dm",
	     "block special file 62:0\n.dmuse/io:\n252:1\n98:0\ncontrol\n\nmapper:\ncontrol\nearly\n2048");
	assert_int_equal(create(&f, "onit", "0 8 linear 98:0 0", NULL), 0);
	says("ls .dmuse/sys/block/pv0/holders .dmuse/sys/block/dm-2/slaves; readlink .dmuse/sys/block/dm-2/slaves/pv0",
	     ".dmuse/sys/block/dm-2/slaves:\npv0\n\n.dmuse/sys/block/pv0/holders:\ndm-2\n../../pv0");
	remove_device("onit");
	assert_int_equal(run(&f, &(struct dm_cmd){ .verb = DM_DO_UNDISK, .name = "pv0" }, NULL), 0);
	says("ls", "block\ndm-1\nmapper");
	unlink(path);
}

/* Arranged as in a session. */
static void test_lsblk(void **state)
{
	(void)state;
	if (!usable)
		skip();
	assert_int_equal(create(&f, "low", "0 2048 linear memory,size=1M:m 0", NULL), 0);
	assert_int_equal(create(&f, "top", "0 1024 linear /dev/mapper/low 0", NULL), 0);
	says("unshare -m sh -ec 'for p in dev/block block class/block devices/virtual/block; do\n"
	     "mount --bind .dmuse/sys/$p /sys/$p; done; mount --bind . /dev; cd /\n"
	     "lsblk -nro NAME,MAJ:MIN,SIZE,RO,TYPE,LOG-SEC,DISC-GRAN,PKNAME'",
	     "early 252:1 4K 0 dm 512 512B \nlow 252:2 1M 0 dm 512 512B \ntop 252:3 512K 0 dm 512 512B dm-2");
	remove_device("top");
	remove_device("low");
}

static struct dm_device *resolve(const char *path)
{
	return fuse_dev_resolve(front, path);
}

static void test_resolve(void **state)
{
	struct dm_device *d;

	(void)state;
	if (!usable)
		skip();
	d = dm_find_name(f.world, "early");
	says("mkdir -p vg/deep; ln -s ../mapper/early vg/lv; ln -s /dev/vg abs; ln -s /etc out; ln -s loop loop; "
	     "ln -s ../../abs/lv vg/deep/er; ln -s / root; ls | wc -l", "8");
	assert_ptr_equal(resolve("/dev/mapper/early"), d);
	assert_ptr_equal(resolve("/dev/dm-1"), d);
	assert_ptr_equal(resolve("/dev//vg/./lv"), d);
	assert_ptr_equal(resolve("/dev/abs/lv"), d);
	assert_ptr_equal(resolve("/dev/abs/deep/er"), d);
	assert_ptr_equal(resolve("/dev/vg/deep/../lv"), d);
	assert_ptr_equal(resolve("/dev/vg/../../../dev/vg/lv"), d);
	assert_null(resolve("/dev/vg/deep/../../../dev/lv"));
	assert_null(resolve("/dev/../dm-1"));
	assert_null(resolve("/dev/loop"));
	assert_null(resolve("/dev/out/passwd"));
	assert_null(resolve("/dev/root/dev/dm-1"));
	assert_null(resolve("/dev/mapper/early/x"));
	assert_null(resolve("/dev/mapper"));
	assert_null(resolve("/dev/mapper/control"));
	assert_null(resolve("/dev"));
	assert_null(resolve("/etc/passwd"));
	assert_null(resolve("early"));
	says("rm -r vg abs out loop root; ls", "block\ndm-1\nmapper");
}

static void test_many(void **state)
{
	char name[20];
	int i;

	(void)state;
	if (!usable)
		skip();
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "many%d", i);
		assert_int_equal(create(&f, name, "0 8 zero", NULL), 0);
	}
	says("ls mapper | wc -l; ls .dmuse/sys/block | sort -u | wc -l; ls .dmuse/io | sort -u | wc -l", "3002\n3001\n3002");
	says("cat .dmuse/sys/block/*/dm/name | sort -u | wc -l", "3001");
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "many%d", (i * 7) % MANY);
		remove_device(name);
	}
	says("ls mapper; ls .dmuse/sys/block", "control\nearly\ndm-1");
}

static void test_proc(void **state)
{
	(void)state;
	says("sed -n '/^Block/,$p' .dmuse/proc/devices | grep -E 'Block|device-mapper|ubd'",
	     "Block devices:\n 98 ubd\n252 device-mapper");
	says("grep -v -e device-mapper -e ubd -e '99 blkext' .dmuse/proc/devices | cmp - /proc/devices && echo same", "same");
}

/* A device's name is visible as soon as the command has ended, and not a moment longer than it is valid. */
static void test_nothing_stale(void **state)
{
	struct stat st;
	char name[20];
	int i;

	(void)state;
	if (!usable)
		skip();
	for (i = 0; i < ROUNDS; i++) {
		assert_int_equal(create(&f, "a", "0 8 zero", NULL), 0);
		assert_int_equal(inside_stat(&f, "mapper/a", &st), 0);
		assert_true(S_ISBLK(st.st_mode) && st.st_rdev == makedev(252, 2));
		assert_int_equal(inside_stat(&f, i % 2 ? "dm-2" : ".dmuse/sys/dev/block/252:2/dm/name", &st), 0);
		snprintf(name, sizeof(name), "mapper/b%d", i % 3);
		assert_int_equal(run(&f, &(struct dm_cmd){ .verb = DM_DO_RENAME, .name = "a", .new_name = name + 7 }, NULL), 0);
		assert_int_equal(inside_stat(&f, name, &st), 0);
		assert_int_equal(inside_stat(&f, "mapper/a", &st), -ENOENT);
		remove_device(name + 7);
		assert_int_equal(inside_stat(&f, name, &st), -ENOENT);
		assert_int_equal(inside_stat(&f, i % 2 ? ".dmuse/io/252:2" : ".dmuse/sys/block/dm-2", &st), -ENOENT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_made_by_others),
		cmocka_unit_test(test_ours_stays),
		cmocka_unit_test(test_data),
		cmocka_unit_test(test_device_wins),
		cmocka_unit_test(test_rename),
		cmocka_unit_test(test_sys),
		cmocka_unit_test(test_disk),
		cmocka_unit_test(test_lsblk),
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_proc),
		cmocka_unit_test(test_nothing_stale),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, end);
}
