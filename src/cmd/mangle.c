/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmuse mangle: renames devices whose name in the kernel's form (core/device/mangle.h) is not what dmsetup expects;
 * with --manglename none, to the plain form. As in dmsetup, the words are the kernel's names, because only these
 * distinguish such devices; uuids are not changed; a failure does not stop the others.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/pick.h"
#include "cmd/say.h"
#include "cmd/show.h"
#include "core/device/device.h"
#include "core/device/mangle.h"

/* The kernel's form of name and uuid, and the name it is to have. */
struct mangle {
	bool undo;
	const char *from, *uuid;
	char to[DM_NAME_MAX + 1];
};

/* The proper form of KERNEL, which has at most ROOM - 1 bytes. */
static int mangle_right(bool undo, const char *what, const char *kernel, char *out, size_t room, struct err *e)
{
	int r = 0;

	if (undo)
		dm_unmangle_all(kernel, out);
	else
		r = dm_mangle(kernel, DM_MANGLE_AUTO, out, room);
	if (r == -ENAMETOOLONG)
		return err_set(e, r, "the %s '%s' would be too long in mangled form (\\xNN)", what, kernel);
	if (r)
		return err_set(e, r, "the %s '%s' is mangled (\\xNN) partly or twice; rename it, "
			       "or use --manglename none to unmangle it", what, kernel);
	return 0;
}

static int mangle_check_uuid(const struct mangle *m, struct err *e)
{
	char right[DM_UUID_MAX + 1];

	if (mangle_right(m->undo, "uuid", m->uuid, right, sizeof(right), e))
		return e->code;
	if (!strcmp(right, m->uuid))
		return 0;
	return err_set(e, -EINVAL, "its uuid should be '%s', and a uuid cannot change: remove the device and create "
		       "it again", right);
}

static void mangle_say(const struct job *j, const struct mangle *m, bool renamed)
{
	if (j->o.given[OPT_json])
		return;
	if (renamed)
		printf("%s: renaming to %s\n", m->from, m->to);
	else
		printf("%s: %s: name %salready in correct form\n", m->from, *m->uuid ? m->uuid : "[no UUID]", *m->uuid ? "and UUID " : "");
}

static int mangle_rename(struct job *j, const struct mangle *m, struct err *e)
{
	plist_t request = request_new("rename", m->from), words = plist_new_array(), reply;
	int r;

	plist_array_append_item(words, plist_new_string(m->to));
	plist_dict_set_item(request, "cmd_data", words);
	r = client_try(j, m->from, request, &reply, e);
	plist_free(reply);
	return r;
}

static plist_t mangle_json(const struct mangle *m)
{
	char name[DM_NAME_MAX + 1];
	plist_t out = plist_new_dict();

	dm_unmangle(m->to, name);
	key_set_text(out, "name", name);
	key_set_text(out, "kernel_name", m->to);
	key_set_bool(out, "renamed", strcmp(m->from, m->to));
	return out;
}

static int mangle_one(struct job *j, bool undo, plist_t row)
{
	struct mangle m = { .undo = undo, .from = key_kernel_name(row), .uuid = key_kernel_uuid(row) };
	struct err e = ERR_INIT;
	bool renamed;

	if (mangle_check_uuid(&m, &e) || mangle_right(undo, "name", m.from, m.to, sizeof(m.to), &e))
		return job_failed(j, m.from, &e);
	renamed = strcmp(m.from, m.to);
	mangle_say(j, &m, renamed);
	if (renamed && mangle_rename(j, &m, &e))
		return job_failed(j, m.from, &e);
	if (j->changed)
		plist_array_append_item(j->changed, mangle_json(&m));
	return EXIT_OK;
}

static int mangle_named(struct job *j, bool undo, const char *name, bool all)
{
	struct err e = ERR_INIT;
	plist_t row;
	int code, r = client_try(j, name, request_new("info", name), &row, &e);

	if (client_no_device(r) && all)
		return EXIT_OK;
	code = r ? job_failed(j, name, &e) : mangle_one(j, undo, row);
	plist_free(row);
	return code;
}

int command_mangle(struct job *j)
{
	const char *how = j->o.given[OPT_manglename] ? j->o.value[OPT_manglename] : "auto";
	bool undo = !strcmp(how, "none");
	struct pick p;
	size_t i;
	int code;

	if (!undo && strcmp(how, "auto") && strcmp(how, "hex"))
		return job_usage(j, "invalid mangling mode '%s': must be auto, hex or none", how);
	j->o.given[OPT_manglename] = true;
	j->o.value[OPT_manglename] = "none";
	code = pick_devices(j, PICK_NONE_IS_ALL, &p);
	if (!code) {
		show_list(j);
		for (i = 0; i < p.n; i++)
			code |= mangle_named(j, undo, p.names[i], p.all);
		code = show_list_end(j, code);
		if (!p.n)
			pick_say_none(j);
	}
	pick_free(&p);
	return code;
}
