/* SPDX-License-Identifier: BSD-2-Clause */
/* Log lines: see log.h. Each is one write(2), so that lines of two threads never mix. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "base/utf8.h"

#define LOG_LINE 1136	/* bytes of a message */
#define LOG_SOCKET "/run/systemd/journal/socket"
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

/* Programs inherit the variable from a service, a terminal's from the user's session: sd_journal_print(3) says how to tell. */
static bool log_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat st;

	return stream && sscanf(stream, "%ju:%ju", &device, &inode) == 2 && !fstat(STDERR_FILENO, &st) && st.st_dev == device &&
	       st.st_ino == inode;
}

static int log_head(char *line, size_t room, enum log_level level)
{
	time_t now = time(NULL);
	struct tm t;

	if (log_is_journal())
		return snprintf(line, room, "<%d>", (int)level);
	if (!atomic_load(&log_timed) || !localtime_r(&now, &t))
		return snprintf(line, room, "dmuse: ");
	return (int)strftime(line, room, "%Y-%m-%d %H:%M:%S%z dmuse: ", &t);
}

/* Says nothing if nobody reads it any more. */
static void log_write(enum log_level level, const char *text)
{
	char line[LOG_LINE + 64];
	int n = log_head(line, sizeof(line), level);

	n += snprintf(line + n, sizeof(line) - (size_t)n, "%s\n", text);
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}

static bool log_text(char text[LOG_LINE], enum log_level level, const char *fmt, va_list ap)
{
	if ((int)level > atomic_load(&log_most))
		return false;
	vsnprintf(text, LOG_LINE, fmt, ap);
	utf8_one_line(text, LOG_LINE);	/* a file's name must not start a new line */
	return true;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char text[LOG_LINE];
	va_list ap;

	va_start(ap, fmt);
	if (log_text(text, level, fmt, ap))
		log_write(level, text);
	va_end(ap);
}

/* Where the journal's socket cannot be seen, sd_journal_send() says nothing and succeeds. */
static bool log_send(const char *device, enum log_level level, const char *text)
{
	return log_is_journal() && !access(LOG_SOCKET, F_OK) &&
	       !sd_journal_send("MESSAGE=%s", text, "PRIORITY=%d", (int)level, "DM_NAME=%s", device, "SYSLOG_IDENTIFIER=dmuse", NULL);
}

void log_line_of(const char *device, enum log_level level, const char *fmt, ...)
{
	char text[LOG_LINE];
	va_list ap;

	va_start(ap, fmt);
	if (log_text(text, level, fmt, ap) && !log_send(device, level, text))
		log_write(level, text);
	va_end(ap);
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
