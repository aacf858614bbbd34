/* SPDX-License-Identifier: BSD-2-Clause */
/* Log lines: see log.h. Each is one write(2), so that lines of two threads never mix. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static _Atomic int log_most = LOG_LEVEL_INFO;

void log_set_level(enum log_level most)
{
	atomic_store(&log_most, (int)most);
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char line[1200];
	va_list ap;
	int n = 0;

	if ((int)level > atomic_load(&log_most))
		return;
	n = getenv("JOURNAL_STREAM") ? snprintf(line, sizeof(line), "<%d>", (int)level)
				     : snprintf(line, sizeof(line), "dmuse: ");
	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 2)
		n = (int)sizeof(line) - 2;
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return;		/* nobody is left to read it */
}
