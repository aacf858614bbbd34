/* SPDX-License-Identifier: BSD-2-Clause */
/* The tags of a property list, and what is skipped between them. Only for plist_*.c. */
#ifndef PROTO_PLIST_SCAN_H
#define PROTO_PLIST_SCAN_H

#include "proto/plist.h"

enum scan_kind { KIND_PLIST, KIND_DICT, KIND_ARRAY, KIND_KEY, KIND_STRING, KIND_INTEGER, KIND_DATA, KIND_TRUE, KIND_FALSE,
		 KINDS };

extern const char *const scan_names[KINDS];

struct scan {
	const char *begin, *at, *end;
	struct err *e;
};

struct scan_tag {
	const char *at;
	enum scan_kind kind;
	bool close, empty;
};

/* All of these return 0, or -EIO and a sentence. The first one creates it, with the position AT. */
int scan_fail(struct scan *s, const char *at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int scan_start(struct scan *s);		/* the first bytes, which may be incomplete */
/* Skips blanks and comments; before <plist> also <?xml ...?> and <!DOCTYPE ...>. */
int scan_skip(struct scan *s, bool prologue);
int scan_tag(struct scan *s, struct scan_tag *t);

#endif
