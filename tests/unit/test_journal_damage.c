/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A journal's file that was cut off or damaged gives the last whole state or a sentence: never a part of a transaction,
 * and what is refused is left as it is.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"
#include "support/journals.h"

#define STATES 8u

/* A journal's file, and the states that it had. */
struct history {
	uint8_t *bytes;
	size_t n;
	unsigned states;
	char text[STATES][JOURNALS_TEXT];
	size_t end[STATES];	/* of the file, when it had that state */
};

static void remember(struct history *h, struct journal *j, int fd)
{
	assert_in_range(h->states, 0, STATES - 1);
	journals_text(j, h->text[h->states]);
	free(h->bytes);
	h->bytes = journals_bytes(fd, &h->n);
	h->end[h->states++] = h->n;
}

/* Transactions of several keys, with values that replace others, and keys that go. */
static void write_history(struct history *h, struct journal *j, int fd)
{
	remember(h, j, fd);
	journals_put(j, "device/1", "first");
	journals_set(j, "table/1", "0 8 zero");
	remember(h, j, fd);
	journals_put(j, "device/1", "first with another table");
	journals_put(j, "device/2", "second");
	journals_set(j, "table/2", "0 8 error\n8 8 zero");
	remember(h, j, fd);
	journal_drop(j, "device/1");
	journal_drop(j, "table/1");
	journals_set(j, "empty", "");
	remember(h, j, fd);
}

static bool known(const struct history *h, const char *text)
{
	unsigned i;

	for (i = 0; i < h->states; i++)
		if (strcmp(h->text[i], text) == 0)
			return true;
	return false;
}

/* The state of FD, or its refusal, which changes nothing: then false. */
static bool state_of(int fd, const uint8_t *bytes, size_t n, char text[JOURNALS_TEXT])
{
	const struct journal_opts o = { .path = "the journal", .fd = fd };
	struct journal *j;
	struct err e = ERR_INIT;
	uint8_t *now;
	size_t left;
	int r;

	journals_fill(fd, bytes, n);
	r = journal_open(&j, &o, &e);
	if (!r) {
		journals_text(j, text);
		journal_close(j);
		return true;
	}
	assert_true(r == -EBADMSG || r == -EINVAL || r == -EPROTONOSUPPORT);
	assert_non_null(strstr(e.text, "the journal"));
	now = journals_bytes(fd, &left);
	assert_int_equal(left, n);
	assert_memory_equal(now, bytes, n);
	free(now);
	return false;
}

/* Cut at N bytes, it has the last state that it had at that length, or is refused if it was never that short. */
static void check_cut(const struct history *h, int fd, size_t n)
{
	char text[JOURNALS_TEXT];
	const char *want;
	unsigned i;

	if (!state_of(fd, h->bytes, n, text)) {
		if (n >= h->end[0])
			fail_msg("refused when cut at %zu", n);
		return;
	}
	for (i = h->states; i-- && h->end[i] > n;)
		;
	assert_true(i < h->states || !n);
	want = n ? h->text[i] : "";	/* an empty memfd is a new journal */
	if (strcmp(text, want) != 0)
		fail_msg("cut at %zu: '%s' instead of '%s'", n, text, want);
}

static void check_flip(const struct history *h, int fd, size_t at, uint8_t flip)
{
	char text[JOURNALS_TEXT];

	h->bytes[at] ^= flip;
	if (state_of(fd, h->bytes, h->n, text)) {
		if (!known(h, text))
			fail_msg("byte %zu changed by %u: '%s'", at, flip, text);
		if (strcmp(text, h->text[h->states - 1]) != 0 && at < h->end[h->states - 2])
			fail_msg("byte %zu changed by %u loses a later transaction: '%s'", at, flip, text);
	}
	h->bytes[at] ^= flip;
}

/* The next byte to damage: of long rows of zeroes between the parts of the file a few do. */
static size_t next_byte(const struct history *h, size_t i)
{
	static const uint8_t zeroes[8192];

	if (i + sizeof(zeroes) < h->n && memcmp(h->bytes + i, zeroes, sizeof(zeroes)) == 0)
		return i + 4099;
	return i + 256 < h->n && memcmp(h->bytes + i, zeroes, 128) == 0 ? i + 61 : i + 1;
}

