/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For dmuse crash, on the file system on which it runs: the daemon's journal loses nothing that it has called durable.
 *
 *	journal_writer run N	makes N transactions, of which some wait for the disk together; says by a mark how many are
 *				durable
 *	journal_writer check	after a power cut: at least those of the last mark are there, each of them whole
 *
 * Every transaction sets some keys to its number, with values so long that new logs are begun.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/journal.h"

#define KEYS 4u
#define LONGEST 24000u
#define TOGETHER 4u	/* at most so many transactions share a wait */

struct waiter {
	struct journal_wait w;
	bool told;
};

static void told(struct loop_msg *msg)
{
	container(msg, struct waiter, w.msg)->told = true;
}

static struct journal *open_state(bool durable, struct loop *l)
{
	const struct journal_opts o = { .path = "state", .fd = -1, .durable = durable, .loop = l };
	struct journal *j;
	struct err e;

	if (journal_open(&j, &o, &e))
		errx(1, "%s", e.text);
	return j;
}

static void transaction(struct journal *j, unsigned number)
{
	static char value[LONGEST + 1];
	char key[16];
	struct err e;
	unsigned i;

	memset(value, '.', LONGEST);
	value[snprintf(value, 16, "%u", number)] = '.';
	for (i = 0; i < KEYS; i++) {
		snprintf(key, sizeof(key), "key/%u", i);
		journal_put(j, key, value, 16 + number * 7919 % (LONGEST - 16));
	}
	if (journal_commit(j, &e))
		errx(1, "%s", e.text);
}

static void mark(unsigned number)
{
	char line[64];
	int status;

	snprintf(line, sizeof(line), "exec \"$DMUSE\" mark %u", number);
	status = system(line);
	if (status)
		errx(1, "%s failed", line);
}

static void wait_for_disk(struct journal *j, struct loop *l)
{
	struct waiter w = { .w.msg.run = told };

	if (!journal_sync(j, &w.w))
		errx(1, "the journal is not durable");
	while (!w.told)
		loop_turn(l, -1);
	if (w.w.code)
		errx(1, "the disk failed: %s", strerror(-w.w.code));
}

/* The wait is over before others of the same round are known: what comes after it is not promised. */
static void run(unsigned n)
{
	struct journal *j;
	struct loop *l;
	struct err e;
	unsigned i;

	if (loop_new(&l, &e))
		errx(1, "%s", e.text);
	j = open_state(true, l);
	for (i = 1; i <= n; i++) {
		transaction(j, i);
		if (i % (1 + i / 8 % TOGETHER))
			continue;
		wait_for_disk(j, l);
		mark(i);
	}
	_exit(0);	/* as if it were killed */
}

static unsigned last_mark(void)
{
	const char *path = getenv("DMUSE_MARKS");
	FILE *f = path ? fopen(path, "r") : NULL;
	unsigned last = 0, number;

	if (!f)
		errx(1, "there is no file of marks");
	while (fscanf(f, "%u", &number) == 1)
		last = number;
	fclose(f);
	return last;
}

static unsigned number_of(struct journal *j, unsigned i)
{
	const char *value;
	char key[16];
	size_t len;

	snprintf(key, sizeof(key), "key/%u", i);
	value = journal_get(j, key, &len);
	if (value && len != 16 + (unsigned)atoi(value) * 7919u % (LONGEST - 16))
		errx(1, "key %u has %zu bytes", i, len);
	return value ? (unsigned)atoi(value) : 0;
}

static void check(void)
{
	unsigned promised = last_mark(), number, i;
	struct journal *j;

	if (!promised && access("state", F_OK))
		return;
	j = open_state(false, NULL);
	number = number_of(j, 0);
	for (i = 1; i < KEYS; i++)
		if (number_of(j, i) != number)
			errx(1, "transaction %u is not whole: key %u is of %u", number, i, number_of(j, i));
	if (number < promised)
		errx(1, "transaction %u was durable, and the last one is %u", promised, number);
	journal_close(j);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "run"))
		run((unsigned)atoi(argv[2]));
	else if (argc == 2 && !strcmp(argv[1], "check"))
		check();
	else
		errx(2, "usage: journal_writer run N | check");
	return 0;
}
