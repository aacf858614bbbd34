/* SPDX-License-Identifier: BSD-2-Clause */
/* The io file of /dev/mapper/control: see support/io_files.h. Numbers are those of Linux 6.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "support/caller.h"
#include "support/io_files.h"

#ifndef AS_USER
#define AS_USER 0	/* in a user namespace? */
#endif
#define SYS_ADMIN "21"

static struct fixture f;

static int begin(void **state)
{
	(void)state;
	return io_begin(&f, AS_USER);
}

/* Checked at each ioctl, not at the open. The answers are the kernel's, except for DM_VERSION. */
static void control_takes_a_capability_at_that_moment(void **state)
{
	(void)state;
	device("a", "0 64 zero");
	does("w", IO_CONTROL, "lower:" SYS_ADMIN " dm:0 dm:2 dm:3:b 'dm:9:a:0:0:0 8 zero' dm:4:a dm:99 get:0x80081272:8 dmraw:0xc138fd02:9:305 "
	     "raise:" SYS_ADMIN " dm:2", "0:0 open 0 flags 0 event 0\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES 9 0\na ");
	does("w", IO_CONTROL, "root dm:0 dm:2", "0:0 open 0 flags 0 event 0\nEACCES");
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
	/* TABLE_LOAD; the caller's own claim counts as well */
	does("w", IO_CONTROL, "\"dm:9:top:0:0:0 64 linear 252:1 0\" dm:10:top 'again:2' again:2", "252:2 open 0 flags 60 event 0\n"
	     "252:2 open 0 flags 20 event 0");
	does("w", ".dmuse/io/252:1", "remember:0202 \"sh:$PROGRAM w " IO_CONTROL " 'dm|9|top|0|0|0 64 linear low 0'\"", "0\nEBUSY");
	gone("top");
	gone("low");
}

static void commands(void **state)
{
	io_need();
	(void)state;
	does("w", IO_CONTROL, "dm:0 dm:3:foo dm:7:foo dm:7:bar dm:3:foo", "0:0 open 0 flags 0 event 0\n252:0 open 0 flags 0 event 0\n"
	     "252:0 open 0 flags 0 event 0\nENXIO\nEBUSY");
	does("w", IO_CONTROL, "'dm:9:foo:0:0:0 128 zero ' dm:6:foo dm:12:foo:16 dm:12:foo dm:2 dm:7:foo",
	     "252:0 open 0 flags 40 event 0\n252:0 open 0 flags 20 event 0\n0 128 zero \n0 128 zero \nfoo \n"
	     "252:0 open 0 flags 20 event 0");
	does("w", IO_CONTROL, "dm:6:foo:2 dm:7:foo dm:6:foo dm:5:foo:0:0:bar dm:7:bar 'dm:9:bar:0:0:0 8 linear 252:0 0' dm:10:bar",
	     "252:0 open 0 flags 22 event 0\n252:0 open 0 flags 22 event 0\n252:0 open 0 flags 20 event 0\n"
	     "252:0 open 0 flags 20 event 1\n252:0 open 0 flags 20 event 1\nEINVAL\n252:0 open 0 flags 20 event 1");
	does("w", IO_CONTROL, "'dm:9:bar:0:0:0 8 nothing ' 'dm:14:bar:0:0:hi' 'dm:15:bar:0:0:10 20 30 5' 'dm:15:bar:0:0:0 1 1 1'",
	     "EINVAL\nEINVAL\n252:0 open 0 flags 20 event 1\nEINVAL");
	does("r", ".dmuse/io/252:0", "geometry", "10 20 30 5");
	does("w", IO_CONTROL, "dm:11:bar dm:4:bar dm:4:bar dm:2", "0 0\n252:0 open 0 flags 20 event 1\nENXIO");
}

static void the_version_comes_back_in_any_case(void **state)
{
	io_need();
	(void)state;
	does("w", IO_CONTROL, "dmraw:0xc138fd00:5:65536 dmraw:0xc138fd00:4:100 dmraw:0xc138fd1e:3:65536 dmraw:0xfd00:4:65536 "
	     "dmraw:0xc138fd07:4:312", "EINVAL 4 0\nEINVAL 4 0\nENOTTY 3 0\n0 4 0\nENXIO 4 0");
	device("a-name-that-is-rather-long", "0 8 zero");
	does("w", IO_CONTROL, "dmraw:0xc138fd02:4:320 dmraw:0xc138fd02:4:512", "0 4 256\n0 4 0");
	does("w", IO_CONTROL, "read:0:10 write:0:10 value:0xc138fd00:0 value:0xc138fd00:8 end get:0x80081272:8",
	     "ESPIPE\nESPIPE\nEFAULT\nEFAULT\nESPIPE\nENOTTY");
	gone("a-name-that-is-rather-long");
}

