/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages on stderr: see say.h. */
#include "cmd/say.h"

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"

#define SAY_MAX 8192	/* bytes of a message: enough for two paths */

static bool say_coloured(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDERR_FILENO) && !(no && *no) && !(term && !strcmp(term, "dumb"));
}

static void say_line(const char *colour, const char *head, const char *fmt, va_list ap)
{
	bool coloured = *colour && say_coloured();
	char line[SAY_MAX];		/* on the stack: allocation may be what failed */

	fflush(stdout);
	vsnprintf(line, sizeof(line), fmt, ap);
	utf8_one_line(line, sizeof(line));
	fprintf(stderr, "%s%s%s%s\n", coloured ? colour : "", head, coloured ? "\033[0m" : "", line);
}

void say_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_line("\033[1;31m", "dmuse: ", fmt, ap);
	va_end(ap);
}

void say_warning(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_line("\033[1;33m", "warning: ", fmt, ap);
	va_end(ap);
}

void say_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_line("", "dmuse: ", fmt, ap);
	va_end(ap);
}

static bool say_done;

void say_carried_out(void)
{
	say_done = true;
}

void *say_need(void *p)
{
	if (p)
		return p;
	say_error("no memory%s", say_done ? " for the answer; the daemon has carried the command out" : "");
	exit(1);
}

const char *say_text(const struct text *t)
{
	if (t->failed)
		say_need(NULL);
	return text_str(t);
}

static void say_waiting(int signal)
{
	static const char line[] = "dmuse: waiting for the daemon; ^C cancels\n";

	(void)signal;
	if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
		return;		/* nothing else can be done */
}

void say_progress_begin(void)
{
	struct sigaction a = { .sa_handler = say_waiting, .sa_flags = SA_RESTART | SA_RESETHAND };

	if (!isatty(STDERR_FILENO))
		return;
	sigaction(SIGALRM, &a, NULL);
	alarm(1);
}

void say_progress_end(void)
{
	if (!isatty(STDERR_FILENO))
		return;
	alarm(0);
	signal(SIGALRM, SIG_DFL);
}
