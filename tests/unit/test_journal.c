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
#include "base/journal_format.h"
#include "support/journals.h"
#include "support/place.h"

static void path_of(char path[PLACE_PATH])
{
	place_path(path, "state");
}

static void reopened(struct journal **j, const char *path, const char *text)
{
	*j = journals_again(*j, path);
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
	assert_string_equal(journal_get(j, "a", NULL), "3");
	assert_null(journal_get(j, "b", &len));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	journal_remove(j);
	assert_int_equal(access(path, F_OK), -1);
}

static void write_twice(const void *arg, struct text *out)
{
	text_printf(out, "%s%s", (const char *)arg, (const char *)arg);
}

static void write_in_vain(const void *arg, struct text *out)
{
	text_add(out, arg);
	out->failed = true;
}

static void a_value_may_be_written_in_its_place(void **state)
{
	struct err e = ERR_INIT;
	char path[PLACE_PATH];
	struct journal *j;

	(void)state;
	path_of(path);
	j = journals_open(path, -1);
	journals_put(j, "a", "1");
	journal_put_by(j, "b", write_twice, "23");
	journal_put_by(j, "c", write_twice, "");
	journals_set(j, "d", "4");
	reopened(&j, path, "a=1\nb=2323\nc=\nd=4\n");
	journal_put_by(j, "a", write_in_vain, "5");
	journal_put(j, "b", "6", 1);
	assert_int_equal(journal_commit(j, &e), -ENOMEM);
	journals_set(j, "d", "7");
	reopened(&j, path, "a=1\nb=2323\nc=\nd=7\n");
	journal_remove(j);
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

struct pairs {
	unsigned n;
	uint64_t sum;
};

static int add_up(void *arg, const char *key, const char *value, size_t len)
{
	struct pairs *p = arg;

	assert_int_equal(strlen(value), len);
	assert_string_equal(strchr(key, '/') + 1, value);
	p->sum += (uint64_t)atol(value);
	p->n++;
	return 0;
}

/* As for ten thousand devices and more: committed one by one, half of them gone again, through new logs. */
static void hundred_thousand_keys(void **state)
{
	char path[PLACE_PATH], key[32];
	struct pairs p = { 0 };
	struct journal *j;
	struct err e;
	unsigned i;

	(void)state;
	path_of(path);
	j = journals_open(path, -1);
	for (i = 0; i < 100000; i++) {
		snprintf(key, sizeof(key), "key/%u", i);
		journal_put(j, key, key + 4, strlen(key + 4));
		assert_int_equal(journal_commit(j, &e), 0);
	}
	for (i = 0; i < 100000; i += 2) {
		snprintf(key, sizeof(key), "key/%u", i);
		journal_drop(j, key);
		assert_int_equal(journal_commit(j, &e), 0);
	}
	journal_close(j);
	j = journals_open(path, -1);
	assert_int_equal(journal_each(j, add_up, &p, &e), 0);
	assert_int_equal(p.n, 50000);
	assert_int_equal(p.sum, 50000ull * 50000);
	journal_remove(j);
}

/* A transaction of 20 MB, as of a table with many lines. */
static void large_value(void **state)
{
	const size_t n = 20 << 20;
	char path[PLACE_PATH], *value = malloc(n + 1);
	struct journal *j;
	const char *got;
	size_t len;

	(void)state;
	assert_non_null(value);
	memset(value, 'v', n);
	value[n] = '\0';
	path_of(path);
	j = journals_open(path, -1);
	journals_set(j, "large", value);
	journals_set(j, "small", "1");
	journal_close(j);
	j = journals_open(path, -1);
	got = journal_get(j, "large", &len);
	assert_int_equal(len, n);
	assert_string_equal(got, value);
	journal_remove(j);
	free(value);
}

static unsigned records_of(const uint8_t *frame, const struct journal_head *h)
{
	struct journal_record r;
	unsigned n = 0;
	size_t at = 0;

	while (at < h->len) {
		assert_true(journal_record_get(frame + JOURNAL_HEAD_SIZE, h->len, &at, &r));
		n++;
	}
	return n;
}

/* The whole state of the current log. */
static void check_state(const uint8_t *bytes)
{
	struct journal_slot a, b, *s;
	struct journal_head h;
	uint64_t at;

	s = journal_slot_get(bytes + JOURNAL_BLOCK, &a) ? &a : &b;
	assert_true(s == &a || journal_slot_get(bytes + 2 * JOURNAL_BLOCK, &b));
	assert_true(s->whole > 0);
	for (at = s->start; at < s->start + s->whole; at += journal_frame_size(h.len)) {
		assert_true(journal_head_get(bytes + at, &h));
		assert_true(h.len <= 1 << 20 || records_of(bytes + at, &h) == 1);
	}
}

/* The longest value is as long as the longest frame that can be read: nothing else has room in its frame of the state. */
static void long_values_have_their_frames(void **state)
{
	static char value[700 << 10];
	int fd = journals_memory();
	struct journal *j = journals_open(NULL, fd);
	char key[16];
	uint8_t *bytes;
	unsigned i;
	size_t n;

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	for (i = 0; i < 14; i++) {
		snprintf(key, sizeof(key), "key/%u", i % 4);
		journals_set(j, key, value);
	}
	bytes = journals_bytes(fd, &n);
	check_state(bytes);
	free(bytes);
	journal_close(j);
	close(fd);
}

/* What could not be read again is refused, and does not spoil what follows. */
static void longest_key(void **state)
{
	char path[PLACE_PATH], key[JOURNAL_KEY_MOST + 2];
	struct err e = ERR_INIT;
	struct journal *j;

	(void)state;
	memset(key, 'k', sizeof(key));
	key[JOURNAL_KEY_MOST + 1] = '\0';
	path_of(path);
	j = journals_open(path, -1);
	journal_put(j, key, "1", 1);
	journal_put(j, "with it", "1", 1);
	assert_int_equal(journal_commit(j, &e), -ENAMETOOLONG);
	journal_forget(j);
	key[JOURNAL_KEY_MOST] = '\0';
	journals_set(j, key, "long");
	journals_set(j, "small", "1");
	journal_close(j);
	j = journals_open(path, -1);
	assert_string_equal(journal_get(j, key, NULL), "long");
	assert_string_equal(journal_get(j, "small", NULL), "1");
	assert_null(journal_get(j, "with it", NULL));
	journal_remove(j);
}

/* In another process. Returns what opening said. */
static int open_elsewhere(const char *path, bool read_only, char said[ERR_TEXT])
{
	const struct journal_opts o = { .path = path, .fd = -1, .read_only = read_only };
	struct err e = ERR_INIT;
	struct journal *j;
	int fds[2], status;

	assert_int_equal(pipe(fds), 0);
	if (!fork()) {
		status = -journal_open(&j, &o, &e);
		_exit(write(fds[1], e.text, ERR_TEXT) == ERR_TEXT ? status : 255);
	}
	assert_int_equal(read(fds[0], said, ERR_TEXT), ERR_TEXT);
	assert_true(wait(&status) > 0);
	close(fds[0]);
	close(fds[1]);
	return -WEXITSTATUS(status);
}

static void second_process_is_refused(void **state)
{
	char path[PLACE_PATH], said[ERR_TEXT], pid[32];
	struct journal *j;

	(void)state;
	path_of(path);
	j = journals_open(path, -1);
	journals_set(j, "a", "1");
	assert_int_equal(open_elsewhere(path, false, said), -EBUSY);
	snprintf(pid, sizeof(pid), "(pid %d)", (int)getpid());
	assert_non_null(strstr(said, pid));
	assert_int_equal(open_elsewhere(path, true, said), 0);
	journals_set(j, "b", "2");
	journal_close(j);
	assert_int_equal(open_elsewhere(path, false, said), 0);
	j = journals_open(path, -1);
	journals_has(j, "a=1\nb=2\n");
	journal_remove(j);
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
		cmocka_unit_test(a_value_may_be_written_in_its_place),
		cmocka_unit_test(what_was_not_committed_is_not_there),
		cmocka_unit_test(last_change_of_a_key_counts),
		cmocka_unit_test(checksum_is_the_known_one),
		cmocka_unit_test(hundred_thousand_keys),
		cmocka_unit_test(large_value),
		cmocka_unit_test(long_values_have_their_frames),
		cmocka_unit_test(longest_key),
		cmocka_unit_test(second_process_is_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("journal", tests, begin, end);
}
