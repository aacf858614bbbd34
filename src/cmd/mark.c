/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmuse mark: tells each log of log-writes, which has the mark then, and each disk of powercut, which may have been told to cut the
 * power there. It is answered when that is done.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/pick.h"
#include "cmd/rows.h"
#include "cmd/say.h"

/* A word in a line of a table: blanks in it have a backslash before them. */
static size_t mark_word(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && s[n] != ' ')
		n += s[n] == '\\' && n + 1 < len ? 2 : 1;
	return n;
}

/*
 * What takes the mark: log-writes a log, powercut the write cache of a disk. Lines may share it, and it takes a mark once; power that
 * the mark cuts is off for the next line.
 */
static bool mark_is_for(const struct row *row, struct text *taken)
{
	const char *words = row->text + row->params;
	size_t len = row->len - row->params, n = mark_word(words, len);
	struct text one = TEXT_INIT;
	bool is;

	if (!row_is(row, "log-writes") && !row_is(row, "powercut"))
		return false;
	text_add(&one, "\n");
	text_add_n(&one, row->text + row->type, row->type_len);
	text_add(&one, " ");
	text_add_n(&one, words, row_is(row, "log-writes") ? len : n);
	text_add(&one, "\n");
	is = !strstr(say_text(taken), say_text(&one));
	if (is)
		text_add(taken, text_str(&one));
	text_free(&one);
	return is;
}

static int mark_line(struct job *j, const char *name, const struct row *row, const char *mark)
{
	plist_t request = request_new("message", name);
	struct text message = TEXT_INIT;

	text_add(&message, "mark ");
	text_add_word(&message, mark);
	key_take_text(request, "message", &message);
	key_set_u64(request, "sector", strtoull(row->text, NULL, 10));
	return client_ask(j, name, request, NULL);
}

/* TAKEN: who has it already. */
static int mark_device(struct job *j, const char *name, const char *mark, struct text *taken)
{
	plist_t request = request_new("table", name), reply = NULL;
	int code;

	rows_ask(request);
	code = client_ask(j, name, request, &reply);
	for (struct row r = rows_of(code ? NULL : reply); !code && rows_next(&r);)
		if (mark_is_for(&r, taken))
			code = mark_line(j, name, &r, mark);
	plist_free(reply);
	return code;
}

int command_mark(struct job *j)
{
	struct err e = ERR_INIT;
	struct text taken = TEXT_INIT;
	struct pick p;
	const char *mark;
	int code;
	size_t i;

	if (!j->argc)
		return job_usage(j, "the text of the mark is missing");
	mark = j->argv[0];
	j->argv++;
	j->argc--;
	code = pick_devices(j, PICK_NONE_IS_ALL, &p);
	for (i = 0; !code && i < p.n; i++)
		code = mark_device(j, p.names[i], mark, &taken);
	if (!code && !taken.len) {
		err_set(&e, -ENXIO, "%s has a line of the target log-writes or powercut, which could take it",
			j->argc ? "none of these devices" : "no device");
		code = job_failed(j, mark, &e);
	}
	pick_free(&p);
	text_free(&taken);
	return code;
}
