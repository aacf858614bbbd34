/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An error on its way to the caller: a negative errno, and a sentence that says what failed, where, why, and what would
 * be right.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

#define ERR_TEXT 1024

struct err {
	int code;		/* 0, or a negative errno */
	char text[ERR_TEXT];	/* the sentence, without a newline; cut if it is longer */
};

#define ERR_INIT { .code = 0 }

/*
 * Names keep their bytes, except that control characters are made visible (utf8_one_line()). This is done here for all
 * sentences.
 */

/* Fills E (which may be NULL) and returns CODE, so that a caller can `return err_set(...)`. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int err_vset(struct err *e, int code, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));

/* Prepends words to E's sentence ("table line 2: " and so on). Returns E's code. */
int err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Appends them. */
int err_append(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