static void check_all(struct history *h)
{
	int fd = journals_memory();
	size_t i;

	for (i = 0; i <= h->n; i = next_byte(h, i))
		check_cut(h, fd, i);
	for (i = 0; i < h->n; i = next_byte(h, i)) {
		check_flip(h, fd, i, (uint8_t)(1u << i % 8));
		check_flip(h, fd, i, 0xff);
	}
	close(fd);
	free(h->bytes);
}

/* Makes J begin a new log, by something large that goes again. */
static void begin_log(struct journal *j)
{
	static char large[300 << 10];

	memset(large, 'x', sizeof(large) - 1);
	journals_set(j, "kept", "in the new log");
	journals_set(j, "large", large);
	journal_drop(j, "large");
	journals_commit(j);
}

/* Where the current log begins is behind the hole that an earlier one has left, or at the first place. */
static bool log_is_behind(int fd)
{
	size_t n;
	uint8_t *bytes = journals_bytes(fd, &n);

	free(bytes);
	return n > 300 << 10;
}

/* All bytes, after LOGS new logs were begun. */
static void check_after(unsigned logs)
{
	static struct history h;
	int fd = journals_memory();
	struct journal *j = journals_open(NULL, fd);
	unsigned i;

	memset(&h, 0, sizeof(h));
	for (i = 0; i < logs; i++)
		begin_log(j);
	assert_int_equal(log_is_behind(fd), logs % 2);
	write_history(&h, j, fd);
	journal_close(j);
	close(fd);
	check_all(&h);
}

static uint32_t draw(uint64_t *seed, size_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((*seed >> 33) % below);
}

/* Bytes that are lost, that come from another place, that are zero, or that are anything. */
static void spoil(uint8_t *bytes, size_t *n, uint64_t *seed)
{
	size_t at = draw(seed, *n), len = 1 + draw(seed, draw(seed, 2) ? 64 : 4096), from = draw(seed, *n), i;

	if (len > *n - at)
		len = *n - at;
	if (len > *n - from)
		len = *n - from;
	switch (draw(seed, 4)) {
	case 0:
		*n = at + 1;
		break;
	case 1:
		memmove(bytes + at, bytes + from, len);
		break;
	case 2:
		memset(bytes + at, 0, len);
		break;
	default:
		for (i = 0; i < len; i++)
			bytes[at + i] = (uint8_t)draw(seed, 256);
	}
}

static void thousands_of_damaged_files(void **state)
{
	static struct history h;
	int fd = journals_memory(), spoiled = journals_memory();
	struct journal *j = journals_open(NULL, fd);
	char text[JOURNALS_TEXT];
	uint64_t seed = 1;
	uint8_t *bytes;
	unsigned i, k;
	size_t n;

	(void)state;
	write_history(&h, j, fd);
	journal_close(j);
	bytes = malloc(h.n);
	assert_non_null(bytes);
	for (i = 0; i < 5000; i++) {
		n = h.n;
		memcpy(bytes, h.bytes, n);
		for (k = draw(&seed, 4) + 1; k--;)
			spoil(bytes, &n, &seed);
		if (state_of(spoiled, bytes, n, text) && !known(&h, text))
			fail_msg("file %u: '%s'", i, text);
	}
	free(bytes);
	free(h.bytes);
	close(fd);
	close(spoiled);
}

static void every_byte_cut_or_changed(void **state)
{
	(void)state;
	check_after(0);
}

static void every_byte_of_a_log_that_lies_behind(void **state)
{
	(void)state;
	check_after(1);
}

static void every_byte_of_a_log_that_lies_in_front_again(void **state)
{
	(void)state;
	check_after(2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thousands_of_damaged_files),
		cmocka_unit_test(every_byte_cut_or_changed),
		cmocka_unit_test(every_byte_of_a_log_that_lies_behind),
		cmocka_unit_test(every_byte_of_a_log_that_lies_in_front_again),
	};

	log_set_level(LOG_LEVEL_ERROR);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("damage to a journal", tests, NULL, NULL);
}
