/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmuse mark: tells each log-writes line, which puts the mark into its log, and each powercut line, which may have been told to cut the
 * power there. It is answered when that is done.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/pick.h"
#include "cmd/rows.h"
#include "cmd/say.h"

static bool mark_is_for(const struct row *row)
{
	return row_is(row, "log-writes") || row_is(row, "powercut");
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

/* *MARKED counts the lines. */
static int mark_device(struct job *j, const char *name, const char *mark, unsigned *marked)
{
	plist_t request = request_new("table", name), reply = NULL;
	int code;

	rows_ask(request);
	code = client_ask(j, name, request, &reply);
	for (struct row r = rows_of(code ? NULL : reply); !code && rows_next(&r);)
		if (mark_is_for(&r)) {
			code = mark_line(j, name, &r, mark);
			++*marked;
		}
	plist_free(reply);
	return code;
}

int command_mark(struct job *j)
{
	struct err e = ERR_INIT;
	unsigned marked = 0;
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
		code = mark_device(j, p.names[i], mark, &marked);
	if (!code && !marked) {
		err_set(&e, -ENXIO, "%s has a line of the target log-writes or powercut, which could take it",
			j->argc ? "none of these devices" : "no device");
		code = job_failed(j, mark, &e);
	}
	pick_free(&p);
	return code;
}
