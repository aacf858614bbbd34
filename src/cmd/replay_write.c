/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmuse replay --replay: the log is read twice. The first time everything is checked, so that a log or a target that will not
 * do is refused before the target has changed.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/keys.h"
#include "cmd/replay.h"
#include "cmd/say.h"
#include "core/path/req.h"
#include "targets/log_writes/format.h"

#define PROGRESS_NS 200000000

/* When --fsck runs. */
struct check {
	const char *command;	/* NULL: never */
	uint32_t flags;		/* after an entry that has one of these, ... */
	uint64_t every;		/* ... or after so many entries; 0: not by number */
};

struct write {
	struct replay *r;
	struct replay_target target;
	struct check check;
	uint64_t whole;			/* entries */
	uint64_t first, last;		/* their numbers */
	uint64_t bytes;			/* of data written */
	uint64_t checks;
	uint64_t told;			/* when progress is told next, ns */
	bool told_any;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void progress(struct write *w)
{
	uint64_t now = now_ns();

	if (now < w->told)
		return;
	w->told = now + PROGRESS_NS;
	w->told_any = true;
	fprintf(stderr, "\rdmuse: replay: %" PRIu64 " of %" PRIu64 " entries, %" PRIu64 " MiB", w->r->taken, w->whole, w->bytes >> 20);
	fflush(stderr);
}

/* From a second on; only for people. */
static void progress_begin(struct write *w)
{
	w->told = isatty(STDERR_FILENO) ? now_ns() + 1000000000u : UINT64_MAX;
}

static void progress_end(struct write *w)
{
	if (w->told_any)
		fputs("\r\033[K", stderr);
	w->told_any = false;
}

static int check_options(struct write *w)
{
	struct job *j = w->r->j;
	const char *when = j->o.value[OPT_check_at];

	if (j->o.given[OPT_fsck] != j->o.given[OPT_check_at])
		return job_usage(j, "--fsck COMMAND and --check WHEN belong together");
	if (!when)
		return EXIT_OK;
	w->check.command = j->o.value[OPT_fsck];
	if (!strcmp(when, "flush"))
		w->check.flags = WLOG_FLUSH;
	else if (!strcmp(when, "fua"))
		w->check.flags = WLOG_FUA;
	else if (options_number(&j->o, OPT_check_at, UINT64_MAX, &w->check.every, &w->r->e) || !w->check.every)
		return job_usage(j, "--check '%s': when is it to run? flush, fua, or a number of entries, 1 or more", when);
	return EXIT_OK;
}

static bool check_is_due(const struct write *w, const struct wlog_entry *entry)
{
	const struct check *c = &w->check;

	return c->command && (entry->flags & c->flags || (c->every && w->r->taken % c->every == 0));
}

static int check_run(struct write *w, const struct wlog_entry *entry)
{
	struct err *e = &w->r->e;
	int status;

	if (replay_target_sync(&w->target, e))
		return e->code;
	progress_end(w);
	fflush(stdout);
	status = system(w->check.command);
	w->checks++;
	if (status < 0)
		return err_set(e, -errno, "'%s' cannot be run: %s", w->check.command, strerror(errno));
	if (WIFSIGNALED(status))
		return err_set(e, -ECANCELED, "after entry %" PRIu64 " '%s' was killed by signal %d (%s)", entry->number, w->check.command,
			       WTERMSIG(status), strsignal(WTERMSIG(status)));
	return status ? err_set(e, -EUCLEAN, "after entry %" PRIu64 " '%s' failed with exit status %d", entry->number, w->check.command,
				WEXITSTATUS(status)) : 0;
}

/* All that is meant is right, and fits: 0 or -errno. */
static int look_ahead(struct write *w)
{
	struct replay *r = w->r;
	struct wlog_entry entry;
	int found;

	if (replay_begin(r))
		return r->e.code;
	while ((found = replay_next(r, &entry)) > 0) {
		w->first = r->taken == 1 ? entry.number : w->first;
		w->last = entry.number;
		if (!replay_skips(r, &entry) && replay_target_fits(&w->target, &entry, &r->e))
			return r->e.code;
	}
	w->whole = r->taken;
	return found < 0 ? found : replay_check_end(r);
}

static int put_one(struct write *w, const struct wlog_entry *entry)
{
	struct replay *r = w->r;

	if (!replay_skips(r, entry)) {
		if (r->j->o.given[OPT_verbose] && !r->j->o.given[OPT_json])
			replay_print(entry);
		if (replay_target_put(&w->target, r->log, entry, &r->e))
			return r->e.code;
		w->bytes += entry->kind == WLOG_IS_WRITE ? entry->count << DM_SECTOR_SHIFT : 0;
	}
	progress(w);
	return check_is_due(w, entry) ? check_run(w, entry) : 0;
}

static int put_all(struct write *w)
{
	struct replay *r = w->r;
	struct wlog_entry entry;
	int found, err = 0;

	if (look_ahead(w) || replay_begin(r))
		return r->e.code;
	progress_begin(w);
	while (!err && (found = replay_next(r, &entry)))
		err = found < 0 ? found : put_one(w, &entry);
	progress_end(w);
	return err ? err : replay_target_sync(&w->target, &r->e);
}

static int write_say(const struct write *w)
{
	struct job *j = w->r->j;
	plist_t out;

	if (!j->o.given[OPT_json]) {
		if (w->whole)
			printf("entries %" PRIu64 " to %" PRIu64 " of %" PRIu64 ", %" PRIu64 " bytes, are on %s\n", w->first, w->last,
			       wlog_entries(w->r->log), w->bytes, w->target.name);
		else
			printf("there was nothing to replay\n");
		return EXIT_OK;
	}
	out = plist_new_dict();
	key_set_u64(out, "entries", w->whole);
	key_set_u64(out, "next_entry", w->whole ? w->last + 1 : w->r->start_entry);
	key_set_u64(out, "bytes", w->bytes);
	key_set_u64(out, "checks", w->checks);
	return job_print_json(j, out);
}

int replay_write(struct replay *r)
{
	struct write w = { .r = r, .target.fd = -1 };
	int code = check_options(&w);

	if (code)
		return code;
	if (replay_target_open(&w.target, r->j->o.value[OPT_replay], &r->e) || put_all(&w))
		code = job_failed(r->j, NULL, &r->e);
	else
		code = write_say(&w);
	replay_target_close(&w.target);
	return code;
}
