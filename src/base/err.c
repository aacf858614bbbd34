/* SPDX-License-Identifier: BSD-2-Clause */
/* Error messages: see err.h. */
#include "base/err.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

int err_vset(struct err *e, int code, const char *fmt, va_list ap)
{
	if (e) {
		e->code = code;
		vsnprintf(e->text, sizeof(e->text), fmt, ap);
		utf8_one_line(e->text, sizeof(e->text));
	}
	return code;
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(e, code, fmt, ap);
	va_end(ap);
	return code;
}

int err_append(struct err *e, const char *fmt, ...)
{
	size_t used = strlen(e->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->text + used, sizeof(e->text) - used, fmt, ap);
	va_end(ap);
	utf8_one_line(e->text, sizeof(e->text));
	return e->code;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
	char old[ERR_TEXT];
	va_list ap;
	size_t used;

	memcpy(old, e->text, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	used = strlen(e->text);
	snprintf(e->text + used, sizeof(e->text) - used, "%s", old);
	utf8_one_line(e->text, sizeof(e->text));
	return e->code;
}
