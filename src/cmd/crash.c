/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmuse crash: records a workload (crash_record.h), then tries the states that power cuts could have left (src/crash). With a recording that is
 * there already it only tries, one state (--play) or many.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/words.h"
#include "cmd/crash_options.h"
#include "cmd/crash_record.h"
#include "cmd/inside.h"
#include "cmd/say.h"
#include "crash/command_run.h"
#include "crash/explore.h"

struct crash {
	struct job *job;
	struct crash_options o;
	struct recording recording;
	struct report report;
	struct text again;
};

/* A path for sh(1). */
static void crash_quote(struct text *out, const char *s)
{
	text_add(out, "'");
	for (; *s; s++) {
		if (*s == '\'')
			text_add(out, "'\\''");
		else
			text_add_n(out, s, 1);
	}
	text_add(out, "'");
}

static void crash_progress(const struct report *r, size_t tried)
{
	size_t failed = tried - r->counts[VERDICT_PASSED];

	if (tried == r->n || tried % 16 == 0)
		fprintf(stderr, "\r%zu of %zu states tried, %zu failed%s", tried, r->n, failed, tried == r->n ? "\n" : "");
}

static int crash_print(struct crash *x)
{
	struct text out = TEXT_INIT;

	if (x->job->o.given[OPT_json])
		return job_print_json(x->job, report_json(&x->report));
	report_text(&x->report, &out);
	fputs(say_text(&out), stdout);
	text_free(&out);
	return EXIT_OK;
}

static int crash_write_junit(struct crash *x)
{
	const char *path = x->job->o.value[OPT_junit];
	FILE *f = path ? fopen(path, "we") : NULL;
	struct text out = TEXT_INIT;
	struct err e = ERR_INIT;
	bool bad = !f;

	if (!path)
		return EXIT_OK;
	report_junit(&x->report, &out);
	if (out.failed)
		say_need(NULL);
	if (f) {
		fputs(text_str(&out), f);
		bad = ferror(f);
		bad |= fclose(f) != 0;
	}
	text_free(&out);
	if (!bad)
		return EXIT_OK;
	err_set(&e, -errno, "cannot write %s: %s", path, strerror(errno));
	return job_failed(x->job, NULL, &e);
}

static int crash_try(struct crash *x)
{
	const char *play = x->job->o.value[OPT_play];
	struct explore_options o = x->o.explore;
	struct err e = ERR_INIT;
	char *check = say_need(command_absolute(x->o.check ? x->o.check : x->recording.check));
	int r, code;

	o.check = check;
	if (!play && isatty(STDERR_FILENO))
		o.progress = crash_progress;
	x->report.recording = &x->recording;
	x->report.again = text_str(&x->again);
	r = play ? explore_one(&x->report, &o, play, &e) : explore(&x->report, &o, &e);
	free(check);
	if (r)
		return job_failed(x->job, NULL, &e);
	code = crash_print(x);
	if (!code)
		code = crash_write_junit(x);
	return code ? code : report_exit(&x->report);
}

static void crash_again(struct crash *x)
{
	text_add(&x->again, "dmuse crash --out ");
	crash_quote(&x->again, x->recording.directory);
	if (x->o.explore.fuse)
		text_add(&x->again, " --fuse");
	if (!x->o.check || !strcmp(x->o.check, x->recording.check))
		return;
	text_add(&x->again, " --check ");
	crash_quote(&x->again, x->o.check);
}

static int crash_explore(struct crash *x)
{
	struct err e = ERR_INIT;
	int code;

	if (recording_open(&x->recording, x->o.out, &e)) {
		code = job_failed(x->job, NULL, &e);
	} else if (!x->o.check && !*x->recording.check) {
		code = job_usage(x->job, "--check is missing: the command that says whether a state is right");
	} else {
		crash_again(x);
		code = crash_try(x);
		report_free(&x->report);
	}
	recording_close(&x->recording);
	return code;
}

static int crash_workload_failed(const struct crash *x, int status)
{
	struct err e = ERR_INIT;

	if (WIFSIGNALED(status))
		err_set(&e, -EINTR, "the workload was ended by signal %d (%s); no state was tried", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		err_set(&e, -ECHILD, "the workload failed: it exited with status %d; no state was tried", WEXITSTATUS(status));
	job_failed(x->job, NULL, &e);
	return REPORT_WORKLOAD;
}

static int crash_record_new(struct crash *x)
{
	struct recording rec = { .directory = say_need(realpath(x->o.out, NULL)), .size = x->o.size, .unit = x->o.unit, .fs = x->o.fs,
				 .fuse = x->o.fs && (geteuid() || x->o.explore.fuse) };
	struct crash_record r = { .recording = &rec, .mkfs_options = x->o.mkfs_options, .settle = x->o.settle };
	struct err e = ERR_INIT;
	int code;

	rec.mount_options = say_need(strdup(x->o.mount_options));
	rec.run = say_need(strdup(x->job->o.value[OPT_run]));
	rec.check = say_need(command_absolute(x->o.check));
	if (rec.fuse && !rec.fs->fuse) {
		err_set(&e, -EPERM, "%s can be mounted by root only, and by the kernel; fuse2fs mounts ext2, ext3 and ext4", rec.fs->name);
		code = job_failed(x->job, NULL, &e);
	} else {
		code = crash_record(x->job, &r);
	}
	recording_close(&rec);
	return code || !r.status ? code : crash_workload_failed(x, r.status);
}

int command_crash(struct job *j)
{
	struct crash x = { .job = j, .again = TEXT_INIT };
	int code = crash_options_take(j, &x.o);

	inside_path();
	if (!code && x.o.record)
		code = crash_record_new(&x);
	if (!code)
		code = crash_explore(&x);
	text_free(&x.again);
	return code;
}
