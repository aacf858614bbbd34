/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmuse partitions, kpartx: creates devices for the partitions of a disk image, so that nobody has to compute where
 * they begin. The options are those of kpartx(8).
 */
#include "cmd/partitions.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/say.h"
#include "cmd/show.h"
#include "cmd/source.h"

/* The partition as a table line. */
static char *partitions_line(const struct image *i, const struct dm_part *p)
{
	struct text t = TEXT_INIT;

	text_printf(&t, "0 %llu linear ", (unsigned long long)p->sectors);
	text_add_word(&t, i->path);
	text_printf(&t, " %llu", (unsigned long long)p->start);
	return say_need(t.failed ? NULL : t.s);
}

static plist_t partitions_json(const struct image *i)
{
	plist_t list = plist_new_array(), row;

	for (size_t n = 0; n < i->parts.n; n++) {
		const struct dm_part *p = &i->parts.at[n];
		char *name = image_name(i, p->number), *line = partitions_line(i, p);

		row = plist_new_dict();
		key_set_text(row, "name", name);
		key_set_u64(row, "number", p->number);
		key_set_u64(row, "start", p->start);
		key_set_u64(row, "length", p->sectors);
		key_set_text(row, "table", line);
		plist_array_append_item(list, row);
		free(line);
		free(name);
	}
	return list;
}

/* As kpartx -l prints them. */
static int partitions_list(const struct image *i)
{
	if (i->j->o.given[OPT_json])
		return job_print_json(i->j, partitions_json(i));
	for (size_t n = 0; n < i->parts.n; n++) {
		const struct dm_part *p = &i->parts.at[n];

		printf("%s%u : 0 %llu %s %llu\n", i->base, p->number, (unsigned long long)p->sectors, i->file,
		       (unsigned long long)p->start);
	}
	if (!i->parts.n)
		say_note("%s: no partition table found", i->file);
	return EXIT_OK;
}

/* COMMAND NAME with the table LINE, or NULL and the reason. */
static plist_t partitions_request(const struct image *i, const char *command, const char *name, const char *line, struct err *e)
{
	plist_t request = request_new(command, name);

	if (i->j->o.given[OPT_readonly])
		key_add_flag(request, DICT_READONLY);
	if (!source_put(i->j, request, line, e))
		return request;
	plist_free(request);
	return NULL;
}

/* Makes the change; -v prints it in the words of kpartx, which scripts parse. */
static int partitions_show(const struct image *i, const char *name, const char *line, plist_t request)
{
	plist_t reply;
	int code;

	if (i->j->o.given[OPT_json])
		return show_change(i->j, name, request);
	code = client_ask(i->j, name, request, &reply);
	if (!code && i->j->o.given[OPT_verbose])
		printf("add map %s (%llu:%llu): %s\n", name, (unsigned long long)key_u64(reply, "major"),
		       (unsigned long long)key_u64(reply, "minor"), line);
	if (!code)
		plist_free(reply);
	return code;
}

/* EXISTS: loads another table in place of the current one. */
static int partitions_make(const struct image *i, const struct dm_part *p, const char *name, bool exists)
{
	char *line = partitions_line(i, p);
	struct err e = ERR_INIT;
	plist_t request = partitions_request(i, exists ? "reload" : "create", name, line, &e);
	int code = request ? EXIT_OK : job_failed(i->j, name, &e);

	if (!code && exists) {
		code = client_ask(i->j, name, request, NULL);
		request = code ? NULL : request_new("resume", name);
	}
	if (!code)
		code = partitions_show(i, name, line, request);
	free(line);
	return code;
}

/* MADE: a device was created. One that is correct already stays. */
static int partitions_one(const struct image *i, const struct dm_part *p, bool *made)
{
	char *name = image_name(i, p->number);
	struct dm_part now;
	int maps = image_maps(i, name, &now), code = EXIT_OK;

	*made = false;
	if (maps < 0)
		code = EXIT_FAILED;
	else if (!maps)
		*made = !(code = partitions_make(i, p, name, false));	/* fails if another device has this name */
	else if (now.start != p->start || now.sectors != p->sectors)
		code = partitions_make(i, p, name, true);
	free(name);
	return code;
}

