/* SPDX-License-Identifier: BSD-2-Clause */
/* Log lines: see log.h. Each is one write(2), so that lines of two threads never mix. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/utf8.h"

#define LOG_RATE UINT64_C(10000000000)	/* nanoseconds */

static _Atomic int log_most = LOG_LEVEL_INFO;
static atomic_bool log_timed;

void log_set_level(enum log_level most)
{
	atomic_store(&log_most, (int)most);
}

void log_with_time(void)
{
	atomic_store(&log_timed, true);
}

static int log_head(char *line, size_t room, enum log_level level)
{
	time_t now = time(NULL);
	struct tm t;

	if (getenv("JOURNAL_STREAM"))
		return snprintf(line, room, "<%d>", (int)level);
	if (!atomic_load(&log_timed) || !localtime_r(&now, &t))
		return snprintf(line, room, "dmuse: ");
	return (int)strftime(line, room, "%Y-%m-%d %H:%M:%S%z dmuse: ", &t);
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char line[1200];
	va_list ap;
	int n = 0;

	if ((int)level > atomic_load(&log_most))
		return;
	n = log_head(line, sizeof(line), level);
	va_start(ap, fmt);
	vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
	va_end(ap);
	utf8_one_line(line + n, sizeof(line) - (size_t)n - 1);	/* a file's name must not start a new line */
	n = (int)strlen(line);
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return;		/* nobody reads it any more */
}

bool log_rate(struct log_rate *r, uint64_t now, unsigned *held)
{
	if (now < r->next) {
		r->held++;
		return false;
	}
	r->next = now + LOG_RATE;
	*held = r->held;
	r->held = 0;
	return true;
}
