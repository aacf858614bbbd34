/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse splitname: splits LVM's name of a device (volume.h). It needs no daemon: any name will do. */
#include <string.h>

#include "cmd/columns.h"
#include "cmd/keys.h"
#include "cmd/say.h"
#include "cmd/volume.h"

/* Appends the part at AT to OUT, which may be NULL; returns the next part. A hyphen ends it, unless nothing follows. */
static const char *volume_part(struct text *out, const char *at)
{
	for (; *at; at++) {
		if (at[0] == '-' && at[1] == '-')
			at++;
		else if (at[0] == '-' && at[1])
			return at + 1;
		if (out)
			text_add_n(out, at, 1);
	}
	return at;
}

void volume_add(struct text *out, const char *name, enum volume_part part)
{
	enum volume_part i;

	for (i = VOLUME_GROUP; i < part; i++)
		name = volume_part(NULL, name);
	volume_part(out, name);
}

static int splitname_json(struct job *j)
{
	static const char *const keys[] = { "vg_name", "lv_name", "lv_layer" };
	const char *subsystem = j->argc > 1 ? j->argv[1] : "LVM";
	plist_t out = plist_new_dict();
	int i;

	key_set_text(out, "subsystem", subsystem);
	for (i = 0; i < 3; i++) {
		struct text part = TEXT_INIT;

		if (!strcmp(subsystem, "LVM"))
			volume_add(&part, j->argv[0], (enum volume_part)i);
		key_set_text(out, keys[i], say_text(&part));
		text_free(&part);
	}
	return job_print_json(j, out);
}

int command_splitname(struct job *j)
{
	plist_t row;
	int code;

	if (!j->argc)
		return job_usage(j, "which name?");
	if (j->argc > 2)
		return job_usage(j, "unexpected word '%s'", j->argv[2]);
	if (j->o.given[OPT_json])
		return splitname_json(j);
	row = plist_new_dict();
	key_set_text(row, "name", j->argv[0]);
	key_set_text(row, "subsystem", j->argc > 1 ? j->argv[1] : "LVM");
	say_need(plist_lacking(row) ? NULL : row);
	code = columns_report(j, &(struct pick_rows){ .rows = &row, .n = 1 }, "vg_name,lv_name,lv_layer");
	plist_free(row);
	return code;
}
