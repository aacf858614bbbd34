/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A failure as it travels to whoever asked: a negative errno and one sentence
 * that says what, where, why and what would be right.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

#define ERR_TEXT 1024

struct err {
	int code;		/* 0, or a negative errno */
	char text[ERR_TEXT];	/* the sentence, without a final newline; cut if longer */
};

#define ERR_INIT { .code = 0 }

/*
 * Names in it have their bytes, but for control characters: those are made visible (utf8_one_line()), here for all
 * sentences.
 */

/* Fills E (which may be NULL) and returns CODE, so that a caller can `return err_set(...)`. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int err_vset(struct err *e, int code, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));

/* Puts words in front of E's sentence ("table line 2: " and so on). Returns E's code. */
int err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Puts them behind it. */
int err_append(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
