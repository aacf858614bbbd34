/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a journal costs in directory DIR: transactions a second, of records as those of a device; the same when each
 * waits for the disk, and when 32 do at a time; the time to open one with 100,000 keys.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/journal.h"

#define RECORD 300u	/* bytes: a device with its table */
#define DEVICES 1000u
#define MANY 100000u
#define AT_A_TIME 32u

static double seconds = 1;

struct waiter {
	struct journal_wait w;
	struct loop *loop;
	struct journal *journal;
	unsigned *done;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct journal *open_at(const char *directory, bool durable, struct loop *l)
{
	char path[4096];
	struct journal_opts o = { .path = path, .fd = -1, .durable = durable, .loop = l };
	struct journal *j;
	struct err e;

	snprintf(path, sizeof(path), "%s/bench-journal", directory);
	if (journal_open(&j, &o, &e))
		errx(1, "%s", e.text);
	return j;
}

static void put(struct journal *j, unsigned i)
{
	static char value[RECORD + 1];
	char key[32];

	if (!*value)
		memset(value, 'v', RECORD);
	snprintf(key, sizeof(key), "device/%u", i);
	journal_put(j, key, value, RECORD);
}

static void commit(struct journal *j)
{
	struct err e;

	if (journal_commit(j, &e))
		errx(1, "%s", e.text);
}

static void written(const char *directory)
{
	struct journal *j = open_at(directory, false, NULL);
	double start = now();
	unsigned n;

	for (n = 0; now() - start < seconds; n++) {
		put(j, n % DEVICES);
		commit(j);
	}
	printf("commits_s %.0f\n", n / (now() - start));
	journal_remove(j);
}

static void again(struct loop_msg *msg)
{
	struct waiter *w = container(msg, struct waiter, w.msg);

	if (w->w.code)
		errx(1, "the disk failed");
	put(w->journal, *w->done % DEVICES);
	commit(w->journal);
	++*w->done;
	journal_sync(w->journal, &w->w);
}

static void durable(const char *directory, const char *name, unsigned at_a_time)
{
	struct waiter w[AT_A_TIME];
	struct journal *j;
	struct loop *l;
	unsigned done = 0, i;
	double start;
	struct err e;

	if (loop_new(&l, &e))
		errx(1, "%s", e.text);
	j = open_at(directory, true, l);
	start = now();
	for (i = 0; i < at_a_time; i++) {
		w[i] = (struct waiter){ .w.msg.run = again, .loop = l, .journal = j, .done = &done };
		again(&w[i].w.msg);
	}
	done = 0;
	while (now() - start < seconds)
		loop_turn(l, 100);
	printf("%s %.0f\n", name, done / (now() - start));
	journal_remove(j);
	loop_free(l);
}

static void opened(const char *directory)
{
	struct journal *j = open_at(directory, false, NULL);
	double start;
	unsigned i;

	for (i = 0; i < MANY; i++) {
		put(j, i);
		commit(j);
	}
	journal_close(j);
	start = now();
	j = open_at(directory, false, NULL);
	printf("open_100000_ms %.1f\n", (now() - start) * 1e3);
	journal_remove(j);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		errx(2, "usage: bench_journal DIR [SECONDS]");
	if (argc > 2)
		seconds = atof(argv[2]);
	written(argv[1]);
	durable(argv[1], "durable_s", 1);
	durable(argv[1], "durable_32_s", AT_A_TIME);
	opened(argv[1]);
	return 0;
}
