/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse deps: what the active table of a device uses. A file has no device number, so its path is printed instead. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/say.h"
#include "cmd/pick.h"
#include "cmd/style.h"

struct deps {
	struct job *j;
	enum style style;
	bool prefix;
	plist_t json;	/* the output so far, or NULL */
};

static void deps_print_one(const struct deps *d, plist_t dep, uint64_t own_major)
{
	uint64_t major = key_u64(dep, "major"), minor = key_u64(dep, "minor");
	const char *name = key_text(dep, "name"), *slash = strrchr(name, '/');

	if (d->style == STYLE_DEVNO && (major || minor))
		printf(" (%" PRIu64 ", %" PRIu64 ")", major, minor);
	else if (d->style == STYLE_BLKDEVNAME && major == own_major)
		printf(" (dm-%" PRIu64 ")", minor);
	else
		printf(" (%s)", d->style != STYLE_DEVNO && major && slash ? slash + 1 : name);
}

static void deps_print(const struct deps *d, const char *name, plist_t reply)
{
	plist_t list = key_array(reply, "deps");

	printf("%s%s%u dependencies\t:", d->prefix ? name : "", d->prefix ? ": " : "",
	       list ? plist_size(list) : 0);
	for (struct key_walk w = key_walk(list); key_walk_next(&w);)
		deps_print_one(d, w.item, key_u64(reply, "major"));
	printf("\n");
}

static plist_t deps_json(const char *name, plist_t reply)
{
	plist_t out = plist_new_dict(), list = key_array(reply, "deps");

	key_set_text(out, "name", name);
	plist_dict_set_item(out, "deps", list ? plist_copy(list) : plist_new_array());
	return out;
}

static int deps_one(struct deps *d, const char *name, bool may_vanish)
{
	plist_t request = request_new("deps", name), reply = NULL;
	struct err e = ERR_INIT;
	int r;

	if (d->j->o.given[OPT_inactive])
		key_add_flag(request, DICT_QUERY_INACTIVE);
	r = client_try(d->j, name, request, &reply, &e);
	if (client_no_device(r) && may_vanish)
		return EXIT_OK;
	if (r)
		return job_failed(d->j, name, &e);
	if (d->json)
		plist_array_append_item(d->json, deps_json(name, reply));
	else
		deps_print(d, name, reply);
	plist_free(reply);
	return EXIT_OK;
}

int command_deps(struct job *j)
{
	struct deps d = { .j = j };
	struct pick p = { .n = 0 };
	int code = style_of(j, &d.style);
	size_t i;

	if (!code)
		code = pick_devices(j, PICK_NONE_IS_ALL, &p);
	d.prefix = p.all || p.n > 1;
	d.json = j->o.given[OPT_json] ? say_need(plist_new_array()) : NULL;
	for (i = 0; !code && i < p.n; i++)
		code = deps_one(&d, p.names[i], p.all);
	if (!code && p.all && !p.n)
		pick_say_none(d.j);
	if (!code && d.json)
		code = job_print_json(j, d.json);
	else
		plist_free(d.json);
	pick_free(&p);
	return code;
}
