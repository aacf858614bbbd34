/* SPDX-License-Identifier: BSD-2-Clause */
/* Names with \xNN in them: see mangle.h. */
#include "core/device/mangle.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static bool mangle_plain(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
	       (ch && strchr("#+-.:=@_", ch));
}

static int mangle_digit(char ch)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = ch ? strchr(digits, ch >= 'A' && ch <= 'F' ? ch | 0x20 : ch) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* The byte that \xNN at S stands for, or -1. */
static int mangle_code(const char *s)
{
	int high, low;

	if (s[0] != '\\' || s[1] != 'x' || (high = mangle_digit(s[2])) < 0 || (low = mangle_digit(s[3])) < 0)
		return -1;
	return high << 4 | low;
}

/* One byte of NAME, or \xNN; as libdevmapper does, any two plain characters are taken for NN. 1, 4, or 0: it is neither. */
static size_t mangle_unit(const char *name, enum dm_mangle how)
{
	if (how != DM_MANGLE_AUTO || name[0] != '\\' || name[1] != 'x')
		return 1;
	return mangle_plain(name[2]) && mangle_plain(name[3]) ? 4 : 0;
}

int dm_mangle(const char *name, enum dm_mangle how, char *out, size_t room)
{
	bool kept = false, changed = false;
	const char *begin = out;
	size_t unit, n;

	for (; *name; name += unit, out += n, room -= n) {
		bool change = how != DM_MANGLE_NONE && !mangle_plain(*name);

		unit = mangle_unit(name, how);
		if (!unit)
			return -EINVAL;
		n = change ? 4 : 1;
		if (n >= room)
			return -ENAMETOOLONG;
		if (unit == n)
			memcpy(out, name, n);
		else
			snprintf(out, room, "\\x%02x", (unsigned char)*name);
		kept = kept || unit == 4;
		changed = changed || (change && unit == 1);
	}
	*out = '\0';
	return how == DM_MANGLE_AUTO && ((kept && changed) || strstr(begin, "\\x5cx")) ? -EINVAL : 0;
}

/* Whether NAME leads back to KERNEL. */
static bool mangle_leads_to(const char *name, const char *kernel)
{
	char again[256];

	return !dm_mangle(name, DM_MANGLE_AUTO, again, sizeof(again)) && !strcmp(again, kernel);
}

void dm_unmangle_all(const char *kernel, char *out)
{
	int code;

	for (; *kernel; kernel += code < 0 ? 1 : 4) {
		code = mangle_code(kernel);
		*out++ = code < 0 ? *kernel : (char)code;
	}
	*out = '\0';
}

void dm_unmangle(const char *kernel, char *out)
{
	dm_unmangle_all(kernel, out);
	if (!utf8_printable(out) || strchr(out, '/') || !mangle_leads_to(out, kernel))
		strcpy(out, kernel);
}
