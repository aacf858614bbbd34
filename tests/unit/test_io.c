/* SPDX-License-Identifier: BSD-2-Clause */
/* The io files of block devices: see support/io_files.h. Numbers are those of Linux 6.1. */
#include <linux/fs.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/caller.h"
#include "support/io_files.h"

#ifndef AS_USER
#define AS_USER 0	/* in a user namespace? */
#endif

static struct fixture f;

static int begin(void **state)
{
	(void)state;
	return io_begin(&f, AS_USER);
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
	does("r", io, "get:0x80081270:4", "4096");	/* the last close has reset it */
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

static void data_is_as_on_a_block_device(void **state)
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
	does("w", ".dmuse/io/252:1", "remember:0202", "0");	/* closed, and available again */
	assert_int_equal(create(&f, "top", "0 64 linear low 0", NULL), 0);
	does("w", ".dmuse/io/252:1", "remember:0202 remember:2 set:0x40081271:4096", "EBUSY\n0\nEBUSY");
	gone("top");
	does("w", IO_CONTROL, "remember:0202 recall", "0\n252");
	gone("low");
}

/* Its program gets the descriptor then, and could turn it into a node that everybody may write to. */
static void what_a_file_is_is_said_once(void **state)
{
	(void)state;
	device("a", "0 64 zero");
	does("w", ".dmuse/io/252:1", "remember:2 remember:2 recall", "0\nEPERM\n252");
	script("$PROGRAM r .dmuse/proc/devices remember:2 recall", "EPERM\nENODATA");
	gone("a");
}

/* Nobody else waits for a page that is being read from a suspended device. */
static void a_suspended_reader_blocks_nobody(void **state)
{
	(void)state;
	device("a", "0 64 zero");
	script("$PROGRAM w " IO_CONTROL " dm:6:a:2 >/dev/null; $PROGRAM r .dmuse/io/252:1 remember:0200 read:0:512 & "
	       "timeout 10 sh -c \"until $PROGRAM w " IO_CONTROL " dm:7:a | grep -q 'open 1'; do :; done\"; "
	       "timeout 5 $PROGRAM w .dmuse/io/252:1 remember:0202; $PROGRAM w " IO_CONTROL " dm:6:a >/dev/null; wait",
	       "0\nEBUSY\n512 of 0");
	gone("a");
}

static void a_disk_is_a_block_device(void **state)
{
	struct dm_cmd c = { .verb = DM_DO_DISK, .name = "pv0", .text = (char[]){ "memory,size=4M:pv" } };
	struct dm_cmd u = { .verb = DM_DO_UNDISK, .name = "pv0" };

	(void)state;
	io_need();
	assert_int_equal(run(&f, &c, NULL), 0);
	dm_reply_free(&c.reply);
	does("w", ".dmuse/io/98:0", "get:0x80081272:8 write:4096:512:5 read:4096:512 geometry remember:0202",
	     "4194304\n512\n512 of 5\n2 128 32 0\n0");
	does("w", IO_CONTROL, "dm:3:lv 'dm:9:lv:0:0:0 64 linear 98:0 8' dm:6:lv dm:11:lv dm:2 dm:1 dm:2",
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
		cmocka_unit_test_teardown(gets_answers, io_clean),
		cmocka_unit_test_teardown(sets_what_may_be_set, io_clean),
		cmocka_unit_test_teardown(ranges_are_checked, io_clean),
		cmocka_unit_test_teardown(data_is_as_on_a_block_device, io_clean),
		cmocka_unit_test_teardown(claims, io_clean),
		cmocka_unit_test_teardown(what_a_file_is_is_said_once, io_clean),
		cmocka_unit_test_teardown(a_suspended_reader_blocks_nobody, io_clean),
		cmocka_unit_test_teardown(a_disk_is_a_block_device, io_clean),
	};

	if (argc > 1)
		return caller_main(argc, argv);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, io_end);
}
