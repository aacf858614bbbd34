/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory stores outlive the daemon where descriptors are kept: a second world finds the data of the first. */
#include <errno.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/keep.h"
#include "support/manager.h"
#include "support/world.h"

#define SECTORS 2050		/* 256 pages and a quarter */
#define NAME "keep.memory+"

static struct fixture f;
static struct manager manager;
static char why[ERR_TEXT];
static int kept = -1;		/* the test's copy of what was kept, and the name that was sent with it */
static char name[100];

static int begin(void **state)
{
	(void)state;
	manager_begin(&manager, "10");
	fixture_begin(&f, 2, AIO_AUTO);
	return 0;
}

static int end(void **state)
{
	(void)state;
	verb(&f, DM_DO_REMOVE_ALL, NULL, 0, NULL);
	fixture_end(&f);
	if (kept >= 0)
		close(kept);
	kept = -1;
	manager_end(&manager);
	return 0;
}

static struct dm_device *make(const char *table)
{
	struct dm_device *d;

	if (create(&f, "m", table, why))
		fail_msg("%s", why);
	d = dm_find_name(f.world, "m");
	assert_non_null(d);
	dm_open(d);
	return d;
}

static void io(struct dm_device *d, enum dm_op op, uint64_t at, uint64_t n, void *data)
{
	assert_int_equal(request(&f, d, 0, op, 0, at, n, data), 0);
}

/* The manager's copy of the memory that was made last. */
static void hold(void)
{
	const char *said = manager_hear(&manager);

	if (sscanf(said, "FDSTORE=1\nFDNAME=%99[^\n]", name) != 1 || strncmp(name, NAME, strlen(NAME)))
		fail_msg("'%s'", said);
	kept = dup(manager.fd);
	assert_true(kept >= 0);
}

/* Another daemon, to which it is passed; or none is. */
static void again(struct dm_device *d, bool pass)
{
	struct err e = ERR_INIT;

	if (d)
		dm_close(d);
	verb(&f, DM_DO_REMOVE_ALL, NULL, 0, NULL);
	fixture_end(&f);
	fixture_begin(&f, 2, AIO_AUTO);
	while (*manager_hear(&manager))
		;
	if (pass)
		assert_int_equal(keep_adopt(name, dup(kept), &e), 0);
}

static void assert_extent(struct dm_device *d, uint64_t at, uint64_t reach, bool hole)
{
	struct job j;

	job_start(&f, &j, d, 0, DM_EXTENT, 0, at, SECTORS - at, NULL);
	assert_int_equal(job_wait(&j), 0);
	assert_int_equal(j.req.count, reach);
	assert_int_equal(j.req.flags & (DM_HOLE | DM_ZERO), hole ? DM_HOLE | DM_ZERO : 0);
}

static void assert_bytes(struct dm_device *d, uint64_t at, uint64_t n, char byte)
{
	char in[4096];
	size_t i;

	io(d, DM_READ, at, n, in);
	for (i = 0; i < n * 512; i++)
		assert_int_equal(in[i], byte);
}

static void write_bytes(struct dm_device *d, uint64_t at, uint64_t n, char byte)
{
	char out[4096];

	memset(out, byte, sizeof(out));
	io(d, DM_WRITE, at, n, out);
}

#define TABLE "0 2050 linear memory,size=1049600:disk 0"

static void its_data_and_its_holes_are_there_again(void **state)
{
	struct dm_device *d = make(TABLE);

	(void)state;
	hold();
	write_bytes(d, 16, 8, 'a');
	write_bytes(d, 2049, 1, 'z');
	again(d, true);
	d = make(TABLE);
	assert_bytes(d, 16, 8, 'a');
	assert_bytes(d, 2049, 1, 'z');
	assert_extent(d, 0, 16, true);
	assert_extent(d, 16, 8, false);
	assert_string_equal(manager_hear(&manager), "");	/* it stays kept */
	write_bytes(d, 17, 1, 'b');
	again(d, true);
	d = make(TABLE);
	assert_bytes(d, 16, 1, 'a');
	assert_bytes(d, 17, 1, 'b');
	dm_close(d);
}

