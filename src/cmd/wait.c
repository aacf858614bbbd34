/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse wait: for an event, or (--progress) for the end of what a device does by itself, which a terminal is shown. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/words.h"
#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/pick.h"
#include "cmd/progress.h"
#include "cmd/say.h"
#include "cmd/show.h"

#define LOOK_NS 200000000	/* between two looks */

static int wait_send(struct job *j, const char *name, uint64_t event_nr)
{
	plist_t request = request_new("wait", name);

	key_set_u64(request, "event_nr", event_nr);
	return show_change(j, name, request);
}

/* --- the end of a merge, or of what makes legs equal ---------------------------------------------------------------------- */

struct follow {
	struct progress now;		/* the first line that works, and is not over yet; else the last one that is */
	bool any, over;			/* there is a line that works; all have ended */
	uint64_t most;			/* that was left to merge when it was first seen */
	size_t shown;			/* characters that are on the terminal */
};

static void follow_take(const struct progress *p, void *arg)
{
	struct follow *f = arg;

	if (!f->over || !(p->works || *p->state))
		return;
	f->any = true;
	f->over = progress_is_over(p);
	f->now = *p;
}

static int follow_look(struct job *j, const char *name, struct follow *f)
{
	f->any = false;
	f->over = true;
	return progress_each(j, name, follow_take, f);
}

static void follow_line(struct follow *f, struct text *out)
{
	const struct progress *p = &f->now;

	if (!p->done && p->total > f->most)
		f->most = p->total;
	if (p->works && !strcmp(p->type, "snapshot-merge") && f->most)
		text_printf(out, "%u%%: ", (unsigned)((double)(f->most - p->total) * 100 / (double)f->most));
	progress_text(p, out);
}

/* Over what was there; a log gets nothing. */
static void follow_show(struct follow *f, const char *name)
{
	struct text line = TEXT_INIT;

	if (!isatty(STDERR_FILENO))
		return;
	follow_line(f, &line);
	fprintf(stderr, "\r%s: %s\033[K", name, text_str(&line));
	fflush(stderr);
	f->shown = line.len;
	text_free(&line);
}

static void follow_clear(const struct follow *f)
{
	if (f->shown)
		fputs("\r\033[K", stderr);
}

static int follow_say(struct job *j, const char *name, struct follow *f)
{
	struct text line = TEXT_INIT;
	plist_t json;

	if (j->o.given[OPT_json]) {
		json = progress_json(&f->now);
		key_set_text(json, "name", name);
		key_set_text(json, "type", f->now.type);
		return job_print_json(j, json);
	}
	progress_text(&f->now, &line);
	printf("%s: %s\n", name, say_text(&line));
	text_free(&line);
	return EXIT_OK;
}

static int follow_failed(struct job *j, const char *name, const struct follow *f)
{
	struct text line = TEXT_INIT;
	struct err e = ERR_INIT;

	progress_text(&f->now, &line);
	err_set(&e, -EIO, "it does not go on: %s", text_str(&line));
	text_free(&line);
	return job_failed(j, name, &e);
}

static int wait_follow(struct job *j, const char *name)
{
	struct timespec pause = { .tv_nsec = LOOK_NS };
	struct follow f = { .any = false };
	struct err e = ERR_INIT;
	int code;

	while (!(code = follow_look(j, name, &f)) && f.any && !f.over && !progress_has_failed(&f.now)) {
		follow_show(&f, name);
		nanosleep(&pause, NULL);
	}
	follow_clear(&f);
	if (code)
		return code;
	if (!f.any) {
		err_set(&e, -EINVAL, "it has no line that is being merged (snapshot-merge) or made equal (mirror, raid): there is no progress to wait for");
		return job_failed(j, name, &e);
	}
	return f.over ? follow_say(j, name, &f) : follow_failed(j, name, &f);
}

int command_wait(struct job *j)
{
	uint64_t event_nr = 0;
	char *name;
	int code = pick_device(j, 0, 1, &name);

	if (!code && j->argc && j->o.given[OPT_progress])
		code = job_usage(j, "--progress waits for no event: EVENT_NR does not belong to it");
	else if (!code && j->argc && (words_u64(j->argv[0], &event_nr) || event_nr > UINT32_MAX))
		code = job_usage(j, "the event number '%s' is not a number", j->argv[0]);
	else if (!code && j->o.given[OPT_progress])
		code = wait_follow(j, name);
	else if (!code)
		code = wait_send(j, name, event_nr);
	free(name);
	return code;
}
