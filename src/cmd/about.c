/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse targets, target-version, stores, version: what this program has. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/client.h"
#include "cmd/keys.h"

/* One number of a version triple. */
static uint64_t about_number(plist_t list, uint32_t i)
{
	plist_t n = list ? plist_array_get_item(list, i) : NULL;
	uint64_t v = 0;

	if (n)
		v = plist_uint(n);
	return v;
}

/* Prints the rows of a reply as JSON, or each with PRINT. */
static int about_rows(struct job *j, const char *command, void (*print)(struct job *j, plist_t row))
{
	plist_t reply = NULL, rows;
	int code;

	if (j->argc)
		return job_usage(j, "unexpected word '%s'", j->argv[0]);
	code = client_ask(j, NULL, request_new(command, NULL), &reply);
	if (code)
		return code;
	rows = key_array(reply, "cmd_data");
	if (j->o.given[OPT_json])
		code = job_print_json(j, rows ? plist_copy(rows) : plist_new_array());
	else
		for (struct key_walk w = key_walk(rows); key_walk_next(&w);)
			print(j, w.item);
	plist_free(reply);
	return code;
}

/* The line that dmsetup prints; with -v also the usage of the target. */
static void about_target(struct job *j, plist_t row)
{
	plist_t v = key_array(row, "ver");

	printf("%-16s v%" PRIu64 ".%" PRIu64 ".%" PRIu64 "\n", key_text(row, "name"), about_number(v, 0),
	       about_number(v, 1), about_number(v, 2));
	if (j->o.given[OPT_verbose])
		printf("    START LENGTH %s %s\n    %s\n", key_text(row, "name"), key_text(row, "usage"),
		       key_text(row, "about"));
}

static void about_store(struct job *j, plist_t row)
{
	(void)j;
	printf("%-10s %s\n           %s\n", key_text(row, "name"), key_text(row, "usage"), key_text(row, "about"));
}

int command_targets(struct job *j)
{
	return about_rows(j, "targets", about_target);
}

static plist_t about_find(plist_t rows, const char *name)
{
	for (struct key_walk w = key_walk(rows); key_walk_next(&w);)
		if (!strcmp(key_text(w.item, "name"), name))
			return w.item;
	return NULL;
}

/* One after the other, like dmsetup, up to the first unknown one. */
static int about_versions(struct job *j, plist_t rows, plist_t json)
{
	int i, code = EXIT_OK;

	for (i = 0; !code && i < j->argc; i++) {
		plist_t row = about_find(rows, j->argv[i]);
		struct err e = ERR_INIT;

		if (!row) {
			err_set(&e, -EINVAL, "unknown target '%.40s'; `dmuse targets` lists them", j->argv[i]);
			code = job_failed(j, NULL, &e);
		} else if (j->o.given[OPT_json]) {
			plist_array_append_item(json, plist_copy(row));
		} else {
			about_target(j, row);
		}
	}
	return code;
}

int command_target_version(struct job *j)
{
	plist_t reply = NULL, json = plist_new_array();
	int code = j->argc ? client_ask(j, NULL, request_new("targets", NULL), &reply) : job_usage(j, "which target?");

	if (!code)
		code = about_versions(j, key_array(reply, "cmd_data"), json);
	if (!code && j->o.given[OPT_json])
		code = job_print_json(j, json);
	else
		plist_free(json);
	plist_free(reply);
	return code;
}

int command_stores(struct job *j)
{
	return about_rows(j, "stores", about_store);
}

static int version_json(struct job *j, plist_t reply)
{
	plist_t out = plist_new_dict();

	key_set_text(out, "version", DMUSE_VERSION);
	key_copy(out, "protocol", reply, "version");
	key_set_bool(out, "daemon", client_is_daemon(j));
	key_set_text(out, "socket", client_path(j));
	if (client_is_daemon(j))
		key_set_u64(out, "pid", (uint64_t)client_pid(j));
	return job_print_json(j, out);
}

int command_version(struct job *j)
{
	plist_t reply = NULL, v;
	int code;

	if (j->argc)
		return job_usage(j, "unexpected word '%s'", j->argv[0]);
	code = client_ask(j, NULL, request_new("version", NULL), &reply);
	if (code)
		return code;
	v = key_array(reply, "version");
	if (j->o.given[OPT_json]) {
		code = version_json(j, reply);
	} else {
		printf("Version:           %s\n", DMUSE_VERSION);
		if (v)
			printf("Protocol version:  %" PRIu64 ".%" PRIu64 ".%" PRIu64 "\n", about_number(v, 0), about_number(v, 1),
			       about_number(v, 2));
		if (client_is_daemon(j))
			printf("Daemon:            running, pid %ld\n", (long)client_pid(j));
		else
			printf("Daemon:            none\n");
		printf("Socket:            %s\n", client_path(j));
	}
	client_say_absent(j);
	plist_free(reply);
	return code;
}
