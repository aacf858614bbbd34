/* SPDX-License-Identifier: BSD-2-Clause */
/* Selecting devices: see pick.h. The names are sorted, as in dmsetup. */
#include "cmd/pick.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/say.h"

#define PICK_DIRECTORY "/dev/mapper/"

static int pick_by_name(const void *a, const void *b)
{
	return strcmp(key_text(*(const plist_t *)a, "name"), key_text(*(const plist_t *)b, "name"));
}

static int pick_answer(struct job *j, plist_t request, struct pick_rows *out)
{
	int code = client_ask(j, NULL, request, &out->reply);
	plist_t array;

	if (code)
		return code;
	array = key_array(out->reply, "cmd_data");
	out->rows = say_need(calloc(array ? plist_size(array) + 1 : 1, sizeof(*out->rows)));
	for (struct key_walk w = key_walk(array); key_walk_next(&w);)
		out->rows[out->n++] = w.item;
	qsort(out->rows, out->n, sizeof(*out->rows), pick_by_name);
	return EXIT_OK;
}

int pick_all(struct job *j, struct pick_rows *out)
{
	return pick_answer(j, request_new("names", NULL), out);
}

int pick_all_deps(struct job *j, struct pick_rows *out)
{
	plist_t request = request_new("names", NULL);

	plist_dict_set_item(request, "with_deps", plist_new_bool(true));
	return pick_answer(j, request, out);
}

void pick_rows_free(struct pick_rows *r)
{
	free(r->rows);
	plist_free(r->reply);
	*r = (struct pick_rows){ .n = 0 };
}

void pick_say_none(struct job *j)
{
	if (!j->o.given[OPT_json])
		printf("No devices found\n");
	client_say_absent(j);
}

static char *pick_word(const char *word)
{
	size_t n = strlen(PICK_DIRECTORY);

	return say_need(strdup(strncmp(word, PICK_DIRECTORY, n) ? word : word + n));
}

struct pick_key {
	const char *uuid;
	uint64_t major, minor;
	bool has_major, has_minor;
};

static bool pick_matches(plist_t row, const struct pick_key *k)
{
	if (k->uuid)
		return !strcmp(key_text(row, "uuid"), k->uuid);
	return key_u64(row, "minor") == k->minor && (!k->has_major || key_u64(row, "major") == k->major);
}

static int pick_key_from(struct job *j, struct pick_key *k)
{
	struct err e = ERR_INIT;

	k->uuid = j->o.value[OPT_uuid];
	k->has_major = j->o.given[OPT_major];
	k->has_minor = j->o.given[OPT_minor];
	if (k->has_major && !k->has_minor)
		return job_usage(j, "--major needs --minor to select a device");
	if (options_number(&j->o, OPT_major, UINT32_MAX, &k->major, &e) ||
	    options_number(&j->o, OPT_minor, UINT32_MAX, &k->minor, &e))
		return job_usage(j, "%s", e.text);
	return EXIT_OK;
}

static bool pick_has_key(const struct job *j)
{
	return j->o.given[OPT_uuid] || j->o.given[OPT_major] || j->o.given[OPT_minor];
}

/* The name of the device given by -u or -m. */
static int pick_by_key(struct job *j, char **name)
{
	struct pick_rows all = { .n = 0 };
	struct pick_key k = { .uuid = NULL };
	struct err e = ERR_INIT;
	int code = pick_key_from(j, &k);
	size_t i;

	if (!code)
		code = pick_all(j, &all);
	if (code)
		return code;
	for (i = 0; i < all.n && !*name; i++)
		if (pick_matches(all.rows[i], &k))
			*name = say_need(strdup(key_text(all.rows[i], "name")));
	pick_rows_free(&all);
	if (*name)
		return EXIT_OK;
	if (k.uuid)
		err_set(&e, -ENXIO, "no device with uuid '%s'", k.uuid);
	else
		err_set(&e, -ENXIO, "no device with number %s:%s", k.has_major ? j->o.value[OPT_major] : "*",
			j->o.value[OPT_minor]);
	client_add_absent(j, &e);
	return job_failed(j, NULL, &e);
}

int pick_device(struct job *j, int min, int max, char **name)
{
	bool key = pick_has_key(j);

	*name = NULL;
	if (!key && !j->argc)
		return job_usage(j, "which device?");
	if (!key) {
		*name = pick_word(j->argv[0]);
		j->argc--;
		j->argv++;
	}
	if (j->argc > max)
		return job_usage(j, "unexpected word '%s'", j->argv[max]);
	if (j->argc < min)
		return job_usage(j, "a word is missing after the device");
	return key ? pick_by_key(j, name) : EXIT_OK;
}

static int pick_words(struct job *j, struct pick *p)
{
	int i;

	for (i = 0; i < j->argc; i++)
		p->names[p->n++] = pick_word(j->argv[i]);
	return EXIT_OK;
}

static int pick_every(struct job *j, struct pick *p)
{
	struct pick_rows all = { .n = 0 };
	int code = pick_all(j, &all);
	size_t i;

	if (code)
		return code;
	p->all = true;
	p->names = say_need(calloc(all.n + 1, sizeof(*p->names)));
	for (i = 0; i < all.n; i++)
		p->names[p->n++] = say_need(strdup(key_text(all.rows[i], "name")));
	pick_rows_free(&all);
	return EXIT_OK;
}

int pick_devices(struct job *j, enum pick_none none, struct pick *p)
{
	int code;

	*p = (struct pick){ .n = 0 };
	if (!pick_has_key(j) && !j->argc)
		return none == PICK_NONE_IS_ALL ? pick_every(j, p) : job_usage(j, "which device?");
	if (pick_has_key(j) && j->argc)
		return job_usage(j, "'%s': select a device by name or by option, not both", j->argv[0]);
	p->names = say_need(calloc((size_t)j->argc + 1, sizeof(*p->names)));
	if (j->argc)
		return pick_words(j, p);
	code = pick_by_key(j, &p->names[0]);
	p->n = p->names[0] ? 1 : 0;
	return code;
}

void pick_free(struct pick *p)
{
	while (p->n)
		free(p->names[--p->n]);
	free(p->names);
}
