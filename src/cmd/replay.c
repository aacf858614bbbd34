/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmuse replay: lists a log of writes, finds something in it, or writes it to a file or disk (replay_write.c). It needs no
 * daemon. The options are those of xfstests' replay-log, so that scripts for it work.
 */
#include "cmd/replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/keys.h"
#include "targets/log_writes/format.h"

static plist_t entry_json(const struct wlog_entry *entry)
{
	plist_t out = plist_new_dict(), flags = plist_new_array();
	char words[64], *word, *save = NULL;

	key_set_u64(out, "number", entry->number);
	key_set_u64(out, "byte", entry->at);
	key_set_text(out, "kind", replay_kind(entry));
	if (entry->count) {
		key_set_u64(out, "sector", entry->sector);
		key_set_u64(out, "sectors", entry->count);
	}
	replay_flags(entry, words);
	for (word = strtok_r(words, ",", &save); word; word = strtok_r(NULL, ",", &save))
		plist_array_append_item(flags, plist_new_string(word));
	plist_dict_set_item(out, "flags", flags);
	if (entry->kind == WLOG_IS_MARK)
		key_set_text(out, "mark", entry->mark);
	return out;
}

static int list_json(struct replay *r, plist_t entries)
{
	plist_t out = plist_new_dict();

	key_set_u64(out, "version", WLOG_VERSION);
	key_set_u64(out, "sector_size", wlog_sector_size(r->log));
	key_set_u64(out, "num_entries", wlog_entries(r->log));
	plist_dict_set_item(out, "entries", entries);
	return job_print_json(r->j, out);
}

static int replay_list(struct replay *r)
{
	bool json = r->j->o.given[OPT_json];
	plist_t entries = json ? plist_new_array() : NULL;
	struct wlog_entry entry;
	int found = replay_begin(r);

	while (!found && (found = replay_next(r, &entry)) > 0) {
		found = 0;
		if (replay_skips(r, &entry))
			continue;
		if (json)
			plist_array_append_item(entries, entry_json(&entry));
		else
			replay_print(&entry);
		if (r->ended)
			break;
	}
	if (found < 0 || replay_check_end(r)) {
		plist_free(entries);
		return job_failed(r->j, NULL, &r->e);
	}
	return json ? list_json(r, entries) : EXIT_OK;
}

static int replay_find(struct replay *r)
{
	struct wlog_entry entry = { .number = 0 };
	int found = replay_begin(r);
	plist_t out;

	while (!found && !r->ended && (found = replay_next(r, &entry)) > 0)
		found = 0;
	if (found < 0 || replay_check_end(r))
		return job_failed(r->j, NULL, &r->e);
	if (r->j->o.given[OPT_json]) {
		out = plist_new_dict();
		key_set_u64(out, "entry", entry.number);
		key_set_u64(out, "next_byte", wlog_at(r->log));
		return job_print_json(r->j, out);
	}
	printf("%" PRIu64 "@%" PRIu64 "\n", entry.number, wlog_at(r->log) / wlog_sector_size(r->log));
	return EXIT_OK;
}

static int replay_count(struct replay *r)
{
	plist_t out;

	if (r->j->o.given[OPT_json]) {
		out = plist_new_dict();
		key_set_u64(out, "num_entries", wlog_entries(r->log));
		return job_print_json(r->j, out);
	}
	printf("%" PRIu64 "\n", wlog_entries(r->log));
	return EXIT_OK;
}

static int replay_do(struct replay *r)
{
	const bool *given = r->j->o.given;

	if (given[OPT_find])
		return replay_find(r);
	if (given[OPT_num_entries])
		return replay_count(r);
	return given[OPT_replay] ? replay_write(r) : replay_list(r);
}

/* What belongs together. */
static int replay_usage(struct job *j)
{
	const bool *given = j->o.given;

	if (j->argc)
		return job_usage(j, "unexpected word '%s'", j->argv[0]);
	if (!given[OPT_log])
		return job_usage(j, "the log is missing: --log LOGFILE");
	if (given[OPT_list] + given[OPT_find] + given[OPT_num_entries] + given[OPT_replay] > 1)
		return job_usage(j, "one of --list, --replay, --find, --num-entries");
	if (given[OPT_find] && !given[OPT_limit] && !given[OPT_next_flush] && !given[OPT_next_fua] && !given[OPT_end_mark])
		return job_usage(j, "--find: what? --next-flush, --next-fua, --end-mark TEXT or --limit N");
	if (!given[OPT_replay] && (given[OPT_fsck] || given[OPT_check_at]))
		return job_usage(j, "--fsck and --check belong to --replay FILE");
	return EXIT_OK;
}

int command_replay(struct job *j)
{
	struct replay r = { .j = j, .name = j->o.value[OPT_log], .fd = -1, .to = UINT64_MAX };
	int code = replay_usage(j);

	if (!code)
		code = replay_open(&r);
	if (!code)
		code = replay_do(&r);
	replay_close(&r);
	return code;
}
