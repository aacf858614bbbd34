/* SPDX-License-Identifier: BSD-2-Clause */
/* unstriped: what was written through a striped device is found in its stripes, and the other way round; what does not fit. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "support/world.h"

#define STRIPES 3u
#define CHUNK 5u
#define ROWS 4u
#define LEG (ROWS * CHUNK)

static struct fixture f;
static struct dm_device *all, *one[STRIPES];

static int begin(void **state)
{
	char line[128];
	unsigned i;

	(void)state;
	fixture_begin(&f, 2, AIO_AUTO);
	all = make_device(&f, "all", "0 60 striped 3 5 memory,size=1M:a 0 memory,size=1M:b 7 memory,size=1M:c 9");
	dm_open(all);
	for (i = 0; i < STRIPES; i++) {
		char name[8];

		snprintf(name, sizeof(name), "one%u", i);
		snprintf(line, sizeof(line), "0 %u unstriped %u %u %u /dev/mapper/all 0", LEG, STRIPES, CHUNK, i);
		one[i] = make_device(&f, name, line);
		dm_open(one[i]);
	}
	return 0;
}

static int end(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < STRIPES; i++)
		dm_close(one[i]);
	dm_close(all);
	fixture_end(&f);
	return 0;
}

static void each_stripe_has_its_chunks(void **state)
{
	static uint8_t data[STRIPES * LEG][512], got[LEG][512];
	unsigned i, k;

	(void)state;
	for (i = 0; i < STRIPES * LEG; i++)
		memset(data[i], (int)i + 1, 512);
	assert_int_equal(request(&f, all, 0, DM_WRITE, 0, 0, STRIPES * LEG, data), 0);
	for (i = 0; i < STRIPES; i++) {
		assert_int_equal(request(&f, one[i], 1, DM_READ, 0, 0, LEG, got), 0);
		for (k = 0; k < LEG; k++)
			assert_int_equal(got[k][0], (k / CHUNK * STRIPES + i) * CHUNK + k % CHUNK + 1);
	}
}

static void what_is_written_to_a_stripe_is_in_no_other(void **state)
{
	static uint8_t data[LEG][512], got[STRIPES * LEG][512];
	unsigned i;

	(void)state;
	memset(data, 7, sizeof(data));
	assert_int_equal(request(&f, one[1], 0, DM_WRITE, 0, 0, LEG, data), 0);
	assert_int_equal(request(&f, one[1], 0, DM_ZEROES, 0, 3, 4, NULL), 0);
	assert_int_equal(request(&f, all, 0, DM_READ, 0, 0, STRIPES * LEG, got), 0);
	for (i = 0; i < STRIPES * LEG; i++) {
		unsigned chunk = i / CHUNK, sector = chunk / STRIPES * CHUNK + i % CHUNK;

		assert_int_equal(got[i][0], chunk % STRIPES == 1 && (sector < 3 || sector > 6) ? 7 : 0);
	}
}

static void wrong_words_get_a_sentence(void **state)
{
	static const struct { const char *line, *says; } rows[] = {
		{ "0 20 unstriped 0 5 0 /dev/mapper/all 0", "word 1 <#stripes>: 0 is out of range" },
		{ "0 20 unstriped 3 5 3 /dev/mapper/all 0", "word 3 <stripe>: 3 is out of range: 0 to 2" },
		{ "0 21 unstriped 3 5 0 /dev/mapper/all 0", "21 sectors are not a multiple of the chunk size 5" },
		{ "0 25 unstriped 3 5 0 /dev/mapper/all 0", "65 sectors from 0 do not fit: " },
		{ "0 20 unstriped 3 5 2 /dev/mapper/all 1", "60 sectors from 1 do not fit: " },
		{ "0 20 unstriped 4294967295 4 0 /dev/mapper/all 0", "do not fit: " },
		{ "0 18014398509481983 unstriped 4294967295 1 0 /dev/mapper/all 0", "no device has 4294967295 stripes of 18014398509481983 chunks" },
		{ "0 20 unstriped 3 5 0 /dev/mapper/all", "word 5 <offset>: it is missing" },
		{ "0 20 unstriped 3 5 0 memory,size=1M,logical=4096:d 0", "must be multiples of 8 sectors" },
	};
	char why[ERR_TEXT];
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_not_equal(create(&f, "other", rows[i].line, why), 0);
		if (!strstr(why, rows[i].says))
			fail_msg("'%s': %s", rows[i].line, why);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_stripe_has_its_chunks),
		TEST(what_is_written_to_a_stripe_is_in_no_other),
		TEST(wrong_words_get_a_sentence),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("unstriped", tests, NULL, NULL);
}
