/* SPDX-License-Identifier: BSD-2-Clause */
/* A journal: what was committed is there for the next one who opens it, and nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/crc32c.h"
#include "support/journals.h"
#include "support/place.h"

static void path_of(char path[PLACE_PATH])
{
	place_path(path, "state");
}

static void reopened(struct journal **j, const char *path, const char *text)
{
	journal_close(*j);
	*j = journals_open(path, -1);
	journals_has(*j, text);
}

static void transactions_are_there_when_it_is_opened_again(void **state)
{
	char path[PLACE_PATH];
	struct journal *j;
	struct stat st;
	size_t len;

	(void)state;
	path_of(path);
	j = journals_open(path, -1);
	journals_has(j, "");
	journals_put(j, "a", "1");
	journals_set(j, "b", "2");
	reopened(&j, path, "a=1\nb=2\n");
	journals_put(j, "a", "3");
	journal_drop(j, "b");
	journals_set(j, "c", "");
	reopened(&j, path, "a=3\nc=\n");
	assert_string_equal(journal_get(j, "a", &len), "3");
	assert_int_equal(len, 1);
	assert_null(journal_get(j, "b", &len));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	journal_remove(j);
	assert_int_equal(access(path, F_OK), -1);
}

static void what_was_not_committed_is_not_there(void **state)
{
	char path[PLACE_PATH];
	struct journal *j;

	(void)state;
	path_of(path);
	j = journals_open(path, -1);
	journals_set(j, "a", "1");
	journals_put(j, "a", "2");
	journals_put(j, "b", "2");
	journals_has(j, "a=1\n");
	journal_forget(j);
	journals_commit(j);
	journals_set(j, "c", "3");
	journals_has(j, "a=1\nc=3\n");
	journals_put(j, "d", "4");
	reopened(&j, path, "a=1\nc=3\n");
	journal_remove(j);
}

/* Of several changes of a key in one transaction the last one counts. */
static void last_change_of_a_key_counts(void **state)
{
	char path[PLACE_PATH];
	struct journal *j;

	(void)state;
	path_of(path);
	j = journals_open(path, -1);
	journals_put(j, "a", "1");
	journals_put(j, "a", "2");
	journals_put(j, "b", "1");
	journal_drop(j, "b");
	journal_drop(j, "c");
	journals_set(j, "c", "3");
	journals_has(j, "a=2\nc=3\n");
	reopened(&j, path, "a=2\nc=3\n");
	journal_remove(j);
}

static void checksum_is_the_known_one(void **state)
{
	static const char text[] = "123456789";
	uint8_t many[1000];
	size_t i;

	(void)state;
	assert_int_equal(crc32c(0, text, 9), 0xe3069283);
	assert_int_equal(crc32c_slowly(0, text, 9), 0xe3069283);
	for (i = 0; i < sizeof(many); i++) {
		many[i] = (uint8_t)(i * 7);
		assert_int_equal(crc32c(0, many, i), crc32c_slowly(0, many, i));
	}
	assert_int_equal(crc32c(crc32c(0, text, 4), text + 4, 5), 0xe3069283);
}

static int begin(void **state)
{
	(void)state;
	place_begin();
	return 0;
}

static int end(void **state)
{
	(void)state;
	place_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transactions_are_there_when_it_is_opened_again),
		cmocka_unit_test(what_was_not_committed_is_not_there),
		cmocka_unit_test(last_change_of_a_key_counts),
		cmocka_unit_test(checksum_is_the_known_one),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("journal", tests, begin, end);
}
