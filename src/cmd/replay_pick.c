/* SPDX-License-Identifier: BSD-2-Clause */
/* Which entries of a log are meant: see replay.h. */
#include "cmd/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cmd/say.h"
#include "targets/log_writes/format.h"

static int pick_numbers(struct replay *r)
{
	const struct options *o = &r->j->o;

	if (options_number(o, OPT_limit, UINT64_MAX, &r->limit, &r->e) || options_number(o, OPT_start_entry, UINT64_MAX, &r->start_entry, &r->e) ||
	    options_number(o, OPT_start_sector, UINT64_MAX, &r->from, &r->e) || options_number(o, OPT_end_sector, UINT64_MAX, &r->to, &r->e))
		return job_usage(r->j, "%s", r->e.text);
	if (o->given[OPT_limit] && !r->limit)
		return job_usage(r->j, "--limit 0 means no entry at all; the least is 1");
	if (o->given[OPT_start_entry] && o->given[OPT_start_mark])
		return job_usage(r->j, "--start-entry or --start-mark, not both");
	return EXIT_OK;
}

int replay_open(struct replay *r)
{
	int code = pick_numbers(r);

	if (code)
		return code;
	r->fd = open(r->name, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0)
		err_set(&r->e, -errno, "log %s: %s", r->name, strerror(errno));
	else
		wlog_open(&r->log, r->fd, r->name, &r->e);
	return r->e.code ? job_failed(r->j, NULL, &r->e) : EXIT_OK;
}

void replay_close(struct replay *r)
{
	wlog_close(r->log);
	if (r->fd >= 0)
		close(r->fd);
}

static bool is_mark(const struct wlog_entry *entry, const char *text)
{
	return text && entry->kind == WLOG_IS_MARK && !strcmp(entry->mark, text);
}

static int begin_behind(struct replay *r, const char *mark)
{
	struct wlog_entry entry;
	int found;

	while ((found = wlog_next(r->log, &entry, &r->e)) > 0)
		if (is_mark(&entry, mark))
			return 0;
	return found < 0 ? found : err_set(&r->e, -ENOENT, "log %s: there is no mark '%s' (--list shows all)", r->name, mark);
}

static int begin_with(struct replay *r, uint64_t number)
{
	struct wlog_entry entry;
	int found = 1;

	if (number && number >= wlog_entries(r->log))
		return err_set(&r->e, -ENOENT, "log %s: there is no entry %" PRIu64 ": it has %" PRIu64 ", counted from 0", r->name, number,
			       wlog_entries(r->log));
	while (number-- && found > 0)
		found = wlog_next(r->log, &entry, &r->e);
	return found < 0 ? found : 0;
}

int replay_begin(struct replay *r)
{
	wlog_rewind(r->log);
	r->taken = 0;
	r->ended = false;
	if (r->j->o.given[OPT_start_mark])
		return begin_behind(r, r->j->o.value[OPT_start_mark]);
	return begin_with(r, r->start_entry);
}

static bool ends_with(const struct replay *r, const struct wlog_entry *entry)
{
	const struct options *o = &r->j->o;

	return (o->given[OPT_next_flush] && entry->flags & WLOG_FLUSH) || (o->given[OPT_next_fua] && entry->flags & WLOG_FUA) ||
	       (o->given[OPT_end_mark] && is_mark(entry, o->value[OPT_end_mark])) || (r->limit && r->taken == r->limit);
}

int replay_next(struct replay *r, struct wlog_entry *entry)
{
	int found = r->ended ? 0 : wlog_next(r->log, entry, &r->e);

	if (found <= 0)
		return found;
	r->taken++;
	r->ended = ends_with(r, entry);
	return 1;
}

bool replay_skips(const struct replay *r, const struct wlog_entry *entry)
{
	if (entry->kind == WLOG_IS_DISCARD && r->j->o.given[OPT_no_discard])
		return true;
	return entry->count && (entry->sector + entry->count <= r->from || entry->sector > r->to);
}

int replay_check_end(struct replay *r)
{
	const struct options *o = &r->j->o;

	if (r->ended)
		return 0;
	if (o->given[OPT_end_mark])
		return err_set(&r->e, -ENOENT, "log %s: there is no mark '%s' after the beginning (--list shows all)", r->name,
			       o->value[OPT_end_mark]);
	return o->given[OPT_find] ? err_set(&r->e, -ENOENT, "log %s: it ends before that is found", r->name) : 0;
}

const char *replay_kind(const struct wlog_entry *entry)
{
	static const char *const kinds[] = { "write", "discard", "flush", "mark" };

	return kinds[entry->kind];
}

const char *replay_flags(const struct wlog_entry *entry, char out[64])
{
	bool own = entry->kind == WLOG_IS_FLUSH;
	const struct {
		bool is;
		const char *word;
	} words[] = { { entry->flags & WLOG_FLUSH && !own, "flush" }, { entry->flags & WLOG_FUA, "fua" },
		      { entry->flags & WLOG_METADATA, "metadata" } };
	size_t i;

	*out = 0;
	for (i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (words[i].is)
			strcat(strcat(out, *out ? "," : ""), words[i].word);
	return out;
}

void replay_print(const struct wlog_entry *entry)
{
	struct text line = TEXT_INIT;
	char flags[64];

	text_printf(&line, "%" PRIu64 " %s", entry->number, replay_kind(entry));
	if (entry->count)
		text_printf(&line, " %" PRIu64 "+%" PRIu64, entry->sector, entry->count);
	if (*replay_flags(entry, flags))
		text_printf(&line, " %s", flags);
	if (entry->kind == WLOG_IS_MARK) {
		text_add(&line, " ");
		text_add_shown(&line, entry->mark);
	}
	puts(say_text(&line));
	text_free(&line);
}
