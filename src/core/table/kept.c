/* SPDX-License-Identifier: BSD-2-Clause */
/* See kept.h. A name of what is kept is short and of few characters, so it has the key's hash. */
#include "core/table/kept.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/keep.h"
#include "base/words.h"

#define NAME 40

struct use {
	struct hash_link link;
	unsigned n;
	char name[NAME];
};

/* By name. Of this process, as what is kept (base/keep.c). */
static struct hash uses;

struct dm_kept_hold {
	struct dm_kept_hold *next;
	struct use *use;
};

/* FNV-1a. */
static void name_of(char name[NAME], const char *key, bool readonly)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * UINT64_C(0x100000001b3);
	snprintf(name, NAME, "store:%016" PRIx64 ":%s", h, readonly ? "ro" : "rw");
}

static struct use *use_find(const char *name)
{
	return hash_owner(hash_find(&uses, name, strlen(name)), struct use, link);
}

/* One more; NULL: no memory. */
static struct use *use_more(const char *name)
{
	struct use *u = use_find(name);

	if (!u)
		u = calloc(1, sizeof(*u));
	if (u && !u->n++) {
		strcpy(u->name, name);
		hash_add(&uses, &u->link, u->name, strlen(u->name));
	}
	return u;
}

static void use_less(struct use *u)
{
	if (--u->n)
		return;
	keep_drop(u->name);
	hash_remove(&uses, &u->link);
	free(u);
}

int dm_kept_copy(const char *key, bool readonly)
{
	char name[NAME];

	name_of(name, key, readonly);
	return keep_copy(name);
}

int dm_kept_put(const char *key, bool readonly, int fd, struct err *e)
{
	char name[NAME];
	struct use *u;

	name_of(name, key, readonly);
	u = use_more(name);
	if (!u)
		return err_set(e, -ENOMEM, "no memory");
	if (fd >= 0 && u->n == 1 && keep_fd(name, fd, e))
		use_less(u);
	return e->code;
}

void dm_kept_drop(const char *key, bool readonly)
{
	char name[NAME];

	name_of(name, key, readonly);
	use_less(use_find(name));
}

/* --- lines of a record: "store file dev=... ino=... born=... sectors=... WORD" ---------------------------------------------- */

struct line {
	char *copy;
	const char *word, *known;	/* KNOWN: "dev=... ino=... born=... " */
};

/* The first word of a file in AT and its line, both as copies in L, and where the next line begins; NULL: there is none. */
static const char *line_next(const char *at, struct line *l)
{
	static const char store[] = "store file ", sectors[] = "sectors=";
	size_t len;
	char *end, *word, *last = NULL;

	free(l->copy);
	l->copy = NULL;
	while (*at && strncmp(at, store, strlen(store)))
		at += strcspn(at, "\n") + (at[strcspn(at, "\n")] != '\0');
	if (!*at)
		return NULL;
	len = strcspn(at, "\n");
	l->copy = malloc(2 * len + 2);
	if (!l->copy)
		return NULL;
	memcpy(l->copy, at, len);
	l->copy[len] = '\0';
	strcpy(l->copy + len + 1, l->copy);
	end = strstr(l->copy, sectors);
	if (end)
		*end = '\0';
	l->known = l->copy + strlen(store);
	end = l->copy + len + 1;
	while ((word = words_next(&end, NULL)))
		last = word;
	l->word = last ? last : "";
	return at + len + (at[len] == '\n');
}

int dm_kept_known(const char *record, const char *word, bool readonly)
{
	struct line l = { NULL, NULL, NULL };
	int fd = -1;

	while (fd < 0 && (record = line_next(record, &l)))
		if (!strcmp(l.word, word))
			fd = dm_kept_copy(l.known, readonly);
	free(l.copy);
	return fd;
}

/* What is kept counts as taken (keep_rest()). Without memory it is not held. */
static void hold_one(struct dm_kept_hold **h, const char *key, bool readonly)
{
	int fd = dm_kept_copy(key, readonly);
	struct dm_kept_hold *one;
	char name[NAME];

	if (fd < 0)
		return;
	close(fd);
	name_of(name, key, readonly);
	one = malloc(sizeof(*one));
	if (one && (one->use = use_more(name))) {
		one->next = *h;
		*h = one;
	} else {
		free(one);
	}
}

struct dm_kept_hold *dm_kept_hold(const char *record)
{
	struct line l = { NULL, NULL, NULL };
	struct dm_kept_hold *h = NULL;

	while (keep_is_any() && (record = line_next(record, &l))) {
		hold_one(&h, l.word, false);
		hold_one(&h, l.word, true);
		hold_one(&h, l.known, false);
		hold_one(&h, l.known, true);
	}
	free(l.copy);
	return h;
}

void dm_kept_let_go(struct dm_kept_hold *h)
{
	struct dm_kept_hold *next;

	for (; h; h = next) {
		next = h->next;
		use_less(h->use);
		free(h);
	}
}
