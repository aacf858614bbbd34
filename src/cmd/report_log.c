/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libdevmapper's messages: see report_log.h. Its first error is the reason, and one of them has the rest of the
 * selection.
 */
#include "cmd/report_log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cmd/engine.h"
#include "cmd/say.h"

#define LOG_LEVEL 7	/* mask of the level */
#define LOG_ERR 3
#define LOG_WARN 4	/* help and the report itself have this level */

static struct text printed, reason, rest, unknown;
static bool held;	/* output is held back */

/* The text between the quotes after AT in a message. */
static bool log_quoted(struct text *out, const char *complaint, const char *at)
{
	const char *from = strstr(complaint, at), *end = strrchr(complaint, '\'');

	if (!from || !end || end < from + strlen(at))
		return false;
	text_clear(out);
	from += strlen(at);
	text_add_n(out, from, (size_t)(end - from));
	return true;
}

static void log_complaint(const char *line)
{
	const char *unrecognised = "Unrecognised ", *prefix = "dm_report: ", *colon;

	line += strncmp(line, prefix, strlen(prefix)) ? 0 : strlen(prefix);
	colon = strrchr(line, ':');
	if (log_quoted(&rest, line, " at '") && strstr(line, "Selection syntax error"))
		return;
	if (!strncmp(line, unrecognised, strlen(unrecognised)) && strstr(line, "field: ") && !unknown.len)
		text_add(&unknown, colon + 2);
	if (!reason.len)
		text_add(&reason, line);
}

__attribute__((format(printf, 5, 6)))
static void log_line(int level, const char *file, int number, int code, const char *fmt, ...)
{
	char *line = NULL;
	va_list ap;

	(void)file;
	(void)number;
	(void)code;
	va_start(ap, fmt);
	if (vasprintf(&line, fmt, ap) < 0)
		line = NULL;
	va_end(ap);
	say_need(line);
	if ((level & LOG_LEVEL) <= LOG_ERR)
		log_complaint(line);
	else if ((level & LOG_LEVEL) == LOG_WARN && !held)
		printf("%s\n", line);
	else if ((level & LOG_LEVEL) == LOG_WARN)
		text_printf(&printed, "%s\n", line);
	free(line);
}

void report_log_begin(void)
{
	dm_log_with_errno_init(log_line);
	text_clear(&printed);
	held = true;
	text_clear(&reason);
	text_clear(&rest);
	text_clear(&unknown);
}

void report_log_print(void)
{
	printf("%s", say_text(&printed));
	held = false;
}

bool report_log_complained(void)
{
	return reason.len || reason.failed;
}

/* Turns "Syntax error: ... at 'REST'" and "Missing end quote." into the middle of a sentence. */
static void log_tidy(void)
{
	char *at = reason.s ? strstr(reason.s, " at '") : NULL;

	if (at)
		text_cut(&reason, (size_t)(at - reason.s));
	while (reason.len && strchr(".: ", reason.s[reason.len - 1]))
		text_cut(&reason, reason.len - 1);
	if (reason.len && reason.s[0] >= 'A' && reason.s[0] <= 'Z')
		reason.s[0] = (char)(reason.s[0] - 'A' + 'a');
}

/* The position in the selection: known from its rest, or else from the field. */
static const char *log_place(const char *selection)
{
	const char *field = strstr(text_str(&reason), "field "), *at = NULL;

	if (rest.s && strlen(selection) >= rest.len && !strcmp(selection + strlen(selection) - rest.len, rest.s))
		return selection + strlen(selection) - rest.len;
	if (field)
		at = strstr(selection, field + strlen("field "));
	return at ? at : selection;
}

void report_log_end(const char *selection, struct err *e, const char **field)
{
	const char *at = selection ? log_place(selection) : NULL;

	log_tidy();
	*field = unknown.len ? text_str(&unknown) : NULL;
	if (!selection || (unknown.len && !strstr(text_str(&reason), "selection")))
		err_set(e, -EINVAL, "%s", unknown.len ? "" : text_str(&reason));
	else if (*at)
		err_set(e, -EINVAL, "selection, character %zu, '%s': %s", (size_t)(at - selection) + 1, at,
			unknown.len ? "" : text_str(&reason));
	else
		err_set(e, -EINVAL, "selection, at its end: %s", text_str(&reason));
}
