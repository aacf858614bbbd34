/* SPDX-License-Identifier: BSD-2-Clause */
/* The words after a target's name: see args.h. */
#include "core/table/args.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "core/table/build.h"
#include "core/command/command.h"
#include "core/device/device.h"
#include "core/command/linux.h"

bool dm_args_failed(const struct dm_args *a)
{
	return a->failed;
}

bool dm_args_may_reserve(const struct dm_args *a)
{
	return !a->failed && !a->build->collecting;
}

struct dm_world *dm_args_world(const struct dm_args *a)
{
	return a->build->world;
}

bool dm_args_readonly(const struct dm_args *a)
{
	return a->build->o.readonly;
}

void dm_args_secret(struct dm_args *a)
{
	struct dm_build *b = a->build;

	b->table->secret = true;
	if (b->o.cmd)
		b->o.cmd->flags |= DM_WITH_SECRET;
}

bool dm_args_are_recorded(const struct dm_args *a)
{
	return a->build->o.cmd && a->build->o.cmd->flags & DM_WITH_RECORDED;
}

size_t dm_args_left(const struct dm_args *a)
{
	return a->failed ? 0 : words_count(a->rest);
}

void *dm_args_alloc(struct dm_args *a, size_t size)
{
	void *p = arena_alloc(a->build->arena, size);

	if (!p && !a->failed) {
		a->failed = true;
		err_set(a->err, -ENOMEM, "no memory for a target of %zu bytes", size);
	}
	return p;
}

