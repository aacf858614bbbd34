/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse mark: puts a mark into the log of each log-writes line. It is answered when the mark is in the log. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/pick.h"
#include "cmd/rows.h"
#include "cmd/say.h"

#define MARK_TARGET "log-writes"

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
		if (row_is(&r, MARK_TARGET)) {
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
		err_set(&e, -ENXIO, "no device has a line of the target " MARK_TARGET ", whose log could take it");
		code = job_failed(j, mark, &e);
	}
	pick_free(&p);
	return code;
}