static void what_is_discarded_is_given_back(void **state)
{
	struct dm_device *d = make(TABLE);
	struct stat before, after;

	(void)state;
	hold();
	for (uint64_t at = 0; at < 2048; at += 8)
		write_bytes(d, at, 8, 'x');
	assert_int_equal(fstat(kept, &before), 0);
	io(d, DM_DISCARD, 0, 2048, NULL);
	assert_int_equal(fstat(kept, &after), 0);
	assert_true(before.st_blocks >= after.st_blocks + 2048);
	assert_bytes(d, 8, 8, 0);
	dm_close(d);
}

/* A write that was not over: its data may be there without its bit, and must not appear when its page is written to. */
static void what_was_not_over_does_not_appear_later(void **state)
{
	struct dm_device *d = make(TABLE);
	struct stat st;
	char *all;
	long page = sysconf(_SC_PAGESIZE);

	(void)state;
	hold();
	write_bytes(d, 0, 8, 'a');
	assert_int_equal(fstat(kept, &st), 0);
	all = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, kept, 0);
	assert_true(all != MAP_FAILED);
	memset(all + st.st_size - page, 's', (size_t)page);	/* the last page */
	memset(memchr(all + page, 'a', (size_t)(st.st_size - page)) + (ptrdiff_t)4096, 's', 4096);	/* the second one */
	munmap(all, (size_t)st.st_size);
	again(d, true);
	d = make(TABLE);
	write_bytes(d, 9, 1, 'b');
	assert_bytes(d, 0, 8, 'a');
	assert_bytes(d, 8, 1, 0);
	assert_bytes(d, 9, 1, 'b');
	assert_bytes(d, 10, 6, 0);
	write_bytes(d, 2048, 1, 'c');
	assert_bytes(d, 2049, 1, 0);
	dm_close(d);
}

static void one_that_nobody_has_kept_is_empty(void **state)
{
	struct dm_device *d = make(TABLE);

	(void)state;
	hold();
	write_bytes(d, 0, 8, 'a');
	again(d, false);
	d = make(TABLE);
	assert_bytes(d, 0, 8, 0);
	dm_close(d);
}

static void another_size_is_refused(void **state)
{
	struct dm_device *d = make(TABLE);

	(void)state;
	hold();
	again(d, true);
	assert_int_equal(create(&f, "m", "0 8 linear memory,size=1M:disk 0", why), -ESTALE);
	if (!strstr(why, "memory 'disk' was of another size when the daemon died"))
		fail_msg("%s", why);
	assert_string_equal(manager_hear(&manager) + strlen("FDSTOREREMOVE=1\nFDNAME="), name);
}

static void the_last_table_ends_it(void **state)
{
	struct dm_device *d = make(TABLE);

	(void)state;
	hold();
	dm_close(d);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "m", 0, why), 0);
	assert_string_equal(manager_hear(&manager), strcat(strcpy((char[200]){ "" }, "FDSTOREREMOVE=1\nFDNAME="), name));
}

/* It is as good as any other until the daemon dies. */
static void one_that_cannot_be_kept_works(void **state)
{
	struct dm_device *d;
	struct rlimit was, none = { 0, 0 };

	(void)state;
	setenv("FDSTORE", "1", 1);
	d = make("0 8 linear memory,size=1M:one 0");
	assert_int_equal(create(&f, "n", "0 8 linear memory,size=1M:two 0", why), 0);
	write_bytes(dm_find_name(f.world, "n"), 0, 8, 'n');
	assert_bytes(dm_find_name(f.world, "n"), 0, 8, 'n');
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	none.rlim_max = was.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &none);		/* ulimit -f counts memfds, too */
	assert_int_equal(create(&f, "o", "0 8 linear memory,size=1M:three 0", why), 0);
	setrlimit(RLIMIT_FSIZE, &was);
	assert_bytes(dm_find_name(f.world, "o"), 0, 8, 0);
	dm_close(d);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		T(its_data_and_its_holes_are_there_again),
		T(what_is_discarded_is_given_back),
		T(what_was_not_over_does_not_appear_later),
		T(one_that_nobody_has_kept_is_empty),
		T(another_size_is_refused),
		T(the_last_table_ends_it),
		T(one_that_cannot_be_kept_works),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
