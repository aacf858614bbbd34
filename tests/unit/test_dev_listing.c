/* SPDX-License-Identifier: BSD-2-Clause */
/* What it costs to list many devices in a session: the requests that the kernel makes, and the nodes that remain. */
#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "fronts/fuse/dev.h"
#include "support/inside.h"

#define FEW 10
#define MANY 30

static struct fixture f;
static struct fuse_front *front;
static bool stopped, usable;
static atomic_uint requests;

/* In libfuse's place: counts what the kernel asks for. */
void fuse_session_process_buf(struct fuse_session *se, const struct fuse_buf *buf);
void fuse_session_process_buf(struct fuse_session *se, const struct fuse_buf *buf)
{
	static void (*next)(struct fuse_session *se, const struct fuse_buf *buf);

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "fuse_session_process_buf");
	requests++;
	next(se, buf);
}

static void front_stopped(void *arg)
{
	(void)arg;
	stopped = true;
}

static int begin(void **state)
{
	struct err e = { 0 };
	int fd = geteuid() ? -EPERM : inside_begin(false);

	(void)state;
	usable = fd >= 0;
	if (!usable) {
		printf("# skip: there is no view here: %s\n", strerror(-fd));
		return 0;
	}
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
	fuse_front_stop(front, front_stopped, NULL);
	while (!stopped)
		loop_turn(f.loop, -1);
	inside_end();
	fuse_front_free(front);
	fixture_end(&f);
	return 0;
}

static void devices(unsigned from, unsigned to)
{
	char name[16];

	for (unsigned i = from; i < to; i++) {
		snprintf(name, sizeof(name), "d%u", i);
		assert_int_equal(create(&f, name, "0 8 zero", NULL), 0);
	}
}

static size_t nodes(void)
{
	return dev_view_of(front)->by_id.n;
}

/* Runs SCRIPT where everything is arranged as in a session, and returns the number of lines that it prints. */
static int listed(const char *script)
{
	char whole[1000], *got;
	int n;

	snprintf(whole, sizeof(whole), "unshare -m sh -ec 'for p in dev/block block class/block devices/virtual/block; do\n"
		 "mount --bind .dmuse/sys/$p /sys/$p; done; mount --bind . /dev; cd /; %s' | wc -l", script);
	requests = 0;
	got = inside_sh(&f, whole);
	n = atoi(got);
	free(got);
	return n;
}

/*
 * The requests of a second lsblk with so many devices more than before. A few of those that nobody waits for (forget, release)
 * may be counted with the lsblk before or behind: they do not make one more for each device.
 */
static unsigned for_each(unsigned with_few, unsigned with_many)
{
	return (with_many - with_few + MANY / 2) / MANY;
}

/*
 * For each device, lsblk opens five files and three directories, which are 28 requests. The kernel looks up names of the
 * device itself each time; it need not ask for the directories in its directory, and only once for names that are not
 * there.
 */
static void test_lsblk_asks_little(void **state)
{
	unsigned few, first, again;

	(void)state;
	if (!usable)
		skip();
	devices(0, FEW);
	assert_int_equal(listed("lsblk -nro NAME"), FEW);
	assert_int_equal(listed("lsblk -nro NAME"), FEW);
	few = requests;
	devices(FEW, FEW + MANY);
	assert_int_equal(listed("lsblk -nro NAME"), FEW + MANY);
	first = for_each(few, requests);
	assert_int_equal(listed("lsblk -nro NAME"), FEW + MANY);
	again = for_each(few, requests);
	printf("# lsblk: %u requests for each device, and %u the second time\n", first, again);
	assert_in_range(first, 1, 50);
	assert_in_range(again, 1, 44);
}

/* Only what was looked at has a node of its own. */
static void test_listing_makes_few_nodes(void **state)
{
	size_t before, after;

	(void)state;
	if (!usable)
		skip();
	devices(FEW + MANY, FEW + 2 * MANY);
	before = nodes();
	assert_int_equal(listed("lsblk -nro NAME"), FEW + 2 * MANY);
	after = nodes();
	printf("# lsblk makes %zu nodes for each device\n", (after - before) / MANY);
	assert_in_range((after - before) / MANY, 1, 9);
}

/* Whatever was looked at before, listings have the same names in the same order, with the numbers of the files. */
static const char stays[] =
	"cd .dmuse/sys/devices/virtual/block/dm-71\n"
	"list() { for d in . dm queue bdi; do ls -aUi $d; done; }\n"
	"before=$(list); cat size queue/zoned queue/add_random dm/name\n"
	"[ \"$(list)\" = \"$before\" ] && echo the same; ls | wc -l; ls queue | wc -l\n"
	"[ \"$(ls -i queue | sed -n 's/ *\\([0-9]*\\) zoned/\\1/p')\" = $(stat -c %i queue/zoned) ] && echo its number";

/* In small pieces, which begin anywhere. */
static const char pieces[] =
	"cd .dmuse/sys/devices/virtual/block/dm-71; cat queue/zoned; python3 -c '\n"
	"import ctypes, os\n"
	"names, piece = [], ctypes.create_string_buffer(256)\n"
	"fd = os.open(\"queue\", os.O_RDONLY)\n"
	"while (n := ctypes.CDLL(None).getdents64(fd, piece, 256)) > 0:\n"
	"    at = 0\n"
	"    while at < n:\n"
	"        end = at + int.from_bytes(piece.raw[at + 16:at + 18], \"little\")\n"
	"        names.append(piece.raw[at + 19:end].split(b\"\\0\")[0])\n"
	"        at = end\n"
	"print(len(names), len(set(names)))'";

static void test_listings_stay(void **state)
{
	char *got;

	(void)state;
	if (!usable)
		skip();
	devices(FEW + 2 * MANY, FEW + 2 * MANY + 1);
	got = inside_sh(&f, stays);
	assert_string_equal(got, "8\nnone\n0\nd70\nthe same\n23\n38\nits number");
	free(got);
	got = inside_sh(&f, pieces);
	assert_string_equal(got, "none\n40 40");
	free(got);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_lsblk_asks_little),
	cmocka_unit_test(test_listing_makes_few_nodes),
	cmocka_unit_test(test_listings_stay),
};

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, end);
}