static void paths_are_the_callers(void **state)
{
	(void)state;
	device("low", "0 64 zero");
	script("mkdir vg && ln -s ../mapper/low vg/lv && echo made", "made");
	does("w", IO_CONTROL, "dm:3:top 'dm:9:top:0:0:0 64 linear /dev/vg/lv 0' dm:12:top:4112 dm:11:top:4096",
	     "252:0 open 0 flags 0 event 0\n252:0 open 0 flags 40 event 0\n0 64 linear 252:1 0\n1 fc01");
	if (!AS_USER)		/* nobody else may write there */
		script("ln -sf /dev/vg/lv $TMPDIR/io-link; ln -sf io-link $TMPDIR/io-link2; $PROGRAM w " IO_CONTROL
	       " \"dm:9:top:0:0:0 64 linear $TMPDIR/io-link2 0\" dm:12:top:4112; rm $TMPDIR/io-link $TMPDIR/io-link2",
	       "252:0 open 0 flags 40 event 0\n0 64 linear 252:1 0");
	if (!AS_USER)
		script("mknod $TMPDIR/io-node b 252 1; $PROGRAM w " IO_CONTROL " \"dm:9:top:0:0:0 64 linear $TMPDIR/io-node 0\" "
		       "dm:12:top:4112; rm $TMPDIR/io-node", "252:0 open 0 flags 40 event 0\n0 64 linear 252:1 0");
	does("w", IO_CONTROL, "'dm:9:top:0:0:0 64 linear /dev/vg/none 0' dm:4:top", "ENOENT\n252:0 open 0 flags 40 event 0");
	gone("low");
}

static void secrets_are_wiped(void **state)
{
	(void)state;
	device("a", "0 64 zero");
	does("w", IO_CONTROL, "'secret::a:0:0:0 64 linear memory,size=1M:key 0' dm:10:a", "0\n0 bytes left\n"
	     "252:1 open 0 flags 20 event 0");
	gone("a");
}

static void waiting_ends(void **state)
{
	(void)state;
	device("a", "0 64 zero");
	does("w", IO_CONTROL, "dm:8:a:0:7 alarm:50 dm:8:a:0:0 dm:7:a", "0 64 zero \nEINTR\n252:1 open 0 flags 20 event 0");
	script("$PROGRAM w " IO_CONTROL " dm:8:a:0:0 & $PROGRAM w " IO_CONTROL " dm:5:a:16384:0:U-1 >/dev/null; wait", "0 64 zero ");
	/* On Linux the removal is an event like others; the remove may also come before the wait. */
	script("$PROGRAM w " IO_CONTROL " dm:8:a:0:1 | sed s/ENXIO// & $PROGRAM w " IO_CONTROL " dm:4:a >/dev/null; wait", "");
}

/* A caller that is killed while it waits leaves nothing behind. */
static void a_killed_waiter_goes(void **state)
{
	(void)state;
	device("a", "0 64 zero");
	script("for i in 1 2 3 4 5; do timeout -s KILL 0.05 $PROGRAM w " IO_CONTROL " dm:8:a:0:0; done 2>/dev/null; echo over", "over");
	assert_int_equal(info(&f, "a").open_count, 0);
	gone("a");
}

/* The reason is printed once on the caller's stderr, because the errno cannot tell it. */
static void refusals_are_explained(void **state)
{
	(void)state;
	device("a", "0 64 zero");
	script("$PROGRAM w " IO_CONTROL " 'dm:9:a:0:0:0 8 cipher x' 'dm:9:a:0:0:0 8 cipher x' dm:7:other dm:14:a:0:0:hi 2>&1 | sed 's/; there are:.*//'",
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
		does("w", IO_CONTROL, words, "some worked");
		io_clean(NULL);
		device("a", "0 64 linear memory,size=1M:f 0");
		does("w", "mapper/../.dmuse/io/`ls .dmuse/io | grep 252`", words, "some worked");
		io_clean(NULL);
	}
}

static void polling(void **state)
{
	io_need();
	(void)state;
	does("w", IO_CONTROL, "poll:0 dm:16 poll:0 dm:3:ev poll:0 poll:0 dm:16 poll:0 \"sh:$PROGRAM w " IO_CONTROL
	     " 'dm|4|ev' >/dev/null &\" poll:5000 poll:0",
	     "0\n0:0 open 0 flags 0 event 0\n0\n252:0 open 0 flags 0 event 0\n1\n1\n0:0 open 0 flags 0 event 0\n0\n1\n1");
}

static void open_counts_are_never_stale(void **state)
{
	(void)state;
	device("a", "0 64 zero");
	does("w", IO_CONTROL, "'rounds|10000|a|.dmuse/io/252:1'", "0 stale");
	gone("a");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(control_takes_a_capability_at_that_moment, io_clean),
		cmocka_unit_test_teardown(a_claim_keeps_tables_away, io_clean),
		cmocka_unit_test_teardown(commands, io_clean),
		cmocka_unit_test_teardown(the_version_comes_back_in_any_case, io_clean),
		cmocka_unit_test_teardown(paths_are_the_callers, io_clean),
		cmocka_unit_test_teardown(secrets_are_wiped, io_clean),
		cmocka_unit_test_teardown(waiting_ends, io_clean),
		cmocka_unit_test_teardown(a_killed_waiter_goes, io_clean),
		cmocka_unit_test_teardown(refusals_are_explained, io_clean),
		cmocka_unit_test_teardown(nothing_that_is_asked_ends_it, io_clean),
		cmocka_unit_test_teardown(polling, io_clean),
		cmocka_unit_test_teardown(open_counts_are_never_stale, io_clean),
	};

	if (argc > 1)
		return caller_main(argc, argv);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, io_end);
}
