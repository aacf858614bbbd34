/* SPDX-License-Identifier: BSD-2-Clause */
/* Parsing table lines: see rows.h. */
#include "cmd/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "cmd/keys.h"
#include "cmd/say.h"

void rows_ask(plist_t request)
{
	key_set_bool(request, "text", true);
}

struct row rows_of(plist_t reply)
{
	return (struct row){ .next = key_text(reply, "table") };
}

/* After the blank that follows AT, or the line's end. */
static size_t rows_behind(const struct row *r, size_t at)
{
	const char *blank = memchr(r->text + at, ' ', r->len - at);

	return blank ? (size_t)(blank - r->text) + 1 : r->len;
}

bool rows_next(struct row *r)
{
	const char *end = words_line(r->next);

	if (!*r->next)
		return false;
	r->number++;
	r->text = r->next;
	r->len = (size_t)(end - r->text);
	r->next = *end ? end + 1 : end;
	r->type = rows_behind(r, rows_behind(r, 0));
	r->params = rows_behind(r, r->type);
	r->type_len = r->params - r->type - (r->params < r->len || r->text[r->params - 1] == ' ');
	return true;
}

bool row_is(const struct row *r, const char *type)
{
	return strlen(type) == r->type_len && !memcmp(r->text + r->type, type, r->type_len);
}

static void row_set(plist_t dict, const char *key, const char *s, size_t n)
{
	char *copy = say_need(strndup(s, n));

	key_set_text(dict, key, copy);
	free(copy);
}

plist_t row_json(const struct row *r)
{
	plist_t out = plist_new_dict();

	key_set_u64(out, "start", strtoull(r->text, NULL, 10));
	key_set_u64(out, "length", strtoull(r->text + rows_behind(r, 0), NULL, 10));
	row_set(out, "type", r->text + r->type, r->type_len);
	row_set(out, "params", r->text + r->params, r->len - r->params);
	return out;
}
