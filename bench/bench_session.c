/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Measures what system calls cost a program: run outside a session and in one, by bench/session.py. Prints "name value"
 * lines, medians of rounds.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 21
#define CALLS 20000		/* per round */
#define OPENS 500

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* No other process is waited for: CPU time, on which other programs of the machine have no effect. */
static double calls(const char *path)
{
	double began = now(CLOCK_THREAD_CPUTIME_ID);
	unsigned i;

	(void)path;
	for (i = 0; i < CALLS; i++)
		syscall(SYS_getppid);
	return (now(CLOCK_THREAD_CPUTIME_ID) - began) / CALLS;
}

static double opens(const char *path)
{
	double began = now(CLOCK_MONOTONIC);
	unsigned i;

	for (i = 0; i < OPENS; i++) {
		int fd = open(path, O_RDONLY);

		if (fd < 0 || close(fd)) {
			perror(path);
			exit(1);
		}
	}
	return (now(CLOCK_MONOTONIC) - began) / OPENS / 1e3;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double (*one)(const char *), const char *path)
{
	double v[ROUNDS];
	unsigned i;

	for (i = 0; i < ROUNDS; i++)
		v[i] = one(path);
	qsort(v, ROUNDS, sizeof(*v), by_value);
	return v[ROUNDS / 2];
}

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : argv[0];

	printf("syscall_ns %.1f\n", median(calls, path));
	printf("open_us %.2f\n", median(opens, path));
	return 0;
}
