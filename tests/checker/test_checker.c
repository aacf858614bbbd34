/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model checker of I/O: clients write sectors that say what they are, and check what they read, while the tables below them
 * are swapped, suspended, moved to other disks, renamed, and fail. Each life of a world follows a plan (plan.h) that is made from a
 * number, and has a process of its own. A plan that finds something is made smaller as long as it still does, and is printed.
 *
 *   CHECKER_SHRINK=0  a plan is printed as it is
 *   CHECKER_SECONDS   how long (otherwise a minute of processor time)       CHECKER_SEED   the first life's
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"
#include "checker/found.h"
#include "checker/life.h"
#include "stack/types.h"

#define LIFE_SECONDS 120u	/* then it hangs */
#define TRIES 4u		/* of a smaller plan: threads do not always meet in the same way */

/* What a life's process tells. */
static struct told {
	struct sums sums;
	bool whole;
	char what[512];
} *told;

static const char *kind_name(unsigned kind)
{
	return kinds[kind % n_kinds].type->name;
}

static void dies(int sig)
{
	files_drop();
	signal(sig, SIG_DFL);
	raise(sig);
}

static void child(const struct plan *p)
{
	static const int deadly[] = { SIGALRM, SIGSEGV, SIGBUS, SIGABRT, SIGTERM };
	static struct life life;
	size_t i;

	for (i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		signal(deadly[i], dies);
	alarm(LIFE_SECONDS);
	found_into(told->what, sizeof(told->what));
	life_run(&life, p);
	told->sums = life.sums;
	told->whole = true;
	exit(found_what() != NULL);
}

/* Does it find something? Then told->what says what. */
static bool finds(const struct plan *p)
{
	pid_t pid;
	int status;

	fflush(NULL);
	memset(told, 0, sizeof(*told));
	pid = fork();
	if (!pid)
		child(p);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!told->what[0] && status)
		snprintf(told->what, sizeof(told->what), "the process ended with status 0x%x", status);
	return status || !told->whole;
}

static bool finds_again(const struct plan *p)
{
	unsigned i;

	for (i = 0; i < TRIES; i++)
		if (finds(p))
			return true;
	return false;
}

static time_t shrink_until;

static bool shrink_steps(struct plan *p, unsigned n)
{
	struct plan smaller;
	unsigned at;

	for (at = 0; at + n <= p->n_steps && time(NULL) < shrink_until; at += n)
		if (plan_without_steps(p, at, n, &smaller) && finds_again(&smaller)) {
			*p = smaller;
			return true;
		}
	return false;
}

static bool shrink_once(struct plan *p)
{
	struct plan smaller;
	unsigned i;

	for (i = 0; i < PLAN_PARTS && time(NULL) < shrink_until; i++)
		if (plan_without(p, i, &smaller) && finds_again(&smaller)) {
			*p = smaller;
			return true;
		}
	return false;
}

static void shrink(struct plan *p)
{
	unsigned n;

	shrink_until = time(NULL) + 60;
	for (n = STEPS / 2; n > 1; n /= 2)
		while (shrink_steps(p, n))
			;
	while (shrink_once(p))
		;
}

static unsigned long long number(const char *name, unsigned long long otherwise)
{
	const char *s = getenv(name);

	return s && *s ? strtoull(s, NULL, 10) : otherwise;
}

static void report(struct plan *p)
{
	char first[sizeof(told->what)];

	memcpy(first, told->what, sizeof(first));
	fprintf(stderr, "# found: %s\n#   with\n", first);
	plan_print(p, kind_name);
	fflush(stderr);
	if (number("CHECKER_SHRINK", 1))
		shrink(p);
	if (!finds_again(p))
		snprintf(told->what, sizeof(told->what), "(not again in %u tries) %s", TRIES, first);
	fprintf(stderr, "# made smaller: %s\n#   with\n", told->what);
	plan_print(p, kind_name);
}

static void sum(struct sums *to, const struct sums *s)
{
	const uint64_t *from = (const void *)s;
	uint64_t *all = (void *)to;
	size_t i;

	for (i = 0; i < sizeof(*s) / sizeof(*all); i++)
		all[i] += from[i];
}

static double processor_seconds(void)
{
	struct rusage own, children;

	getrusage(RUSAGE_SELF, &own);
	getrusage(RUSAGE_CHILDREN, &children);
	return (double)(own.ru_utime.tv_sec + own.ru_stime.tv_sec + children.ru_utime.tv_sec + children.ru_stime.tv_sec) +
	       (double)(own.ru_utime.tv_usec + own.ru_stime.tv_usec + children.ru_utime.tv_usec + children.ru_stime.tv_usec) / 1e6;
}

static void print_sums(const struct sums *s)
{
	unsigned i;

	fprintf(stderr, "# %" PRIu64 " lives: %" PRIu64 " requests, %" PRIu64 " of them over NBD, %" PRIu64 " on files, %" PRIu64
		" failed; %" PRIu64 " swaps, %" PRIu64 " suspends, %" PRIu64 " faults, %" PRIu64 " lines loaded again and %" PRIu64
		" made anew after them, %" PRIu64 " refusals, %" PRIu64 " sectors examined besides; %" PRIu64 " mismatches\n", s->lives,
		s->requests, s->nbd, s->files, s->failed, s->swaps, s->suspends, s->faults, s->mended, s->invalid, s->refused, s->looks,
		s->mismatches);
	fprintf(stderr, "# kinds of lines:");
	for (i = 0; i < n_kinds; i++)
		fprintf(stderr, " %s %" PRIu64, kind_name(i), s->kinds[i]);
	fprintf(stderr, "\n");
}

static bool check_all(void)
{
	unsigned long long seconds = number("CHECKER_SECONDS", 0), seed = number("CHECKER_SEED", (unsigned long long)time(NULL) % 1000000);
	double processor_until = processor_seconds() + 60;
	time_t until = time(NULL) + (time_t)seconds;
	struct sums all = { 0 };
	struct plan p;

	fprintf(stderr, "# the first seed is %llu\n", seed);
	for (; (seconds ? time(NULL) < until : processor_seconds() < processor_until) && !all.mismatches; seed++) {
		plan_make(&p, seed, n_kinds);
		all.mismatches += finds(&p);
		if (!all.mismatches)
			sum(&all, &told->sums);
	}
	print_sums(&all);
	if (all.mismatches)
		report(&p);
	return !all.mismatches && all.swaps && all.requests;
}

int main(void)
{
	bool good;

	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (told == MAP_FAILED)
		return 1;
	log_set_level(getenv("CHECKER_LOG") ? LOG_LEVEL_DEBUG : 0);
	fixture_add_type(&holds_type);
	fixture_add_type(&backs_type);
	fixture_add_type(&bites_type);
	kinds_find();
	printf("1..1\n");
	good = check_all();
	printf("%sok 1 - clients_read_what_the_model_says_whatever_happens\n", good ? "" : "not ");
	return !good;
}