/* Only the first error counts; it hides those of words that were never reached. */
static void args_complain(struct dm_args *a, int code, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void args_complain(struct dm_args *a, int code, const char *name, const char *fmt, ...)
{
	va_list ap;

	if (a->failed)
		return;
	a->failed = true;
	va_start(ap, fmt);
	err_vset(a->err, code, fmt, ap);
	va_end(ap);
	err_prefix(a->err, "word %u %s: ", a->word, name);
}

const char *dm_arg_word(struct dm_args *a, const char *name)
{
	struct err e = ERR_INIT;
	const char *word;

	if (a->failed)
		return "";
	a->word++;
	word = words_next(&a->rest, &e);
	if (word)
		return word;
	args_complain(a, -EINVAL, name, "%s", e.code ? e.text : "it is missing");
	return "";
}

bool dm_arg_is(struct dm_args *a, const char *word)
{
	size_t n = strlen(word);
	const char *at = a->rest;

	if (a->failed)
		return false;
	while (words_blank(*at))
		at++;
	if (strncmp(at, word, n) || (at[n] && !words_blank(at[n])))
		return false;
	dm_arg_word(a, word);
	return true;
}

static void args_bad_number(struct dm_args *a, const char *name, const char *word, int why, const char *right)
{
	switch (why) {
	case -ERANGE:
		args_complain(a, -EINVAL, name, "'%.80s' is larger than 64 bits can hold", word);
		break;
	case -EDOM:
		args_complain(a, -EINVAL, name, "'%.80s' is not a whole number of sectors of 512 bytes", word);
		break;
	default:
		args_complain(a, -EINVAL, name, "'%.80s' is not a number (%s)", word, right);
	}
}

static uint64_t args_in_range(struct dm_args *a, const char *name, uint64_t n, uint64_t min, uint64_t max)
{
	if (n >= min && n <= max)
		return n;
	args_complain(a, -EINVAL, name, "%llu is out of range: %llu to %llu", (unsigned long long)n,
		      (unsigned long long)min, (unsigned long long)max);
	return min;
}

uint64_t dm_arg_number(struct dm_args *a, const char *name, uint64_t min, uint64_t max)
{
	const char *word = dm_arg_word(a, name);
	uint64_t n = 0;
	int r;

	if (a->failed)
		return min;
	r = words_u64(word, &n);
	if (r)
		args_bad_number(a, name, word, r, "decimal digits");
	return a->failed ? min : args_in_range(a, name, n, min, max);
}

uint64_t dm_arg_sectors(struct dm_args *a, const char *name, uint64_t min, uint64_t max)
{
	bool sizes = a->build->o.sizes;
	const char *word = dm_arg_word(a, name);
	uint64_t n = 0;
	int r;

	if (a->failed)
		return min;
	r = sizes ? words_sectors(word, &n) : words_u64(word, &n);
	if (r)
		args_bad_number(a, name, word, r, sizes ? "sectors of 512 bytes, or bytes with K, M, G or T" :
							   "sectors of 512 bytes, decimal");
	return a->failed ? min : args_in_range(a, name, n, min, max);
}

static bool args_looks_later(const struct dm_args *a, const struct dm_store *s)
{
	const struct dm_build_opts *o = &a->build->o;

	return dm_linux_fits_at_resume(o->cmd) && ((o->device && o->device->ever_loaded) || (s->device && !s->sectors));
}

/* S does not have LEN sectors from OFFSET on. */
static void args_complain_end(struct dm_args *a, const char *name, const struct dm_store *s, uint64_t offset, uint64_t len)
{
	char missing[48] = "no device has that many";
	uint64_t end, bytes;

	if (!__builtin_add_overflow(offset, len, &end)) {
		if (__builtin_mul_overflow(end - s->sectors, (uint64_t)DM_SECTOR, &bytes))
			snprintf(missing, sizeof(missing), "%llu sectors are missing", (unsigned long long)(end - s->sectors));
		else
			snprintf(missing, sizeof(missing), "%llu bytes are missing", (unsigned long long)bytes);
	}
	args_complain(a, -EINVAL, name, "%llu sectors from %llu do not fit: '%.200s' has %llu sectors (%s)", (unsigned long long)len,
		      (unsigned long long)offset, s->name, (unsigned long long)s->sectors, missing);
}

/* LEN sectors from OFFSET on must exist and be whole blocks of the store. */
static void args_check_range(struct dm_args *a, const char *name, const struct dm_store *s, uint64_t offset, uint64_t len)
{
	uint32_t block = s->limits.logical / DM_SECTOR;

	if ((offset > s->sectors || len > s->sectors - offset) && !args_looks_later(a, s))
		args_complain_end(a, name, s, offset, len);
	else if (offset % block || len % block)
		args_complain(a, -EINVAL, name,
			      "offset %llu and length %llu must be multiples of %u sectors: '%.200s' has blocks of %u bytes",
			      (unsigned long long)offset, (unsigned long long)len, block, s->name, s->limits.logical);
}

/* For `check`: how the line uses the store. */
static void args_explain(struct dm_args *a, const struct dm_at *at, uint64_t len)
{
	struct dm_explain *out = a->build->o.explain;

	if (!out || a->failed)
		return;
	text_printf(&out->uses, "%zu %llu %llu %llu ", a->build->table->n + 1, (unsigned long long)at->offset,
		    (unsigned long long)len, (unsigned long long)at->store->sectors);
	text_add_word(&out->uses, at->store->name);
	text_add(&out->uses, "\n");
	text_add(&out->lines, a->build->explain_sep);
	text_add_shown(&out->lines, at->store->name);
	text_printf(&out->lines, ", sectors %llu to %llu of %llu",
		    (unsigned long long)at->offset, (unsigned long long)(at->offset + len - 1),
		    (unsigned long long)at->store->sectors);
	a->build->explain_sep = "; ";
}

/* The store that WORD, which is word N, means. NULL: a failure, or there is a stand-in instead. */
static struct dm_build_word *args_store(struct dm_args *a, const char *name, const char *word, unsigned n, struct dm_at *at)
{
	struct dm_build_word *w = NULL;

	if (!a->failed && dm_build_store(a->build, word, &w)) {
		a->failed = true;
		err_prefix(a->err, "word %u %s: ", n, name);
	}
	if (a->failed)
		return NULL;
	at->store = a->build->collecting ? &a->build->standin : w->store;
	return a->build->collecting ? NULL : w;
}

/* The line uses LEN sectors of W from AT on. NAME is the word that would be wrong. */
static void args_use(struct dm_args *a, const char *name, struct dm_build_word *w, const struct dm_at *at, uint64_t len)
{
	uint64_t end;

	if (__builtin_add_overflow(at->offset, len, &end))
		end = UINT64_MAX;
	if (w->end < end)
		w->end = end;
	if (a->block < at->store->limits.logical)
		a->block = at->store->limits.logical;
	args_check_range(a, name, at->store, at->offset, len);
	if (!a->failed)
		dm_build_guard(a->build, w, at->offset);
	args_explain(a, at, len);
}

struct dm_at dm_arg_at(struct dm_args *a, uint64_t len)
{
	const char *word = dm_arg_word(a, "<device>");
	struct dm_at at = { .store = NULL };
	struct dm_build_word *w;

	at.offset = dm_arg_sectors(a, "<offset>", 0, UINT64_MAX);	/* first, as Linux does: that costs nothing */
	w = args_store(a, "<device>", word, a->word - 1, &at);
	if (w)
		args_use(a, "<offset>", w, &at, len);
	return at;
}

struct dm_at dm_arg_device(struct dm_args *a, const char *name, uint64_t len)
{
	return dm_args_device(a, name, dm_arg_word(a, name), len);
}

struct dm_at dm_arg_device_read(struct dm_args *a, const char *name, uint64_t len)
{
	struct dm_at at;

	a->build->reads = true;
	at = dm_arg_device(a, name, len);
	a->build->reads = false;
	return at;
}

struct dm_at dm_args_device(struct dm_args *a, const char *name, const char *word, uint64_t len)
{
	struct dm_at at = { .store = NULL };
	struct dm_build_word *w = args_store(a, name, word, a->word, &at);

	if (w)
		args_use(a, name, w, &at, len == DM_WHOLE ? at.store->sectors : len);
	return at;
}

int dm_args_fail(struct dm_args *a, const char *fmt, ...)
{
	va_list ap;

	if (a->failed)
		return a->err->code;
	a->failed = true;
	va_start(ap, fmt);
	err_vset(a->err, -EINVAL, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int dm_args_end(struct dm_args *a)
{
	char *word;

	if (!a->failed && (word = words_next(&a->rest, NULL))) {
		a->failed = true;
		err_set(a->err, -EINVAL, "word %u '%.80s' is one too many", a->word + 1, word);
	}
	return a->failed ? a->err->code : 0;
}

int dm_args_rest_ignored(struct dm_args *a)
{
	return a->failed ? a->err->code : 0;
}
