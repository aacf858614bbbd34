/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The io files of the view, as a program in a session has them in place of /dev/mapper/control and of block devices:
 * a process of its own in a namespace of its own asks, and this one answers. Numbers are those of Linux 6.1.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "fronts/fuse/fuse.h"
#include "support/caller.h"
#include "support/inside.h"
#include "support/temp.h"

#ifndef AS_USER
#define AS_USER 0	/* in a user namespace? */
#endif
#define CONTROL ".dmuse/io/control"

static struct fixture f;
static struct fuse_front *front;
static bool stopped, usable;
static char program[TEMP_PATH];	/* a copy of this one, where others may run it too */

static void front_stopped(void *arg)
{
	(void)arg;
	stopped = true;
}

/* The build's own directory may be closed to the user that is played. */
static int copy_program(void)
{
	int to = mkstemp(temp_template(program, "io")), from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;

	if (to < 0 || from < 0 || fchmod(to, 0755))
		return -errno;
	while (n > 0)
		n = copy_file_range(from, NULL, to, NULL, 1 << 30, 0);
	close(from);
	return close(to) || n ? -errno : 0;
}

static int begin(void **state)
{
	struct err e = { 0 };
	int fd = geteuid() ? -EPERM : inside_begin(AS_USER);

	(void)state;
	if (fd >= 0 && copy_program()) {
		fd = -errno;
		inside_end();
	}
	usable = fd >= 0;
	if (!usable) {
		printf("# skip: there is no view here: %s\n", strerror(-fd));
		return 0;
	}
	if (AS_USER && seteuid(INSIDE_USER))
		return -1;
	fixture_begin(&f, 2, AIO_AUTO);
	assert_int_equal(fuse_front_new(&front, f.world, &e), 0);
	assert_int_equal(fuse_front_dev(front, fd, inside_pid(), &e), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	if (!usable)
		return 0;
	if (seteuid(0))
		return -1;
	inside_end();
	unlink(program);
	stopped = false;
	fuse_front_stop(front, front_stopped, NULL);
	while (!stopped)
		loop_turn(f.loop, -1);
	fuse_front_free(front);
	fixture_end(&f);
	return 0;
}

static int clean(void **state)
{
	(void)state;
	return usable ? verb(&f, DM_DO_REMOVE_ALL, NULL, 0, NULL) : 0;
}

/* The device of test NAME, there for one test. */
static void device(const char *name, const char *table)
{
	if (!usable)
		skip();
	assert_int_equal(create(&f, name, table, NULL), 0);
}

static void gone(const char *name)
{
	assert_int_equal(verb(&f, DM_DO_REMOVE, name, 0, NULL), 0);
}

static void script(const char *text, const char *wanted)
{
	char all[6000], *got;

	if (!usable)
		skip();
	snprintf(all, sizeof(all), "PROGRAM=%s; export PROGRAM; %s", program, text);
	got = inside_sh(&f, all);
	if (strcmp(got, wanted))
		print_error("# $ %s\n", text);
	assert_string_equal(got, wanted);
	free(got);
}

/* What a caller prints that opens PATH as HOW says and does WORDS. */
static void does(const char *how, const char *path, const char *words, const char *wanted)
{
	char text[4096];

	snprintf(text, sizeof(text), "exec 2>/dev/null; $PROGRAM %s %s %s", how, path, words);
	script(text, wanted);
}

static void asks(const char *path, unsigned cmd, unsigned width, unsigned long long wanted)
{
	char words[80], value[40];

	snprintf(words, sizeof(words), "get:%u:%u", cmd, width);
	snprintf(value, sizeof(value), "%llu", wanted);
	does("r", path, words, value);
}

static void gets_answers(void **state)
{
	const char *io = ".dmuse/io/252:1";

	(void)state;
	device("a", "0 16384 zero");
	asks(io, BLKGETSIZE64, 8, 8388608);
	asks(io, BLKGETSIZE, 8, 16384);
	asks(io, BLKSSZGET, 4, 512);
	asks(io, BLKPBSZGET, 4, 512);
	asks(io, BLKBSZGET, 4, 4096);
	asks(io, BLKIOMIN, 4, 512);
	asks(io, BLKIOOPT, 4, 0);
	asks(io, BLKALIGNOFF, 4, 0);
	asks(io, BLKROGET, 4, 0);
	asks(io, BLKRAGET, 8, 256);
	asks(io, BLKFRAGET, 8, 256);
	asks(io, BLKDISCARDZEROES, 4, 0);
	asks(io, BLKROTATIONAL, 2, 0);
	asks(io, 0x80041284, 4, 0);	/* BLKGETZONESZ */
	does("r", io, "get:0x5331:4 get:0x80280215:4 get:0x5401:4 get:0xc138fd00:4 get:0xc0101282:8",
	     "ENOTTY\nENOTTY\nENOTTY\nENOTTY\nENOTTY");
	gone("a");
}

static void sets_what_may_be_set(void **state)
{
	const char *io = ".dmuse/io/252:1";

	(void)state;
	device("a", "0 16384 zero");
	/* BLKBSZSET, BLKBSZGET; BLKRASET, BLKRAGET; BLKRRPART; HDIO_GETGEO */
	does("r", io, "set:0x40081271:1024 get:0x80081270:4 set:0x40081271:1000 set:0x40081271:65536 set:0x40081271:256",
	     "0\n1024\nEINVAL\nEINVAL\nEINVAL");
	does("r", io, "get:0x80081270:4", "4096");	/* the last close has forgotten it */
	does("r", io, "value:0x1262:511 get:0x1263:8 value:0x125f:0 geometry", "0\n504\nEINVAL\n0 0 0 0");
	/* BLKROSET, BLKROGET */
	does("w", io, "set:0x125d:1 get:0x125e:4 write:0:512 range:0x127f:0:4096 range:0x1277:0:4096 fallocate:3:0:4096 "
	     "set:0x125d:0 get:0x125e:4 write:0:512", "0\n1\nEPERM\nEPERM\nEPERM\nEPERM\n0\n0\n512");
	gone("a");
}

static void ranges_are_checked(void **state)
{
	const char *io = ".dmuse/io/252:1";

	(void)state;
	device("a", "0 16384 linear memory,size=8M:m 0");
	does("w", io, "range:0x1277:0:4096 range:0x1277:1:4096 range:0x1277:0:100 range:0x1277:0:0 "
	     "range:0x1277:0:1099511627776 range:0x1277:4096:18446744073709547521 range:0x127d:0:512",
	     "0\nEINVAL\nEINVAL\nEINVAL\nEINVAL\nEINVAL\nEOPNOTSUPP");
	does("w", io, "write:0:8192:7 range:0x127f:0:4096 read:0:4096 read:4096:4096 range:0x127f:0:100 "
	     "range:0x127f:8388608:512", "8192\n0\n4096 of 0\n4096 of 7\nEINVAL\nEINVAL");
	does("w", io, "fallocate:0:0:4096 fallocate:1:0:4096 fallocate:3:4096:4096 read:4096:512 fallocate:3:100:4096 "
	     "fallocate:16:0:4096 fallocate:17:0:4096 fallocate:16:0:1099511627776 fallocate:17:4096:1099511627776 "
	     "fallocate:17:1099511627776:4096 fallocate:8:0:4096",
	     "EOPNOTSUPP\nEOPNOTSUPP\n0\n512 of 0\nEINVAL\n0\n0\nEINVAL\n0\nEINVAL\nEOPNOTSUPP");
	does("r", io, "range:0x1277:0:4096 range:0x127f:0:4096 value:0x1261:0", "EBADF\nEBADF\n0");
	gone("a");
}

static void data_has_manners(void **state)
{
	struct dm_cmd ro = { .verb = DM_DO_CREATE, .name = "ro", .flags = DM_WITH_READONLY, .text = (char[]){ "0 64 zero" } };

	(void)state;
	device("a", "0 16384 linear memory,size=8M,logical=4096:m 0");
	does("w", ".dmuse/io/252:1", "end write:8388608:512 write:8388352:512:3 read:8388607:1 read:8388608:512 truncate:4096 sync",
	     "8388608\nENOSPC\n256\n1 of 3\n0\nEINVAL\n0");
	does("wd", ".dmuse/io/252:1", "read:0:4096 read:0:512 read:512:4096 write:512:4096 write:4096:4096:9 read:4096:4096",
	     "4096 of 0\nEINVAL\nEINVAL\nEINVAL\n4096\n4096 of 9");
	gone("a");
	device("bad", "0 64 error");
	does("w", ".dmuse/io/252:1", "read:0:512 write:0:512 range:0x127f:0:4096 sync", "EIO\nEIO\nEIO\n0");
	gone("bad");
	assert_int_equal(run(&f, &ro, NULL), 0);
	dm_reply_free(&ro.reply);
	does("w", ".dmuse/io/252:1", "get:0x125e:4 read:0:512 write:0:512 set:0x125d:0 get:0x125e:4",
	     "1\n512 of 0\nEPERM\n0\n1");
	gone("ro");
	device("none", "0 8 zero");
	gone("none");
	does("w", ".dmuse/io/252:1", "end", "ENOENT");
}

static void claims(void **state)
{
	(void)state;
	device("low", "0 64 zero");
	/* 0200 is O_EXCL */
	does("w", ".dmuse/io/252:1", "recall remember:0202 recall again:2 remember:0200 remember:2", "ENODATA\n0\n252\nEBUSY\n0");
	does("w", ".dmuse/io/252:1", "remember:0202", "0");	/* closed, and free again */
	assert_int_equal(create(&f, "top", "0 64 linear low 0", NULL), 0);
	does("w", ".dmuse/io/252:1", "remember:0202 remember:2 set:0x40081271:4096", "EBUSY\n0\nEBUSY");
	gone("top");
	does("w", CONTROL, "remember:0202 recall", "0\n252");
	gone("low");
}

/* Its program gets the descriptor then, and would make a node of it that all may write to. */
static void what_a_file_is_is_said_once(void **state)
{
	(void)state;
	device("a", "0 64 zero");
	does("w", ".dmuse/io/252:1", "remember:2 remember:2 recall", "0\nEPERM\n252");
	script("$PROGRAM r .dmuse/proc/devices remember:2 recall", "EPERM\nENODATA");
	gone("a");
}

#define SYS_ADMIN "21"

/* Asked when it controls, not when it opens; it was the kernel's own answers that are wanted here, but for DM_VERSION. */
static void control_takes_a_capability_at_that_moment(void **state)
{
	(void)state;
	device("a", "0 64 zero");
	does("w", CONTROL, "lower:" SYS_ADMIN " dm:0 dm:2 dm:3:b 'dm:9:a:0:0:0 8 zero' dm:4:a dm:99 get:0x80081272:8 dmraw:0xc138fd02:9:305 "
	     "raise:" SYS_ADMIN " dm:2", "0:0 open 0 flags 0 event 0\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES 9 0\na ");
	does("w", CONTROL, "root dm:0 dm:2", "0:0 open 0 flags 0 event 0\nEACCES");
	/* BLKFLSBUF; BLKROSET, BLKROGET; BLKRASET, BLKFRASET, BLKRAGET; BLKBSZSET; BLKRRPART, BLKPG; BLKZEROOUT */
	does("w", ".dmuse/io/252:1", "lower:" SYS_ADMIN " value:0x1261:0 set:0x125d:1 get:0x125e:4 value:0x1262:8 value:0x1264:8 get:0x1263:8 "
	     "set:0x40081271:512 value:0x125f:0 value:0x1269:0 range:0x127f:0:512 root value:0x1261:0",
	     "EACCES\nEACCES\n0\nEACCES\nEACCES\n256\nEACCES\nEACCES\nEACCES\n0\nEACCES");
	gone("a");
}

static void a_claim_keeps_tables_away(void **state)
{
	(void)state;
	device("low", "0 64 zero");
	device("top", "0 64 zero");
	/* TABLE_LOAD; the caller's own claim is somebody's all the same */
	does("w", CONTROL, "\"dm:9:top:0:0:0 64 linear 252:1 0\" dm:10:top 'again:2' again:2", "252:2 open 0 flags 60 event 0\n"
	     "252:2 open 0 flags 20 event 0");
	does("w", ".dmuse/io/252:1", "remember:0202 \"sh:$PROGRAM w " CONTROL " 'dm|9|top|0|0|0 64 linear low 0'\"", "0\nEBUSY");
	gone("top");
	gone("low");
}

static void commands(void **state)
{
	if (!usable)
		skip();
	(void)state;
	does("w", CONTROL, "dm:0 dm:3:foo dm:7:foo dm:7:bar dm:3:foo", "0:0 open 0 flags 0 event 0\n252:0 open 0 flags 0 event 0\n"
	     "252:0 open 0 flags 0 event 0\nENXIO\nEBUSY");
	does("w", CONTROL, "'dm:9:foo:0:0:0 128 zero ' dm:6:foo dm:12:foo:16 dm:12:foo dm:2 dm:7:foo",
	     "252:0 open 0 flags 40 event 0\n252:0 open 0 flags 20 event 0\n0 128 zero \n0 128 zero \nfoo \n"
	     "252:0 open 0 flags 20 event 0");
	does("w", CONTROL, "dm:6:foo:2 dm:7:foo dm:6:foo dm:5:foo:0:0:bar dm:7:bar 'dm:9:bar:0:0:0 8 linear 252:0 0' dm:10:bar",
	     "252:0 open 0 flags 22 event 0\n252:0 open 0 flags 22 event 0\n252:0 open 0 flags 20 event 0\n"
	     "252:0 open 0 flags 20 event 1\n252:0 open 0 flags 20 event 1\nEINVAL\n252:0 open 0 flags 20 event 1");
	does("w", CONTROL, "'dm:9:bar:0:0:0 8 nothing ' 'dm:14:bar:0:0:hi' 'dm:15:bar:0:0:10 20 30 5' 'dm:15:bar:0:0:0 1 1 1'",
	     "EINVAL\nEINVAL\n252:0 open 0 flags 20 event 1\nEINVAL");
	does("r", ".dmuse/io/252:0", "geometry", "10 20 30 5");
	does("w", CONTROL, "dm:11:bar dm:4:bar dm:4:bar dm:2", "0 0\n252:0 open 0 flags 20 event 1\nENXIO");
}

static void the_version_comes_back_in_any_case(void **state)
{
	if (!usable)
		skip();
	(void)state;
	does("w", CONTROL, "dmraw:0xc138fd00:5:65536 dmraw:0xc138fd00:4:100 dmraw:0xc138fd1e:3:65536 dmraw:0xfd00:4:65536 "
	     "dmraw:0xc138fd07:4:312", "EINVAL 4 0\nEINVAL 4 0\nENOTTY 3 0\n0 4 0\nENXIO 4 0");
	device("a-name-that-is-rather-long", "0 8 zero");
	does("w", CONTROL, "dmraw:0xc138fd02:4:320 dmraw:0xc138fd02:4:512", "0 4 256\n0 4 0");
	does("w", CONTROL, "read:0:10 write:0:10 value:0xc138fd00:0 value:0xc138fd00:8 end get:0x80081272:8",
	     "ESPIPE\nESPIPE\nEFAULT\nEFAULT\nESPIPE\nENOTTY");
	gone("a-name-that-is-rather-long");
}

static void paths_are_the_callers(void **state)
{
	(void)state;
	device("low", "0 64 zero");
	script("mkdir vg && ln -s ../mapper/low vg/lv && echo made", "made");
	does("w", CONTROL, "dm:3:top 'dm:9:top:0:0:0 64 linear /dev/vg/lv 0' dm:12:top:4112 dm:11:top:4096",
	     "252:0 open 0 flags 0 event 0\n252:0 open 0 flags 40 event 0\n0 64 linear 252:1 0\n1 fc01");
	if (!AS_USER)		/* nobody else may write there */
		script("ln -sf /dev/vg/lv $TMPDIR/io-link; ln -sf io-link $TMPDIR/io-link2; $PROGRAM w " CONTROL
	       " \"dm:9:top:0:0:0 64 linear $TMPDIR/io-link2 0\" dm:12:top:4112; rm $TMPDIR/io-link $TMPDIR/io-link2",
	       "252:0 open 0 flags 40 event 0\n0 64 linear 252:1 0");
	if (!AS_USER)
		script("mknod $TMPDIR/io-node b 252 1; $PROGRAM w " CONTROL " \"dm:9:top:0:0:0 64 linear $TMPDIR/io-node 0\" "
		       "dm:12:top:4112; rm $TMPDIR/io-node", "252:0 open 0 flags 40 event 0\n0 64 linear 252:1 0");
	does("w", CONTROL, "'dm:9:top:0:0:0 64 linear /dev/vg/none 0' dm:4:top", "ENOENT\n252:0 open 0 flags 40 event 0");
	gone("low");
}

static void secrets_are_wiped(void **state)
{
	(void)state;
	device("a", "0 64 zero");
	does("w", CONTROL, "'secret::a:0:0:0 64 linear memory,size=1M:key 0' dm:10:a", "0\n0 bytes left\n"
	     "252:1 open 0 flags 20 event 0");
	gone("a");
}

static void waiting_ends(void **state)
{
	(void)state;
	device("a", "0 64 zero");
	does("w", CONTROL, "dm:8:a:0:7 alarm:50 dm:8:a:0:0 dm:7:a", "0 64 zero \nEINTR\n252:1 open 0 flags 20 event 0");
	script("$PROGRAM w " CONTROL " dm:8:a:0:0 & $PROGRAM w " CONTROL " dm:5:a:16384:0:U-1 >/dev/null; wait", "0 64 zero ");
	/* Linux calls the removal an event like others; the remove may also come before the wait. */
	script("$PROGRAM w " CONTROL " dm:8:a:0:1 | sed s/ENXIO// & $PROGRAM w " CONTROL " dm:4:a >/dev/null; wait", "");
}

/* A caller that is killed while it waits leaves nothing behind. */
static void a_killed_waiter_goes(void **state)
{
	(void)state;
	device("a", "0 64 zero");
	script("for i in 1 2 3 4 5; do timeout -s KILL 0.05 $PROGRAM w " CONTROL " dm:8:a:0:0; done 2>/dev/null; echo over", "over");
	assert_int_equal(info(&f, "a").open_count, 0);
	gone("a");
}

/* Nobody else waits for a page that is being read from a suspended device. */
static void a_suspended_reader_blocks_nobody(void **state)
{
	(void)state;
	device("a", "0 64 zero");
	script("$PROGRAM w " CONTROL " dm:6:a:2 >/dev/null; $PROGRAM r .dmuse/io/252:1 remember:0200 read:0:512 & "
	       "timeout 10 sh -c \"until $PROGRAM w " CONTROL " dm:7:a | grep -q 'open 1'; do :; done\"; "
	       "timeout 5 $PROGRAM w .dmuse/io/252:1 remember:0202; $PROGRAM w " CONTROL " dm:6:a >/dev/null; wait",
	       "0\nEBUSY\n512 of 0");
	gone("a");
}

/* The caller's stderr has the sentence that the number cannot tell, once. */
static void refusals_are_explained(void **state)
{
	(void)state;
	device("a", "0 64 zero");
	script("$PROGRAM w " CONTROL " 'dm:9:a:0:0:0 8 cipher x' 'dm:9:a:0:0:0 8 cipher x' dm:7:other dm:14:a:0:0:hi 2>&1 | sed 's/; there are:.*//'",
	     "dmuse: a: table line 1: unknown target 'cipher'\nEINVAL\nEINVAL\nENXIO\ndmuse: a: target zero takes no messages\nEINVAL");
	gone("a");
}

static void nothing_that_is_asked_ends_it(void **state)
{
	char words[40];
	int seed;

	(void)state;
	for (seed = 1; seed <= 8; seed++) {
		device("a", "0 64 zero");
		snprintf(words, sizeof(words), "fuzz:%d:500", seed);
		does("w", CONTROL, words, "some worked");
		clean(NULL);
		device("a", "0 64 linear memory,size=1M:f 0");
		does("w", "mapper/../.dmuse/io/`ls .dmuse/io | grep 252`", words, "some worked");
		clean(NULL);
	}
}

static void polling(void **state)
{
	if (!usable)
		skip();
	(void)state;
	does("w", CONTROL, "poll:0 dm:16 poll:0 dm:3:ev poll:0 poll:0 dm:16 poll:0 \"sh:$PROGRAM w " CONTROL
	     " 'dm|4|ev' >/dev/null &\" poll:5000 poll:0",
	     "0\n0:0 open 0 flags 0 event 0\n0\n252:0 open 0 flags 0 event 0\n1\n1\n0:0 open 0 flags 0 event 0\n0\n1\n1");
}

static void open_counts_are_never_stale(void **state)
{
	(void)state;
	device("a", "0 64 zero");
	does("w", CONTROL, "'rounds|10000|a|.dmuse/io/252:1'", "0 stale");
	gone("a");
}

static void a_disk_is_a_block_device(void **state)
{
	struct dm_cmd c = { .verb = DM_DO_DISK, .name = "pv0", .text = (char[]){ "memory,size=4M:pv" } };
	struct dm_cmd u = { .verb = DM_DO_UNDISK, .name = "pv0" };

	(void)state;
	if (!usable)
		skip();
	assert_int_equal(run(&f, &c, NULL), 0);
	dm_reply_free(&c.reply);
	does("w", ".dmuse/io/98:0", "get:0x80081272:8 write:4096:512:5 read:4096:512 geometry remember:0202",
	     "4194304\n512\n512 of 5\n2 128 32 0\n0");
	does("w", CONTROL, "dm:3:lv 'dm:9:lv:0:0:0 64 linear 98:0 8' dm:6:lv dm:11:lv dm:2 dm:1 dm:2",
	     "252:0 open 0 flags 0 event 0\n252:0 open 0 flags 40 event 0\n252:0 open 0 flags 20 event 0\n1 6200\nlv \n"
	     "0:0 open 0 flags 0 event 0");
	script("ls -l pv0 | cut -c1", "b");
	assert_int_equal(run(&f, &u, NULL), 0);
	dm_reply_free(&u.reply);
	script("ls pv0", "ls: cannot access 'pv0': No such file or directory");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(gets_answers, clean),
		cmocka_unit_test_teardown(sets_what_may_be_set, clean),
		cmocka_unit_test_teardown(ranges_are_checked, clean),
		cmocka_unit_test_teardown(data_has_manners, clean),
		cmocka_unit_test_teardown(claims, clean),
		cmocka_unit_test_teardown(what_a_file_is_is_said_once, clean),
		cmocka_unit_test_teardown(control_takes_a_capability_at_that_moment, clean),
		cmocka_unit_test_teardown(a_claim_keeps_tables_away, clean),
		cmocka_unit_test_teardown(commands, clean),
		cmocka_unit_test_teardown(the_version_comes_back_in_any_case, clean),
		cmocka_unit_test_teardown(paths_are_the_callers, clean),
		cmocka_unit_test_teardown(secrets_are_wiped, clean),
		cmocka_unit_test_teardown(waiting_ends, clean),
		cmocka_unit_test_teardown(a_killed_waiter_goes, clean),
		cmocka_unit_test_teardown(a_suspended_reader_blocks_nobody, clean),
		cmocka_unit_test_teardown(refusals_are_explained, clean),
		cmocka_unit_test_teardown(nothing_that_is_asked_ends_it, clean),
		cmocka_unit_test_teardown(polling, clean),
		cmocka_unit_test_teardown(open_counts_are_never_stale, clean),
		cmocka_unit_test_teardown(a_disk_is_a_block_device, clean),
	};

	if (argc > 1)
		return caller_main(argc, argv);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, end);
}