static int partitions_remove(const struct image *i, const char *name)
{
	int code = client_ask(i->j, name, request_new("remove", name), NULL);

	if (!code && i->j->o.given[OPT_verbose])
		printf("del devmap : %s\n", name);
	return code;
}

/* Creates all of them, or none of those that did not exist before. */
static int partitions_add(const struct image *i)
{
	bool made[DM_PARTS_MAX] = { false };
	int code = EXIT_OK;
	size_t n;

	for (n = 0; !code && n < i->parts.n; n++)
		code = partitions_one(i, &i->parts.at[n], &made[n]);
	while (code && n--)
		if (made[n]) {
			char *name = image_name(i, i->parts.at[n].number);

			client_ask(i->j, name, request_new("remove", name), NULL);
			free(name);
		}
	return code;
}

/* The number in a device name that may be a partition's; 0: it is not. */
static uint32_t partitions_number(const struct image *i, const char *name)
{
	size_t n = strlen(i->base);
	const char *at = name + n;

	if (strncmp(name, i->base, n) || !*at || *at == '0' || strlen(at) > 3 || strspn(at, "0123456789") != strlen(at))
		return 0;
	return (uint32_t)atoi(at);
}

static bool partitions_has(const struct image *i, uint32_t number)
{
	for (size_t n = 0; n < i->parts.n; n++)
		if (i->parts.at[n].number == number)
			return true;
	return false;
}

/*
 * Removes devices that map a part of the image and have a partition's name; KEEP: except those that are still in the
 * partition table.
 */
static int partitions_delete(const struct image *i, bool keep)
{
	plist_t reply;
	int code = client_ask(i->j, NULL, request_new("names", NULL), &reply);
	struct dm_part now;

	if (code)
		return code;
	for (struct key_walk w = key_walk(key_array(reply, "cmd_data")); !code && key_walk_next(&w);) {
		const char *name = key_text(w.item, "name");
		uint32_t number = partitions_number(i, name);
		int maps = !number || (keep && partitions_has(i, number)) ? 0 : image_maps(i, name, &now);

		if (maps)
			code = maps < 0 ? EXIT_FAILED : partitions_remove(i, name);
	}
	plist_free(reply);
	return code;
}

static int partitions_change(const struct image *i)
{
	const bool *given = i->j->o.given;
	struct err e = ERR_INIT;
	int code;

	if (given[OPT_add] && !i->parts.n) {
		err_set(&e, -EINVAL, "no partition table, or an empty one");
		return job_failed(i->j, i->file, &e);
	}
	code = client_open(i->j, !given[OPT_delete]);
	if (code)
		return code;
	show_list(i->j);
	if (given[OPT_delete] || given[OPT_update])
		code = partitions_delete(i, given[OPT_update]);
	if (!code && !given[OPT_delete])
		code = partitions_add(i);
	return show_list_end(i->j, code);
}

int command_partitions(struct job *j)
{
	const bool *given = j->o.given;
	struct image i;
	int code;

	if (j->argc != 1)
		return job_usage(j, j->argc ? "unexpected word '%s'" : "the disk image is missing", j->argc ? j->argv[1] : "");
	if (given[OPT_add] + given[OPT_delete] + given[OPT_update] + given[OPT_list] > 1)
		return job_usage(j, "one of -l, -a, -d, -u");
	code = image_open(&i, j, j->argv[0], !given[OPT_delete]);
	if (!code)
		code = given[OPT_add] || given[OPT_delete] || given[OPT_update] ? partitions_change(&i) : partitions_list(&i);
	image_close(&i);
	return code;
}

int command_kpartx(struct job *j)
{
	return command_partitions(j);
}
