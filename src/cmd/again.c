/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reports that repeat: see again.h. They follow a timer, so that a report that takes long does not delay the next ones.
 */
#include "cmd/again.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "cmd/report.h"

struct again {
	uint64_t count;		/* 0: until it is interrupted */
	double seconds;
};

static int again_options(struct job *j, struct again *a)
{
	const char *s = j->o.value[OPT_interval];
	struct err e = ERR_INIT;
	char *end;

	*a = (struct again){ .count = !j->o.given[OPT_interval], .seconds = 1 };
	if (options_number(&j->o, OPT_count, UINT32_MAX, &a->count, &e))
		return job_usage(j, "%s", e.text);
	if (!s)
		return EXIT_OK;
	a->seconds = strtod(s, &end);
	if (end == s || *end || !(a->seconds >= 0.001 && a->seconds <= 1e6))
		return job_usage(j, "--interval %s: not a number of seconds from 0.001 to 1000000", s);
	return EXIT_OK;
}

static int again_timer(double seconds)
{
	struct timespec t = { .tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9) };
	struct itimerspec when = { .it_interval = t, .it_value = t };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (fd >= 0 && timerfd_settime(fd, 0, &when, NULL)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int again_loop(struct job *j, const struct again *a, int fd, int (*once)(struct job *j))
{
	int code = once(j);
	uint64_t i, ticks;

	for (i = 1; !code && (!a->count || i < a->count); i++) {
		fflush(stdout);
		while (read(fd, &ticks, sizeof(ticks)) < 0 && errno == EINTR)
			;
		if (!j->o.given[OPT_json])
			printf("\n");
		code = fflush(stdout) ? EXIT_FAILED : once(j);
	}
	return code;
}

int again_run(struct job *j, int (*once)(struct job *j))
{
	struct err e = ERR_INIT;
	struct again a;
	int code = again_options(j, &a), fd;

	if (code || a.count == 1 || report_asks_help(j))
		return code ? code : once(j);
	fd = again_timer(a.seconds);
	if (fd < 0) {
		err_set(&e, -errno, "no timer: %s", strerror(errno));
		return job_failed(j, NULL, &e);
	}
	code = again_loop(j, &a, fd, once);
	close(fd);
	return code;
}

double again_seconds(const struct job *j)
{
	return j->o.given[OPT_interval] ? strtod(j->o.value[OPT_interval], NULL) : 1;
}
