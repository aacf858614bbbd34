/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Long reads of files in memory: whether they are copied or moved by the kernel, the bytes are the same
 * (fronts/nbd/shown.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>
#include <cmocka.h>

#include "fronts/nbd/server.h"
#include "support/nbd.h"

#define LEN 65536u		/* of a long read */
#define SIZE (4 * LEN)

static struct nbd_fixture n;
static char path[] = "/dev/shm/dmuse-shown.XXXXXX";
static uint8_t bytes[SIZE];

static int begin(void **state)
{
	struct statfs fs;
	char table[100];
	size_t i;
	int fd;

	(void)state;
	if (statfs("/dev/shm", &fs) || fs.f_type != TMPFS_MAGIC)
		return 0;
	fd = mkstemp(path);
	assert_true(fd >= 0);
	for (i = 0; i < SIZE; i++)
		bytes[i] = (uint8_t)(i * 2654435761u >> 24);
	assert_int_equal(write(fd, bytes, SIZE), SIZE);
	close(fd);
	nbd_begin(&n, 1);
	snprintf(table, sizeof(table), "0 %u linear %s 0", SIZE / 512, path);
	assert_int_equal(create(&n.f, "m", table, NULL), 0);
	unlink(path);			/* the device has it open */
	return 0;
}

static int end(void **state)
{
	(void)state;
	if (n.nbd)
		nbd_end(&n);
	return 0;
}

/* The only connection, which is its thread's: that has heard of us before, and does not go on with it before it hears of us again. */
static bool has_pipe(void)
{
	const struct nbd_conn *c;
	bool has;

	settle_threads(&n.f);
	c = container(n.nbd->ios[0].conns.next, struct nbd_conn, node);
	has = c->pipe[0] >= 0;
	settle_threads(&n.f);
	return has;
}

static void read_all(enum faster_way way)
{
	struct nbd_client c;
	struct nbd_answer *a = malloc(sizeof(*a));
	uint64_t at;

	assert_non_null(a);
	n.nbd->ios[0].shown = (struct faster){ .best = way, .way = way };
	nbdc_open(&c, &n, "m", true);
	for (at = 0; at + LEN <= SIZE; at += 512 * 37) {
		assert_int_equal(nbdc_do(&c, a, NBD_CMD_READ, 0, at, LEN, NULL), 0);
		assert_memory_equal(a->data, bytes + at, LEN);
	}
	assert_int_equal(has_pipe(), way == FASTER_SECOND);
	nbdc_hang_up(&c);
	nbd_opens(&n, "m");
	free(a);
}

static void a_long_read_is_copied_where_that_is_faster(void **state)
{
	(void)state;
	if (!n.nbd)
		skip();
	read_all(FASTER_FIRST);
}

static void a_long_read_is_shown_where_that_is_faster(void **state)
{
	(void)state;
	if (!n.nbd)
		skip();
	read_all(FASTER_SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_read_is_copied_where_that_is_faster),
		cmocka_unit_test(a_long_read_is_shown_where_that_is_faster),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
