/* SPDX-License-Identifier: BSD-2-Clause */
/* See journals.h. */
#include "support/journals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

struct lines {
	char *line[512];
	unsigned n;
};

struct journal *journals_open(const char *path, int fd)
{
	struct journal_opts o = { .path = path ? path : "the journal", .fd = path ? -1 : fd };
	struct journal *j = NULL;
	struct err e = ERR_INIT;

	if (journal_open(&j, &o, &e))
		fail_msg("%s", e.text);
	return j;
}

struct journal *journals_again(struct journal *j, const char *path)
{
	journal_close(j);
	return journals_open(path, -1);
}

void journals_put(struct journal *j, const char *key, const char *value)
{
	journal_put(j, key, value, strlen(value));
}

void journals_commit(struct journal *j)
{
	struct err e = ERR_INIT;

	if (journal_commit(j, &e))
		fail_msg("%s", e.text);
}

void journals_set(struct journal *j, const char *key, const char *value)
{
	journals_put(j, key, value);
	journals_commit(j);
}

static int line_add(void *arg, const char *key, const char *value, size_t len)
{
	struct lines *l = arg;

	assert_int_equal(strlen(value), len);
	assert_in_range(l->n, 0, 511);
	assert_true(asprintf(&l->line[l->n++], "%s=%s\n", key, value) > 0);
	return 0;
}

static int line_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

const char *journals_text(struct journal *j, char out[JOURNALS_TEXT])
{
	struct lines l = { .n = 0 };
	struct err e = ERR_INIT;
	size_t used = 0;
	unsigned i;

	if (journal_each(j, line_add, &l, &e))
		fail_msg("%s", e.text);
	qsort(l.line, l.n, sizeof(*l.line), line_compare);
	out[0] = '\0';
	for (i = 0; i < l.n; i++) {
		used += (size_t)snprintf(out + used, JOURNALS_TEXT - used, "%s", l.line[i]);
		assert_true(used < JOURNALS_TEXT);
		free(l.line[i]);
	}
	return out;
}

void journals_has(struct journal *j, const char *text)
{
	char now[JOURNALS_TEXT];

	assert_string_equal(journals_text(j, now), text);
}

uint8_t *journals_bytes(int fd, size_t *n)
{
	struct stat st;
	uint8_t *p;

	assert_int_equal(fstat(fd, &st), 0);
	*n = (size_t)st.st_size;
	p = malloc(*n + 1);
	assert_non_null(p);
	assert_int_equal(pread(fd, p, *n, 0), *n);
	return p;
}

void journals_fill(int fd, const uint8_t *bytes, size_t n)
{
	static const uint8_t zeroes[4096];
	size_t at, len;

	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(ftruncate(fd, (off_t)n), 0);
	for (at = 0; at < n; at += len) {
		len = n - at < sizeof(zeroes) ? n - at : sizeof(zeroes);
		if (memcmp(bytes + at, zeroes, len) != 0)
			assert_int_equal(pwrite(fd, bytes + at, len, (off_t)at), len);
	}
}

int journals_memory(void)
{
	int fd = memfd_create("journal", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}
