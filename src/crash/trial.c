/* SPDX-License-Identifier: BSD-2-Clause */
/* See trial.h. */
#include "crash/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crash/command_run.h"
#include "crash/file_names.h"
#include "crash/mounting.h"
#include "crash/state_file.h"
#include "session/holder_parts.h"

#define TRIAL_FSCK_SECONDS 600

struct trial {
	struct trial_options o;
	struct state_file file;
	struct mounting mounting;
	char *mnt, *place, *served, *device, *marks;
};

const char *verdict_name(enum verdict v)
{
	static const char *const names[VERDICTS] = { "passed", "failed", "crashed", "hung", "unmountable", "fsck", "untried" };

	return names[v];
}

static char *trial_path(const char *directory, const char *name)
{
	struct text t = TEXT_INIT;

	text_printf(&t, "%s/%s", directory, name);
	return text_take(&t);
}

static int trial_paths(struct trial *t, struct err *e)
{
	t->mnt = trial_path(t->o.out, "mnt");
	t->place = trial_path(t->o.out, "state");
	t->served = t->place ? trial_path(t->place, "disk") : NULL;
	t->device = t->served ? trial_path(t->served, STATE_FILE_NAME) : NULL;
	t->marks = t->place ? trial_path(t->place, "marks") : NULL;
	if (t->mnt && t->device && t->marks)
		return 0;
	return err_set(e, -ENOMEM, "no memory for the names of files");
}

static int trial_directory(const char *path, struct err *e)
{
	if (!mkdir(path, 0755) || errno == EEXIST)
		return 0;
	return err_set(e, -errno, "cannot make the directory %s: %s", path, strerror(errno));
}

/* A mount namespace of our own, in the same directory, which may have been removed. */
static int trial_unshare(bool *user_ns, struct err *e)
{
	int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), r = holder_unshare(user_ns, e);

	if (!r && (here < 0 || fchdir(here)))
		r = err_set(e, -errno, "the working directory: %s", strerror(errno));
	if (here >= 0)
		close(here);
	return r;
}

/* What is mounted here nobody else sees, and it goes with this process. */
static int trial_places(struct trial *t, struct err *e)
{
	bool user_ns;

	if (trial_directory(t->mnt, e) || trial_directory(t->place, e) || trial_unshare(&user_ns, e))
		return e->code;
	if (mount("dmuse", t->place, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755"))
		return err_set(e, -errno, "cannot mount a tmpfs on %s: %s", t->place, strerror(errno));
	if (user_ns)
		t->mounting.fuse = true;
	return trial_directory(t->served, e);
}

int trial_new(struct trial **out, const struct trial_options *o, struct err *e)
{
	struct trial *t = calloc(1, sizeof(*t));

	*out = t;
	if (!t)
		return err_set(e, -ENOMEM, "no memory for a state");
	t->o = *o;
	command_run_prepare();
	command_environment();
	if (trial_paths(t, e) || state_file_start(&t->file, o->history, o->base, e))
		return e->code;
	t->mounting = (struct mounting){ .fs = o->fs, .fuse = o->fuse, .options = o->mount_options, .file = t->device, .directory = t->mnt };
	if (trial_places(t, e))
		return e->code;
	setenv("DMUSE_MARKS", t->marks, 1);
	return state_file_mount(&t->file, t->served, e);
}

void trial_end(struct trial *t)
{
	state_file_end(&t->file);
}

static int trial_write_marks(const struct trial *t, const struct state *s, struct err *e)
{
	FILE *f = fopen(t->marks, "we");
	size_t i;

	for (i = 0; f && i < s->cut->marks; i++)
		fprintf(f, "%s\n", s->history->marks[i].text);
	if (f && !ferror(f) && !fclose(f))
		return 0;
	return err_set(e, -errno, "cannot write %s: %s", t->marks, strerror(errno));
}

static enum verdict trial_check(struct trial *t, struct trial_result *r)
{
	static const enum verdict verdicts[] = { [COMMAND_KILLED] = VERDICT_CRASHED, [COMMAND_HUNG] = VERDICT_HUNG, [COMMAND_FAILED] = VERDICT_NONE };
	char *argv[COMMAND_WORDS];
	const struct command_run run = { .argv = argv, .cwd = t->o.fs ? t->mnt : NULL, .seconds = t->o.seconds };
	enum command_end end;

	command_words(argv, t->o.check, t->o.fs ? t->mnt : t->device);
	end = command_run(&run, &r->status, &r->output);
	if (end != COMMAND_EXITED)
		return verdicts[end];
	return r->status ? VERDICT_FAILED : VERDICT_PASSED;
}

static int trial_begin(struct trial *t, const struct state *s, struct err *e)
{
	if (state_file_become(&t->file, s, e))
		return e->code;
	return trial_write_marks(t, s, e);
}

static enum verdict trial_failed(struct trial_result *r, const struct err *e)
{
	text_add(&r->output, e->text);
	return VERDICT_NONE;
}

/* Mounted, so that a journal is replayed, and unmounted: then its checker has nothing to complain of. */
static enum verdict trial_fsck(struct trial *t, struct trial_result *r)
{
	struct text said = TEXT_INIT, line = TEXT_INIT;
	char *argv[] = { "/bin/sh", "-c", NULL, "dmuse", t->device, NULL };
	const struct command_run run = { .argv = argv, .seconds = TRIAL_FSCK_SECONDS };
	enum verdict v = VERDICT_PASSED;
	enum command_end end;
	int status;

	text_printf(&line, "exec %s \"$1\"", t->o.fs->fsck);
	argv[2] = line.s;
	end = command_run(&run, &status, &said);
	if (end == COMMAND_FAILED || (end == COMMAND_EXITED && (status == 126 || status == 127)))
		v = VERDICT_NONE;
	else if (end != COMMAND_EXITED || status)
		v = VERDICT_FSCK;
	if (v == VERDICT_NONE)
		text_printf(&r->output, "cannot run %s, which checks %s: is it installed?", t->o.fs->fsck, t->o.fs->name);
	else if (v != VERDICT_PASSED)
		text_add(&r->output, text_str(&said));
	text_free(&said);
	text_free(&line);
	return v;
}

static enum verdict trial_mounted(struct trial *t, bool check, struct trial_result *r)
{
	enum verdict v = VERDICT_PASSED;
	struct err e = ERR_INIT;
	int code = mounting_begin(&t->mounting, &r->output, &e);

	if (code)
		return code < 0 ? trial_failed(r, &e) : VERDICT_UNMOUNTABLE;
	if (check)
		v = trial_check(t, r);
	return mounting_end(&t->mounting, &e) ? trial_failed(r, &e) : v;
}

/*
 * A file system that is damaged is to blame before the program is: when the check says no, the checker looks at the state as it was
 * before the check.
 */
static enum verdict trial_blame(struct trial *t, const struct state *s, enum verdict v, struct trial_result *r)
{
	struct trial_result again = { .output = TEXT_INIT };
	struct err e = ERR_INIT;
	enum verdict damaged = VERDICT_PASSED;

	if (v != VERDICT_PASSED) {
		if (trial_begin(t, s, &e))
			return trial_failed(r, &e);
		damaged = trial_mounted(t, false, &again);
	}
	if (damaged == VERDICT_PASSED)
		damaged = trial_fsck(t, &again);
	if (damaged == VERDICT_NONE)
		text_clear(&r->output);		/* why it cannot be tried is what counts */
	if (damaged != VERDICT_PASSED)
		text_add(&r->output, text_str(&again.output));
	text_free(&again.output);
	return damaged != VERDICT_PASSED ? damaged : v;
}

void trial_try(struct trial *t, const struct state *s, struct trial_result *r)
{
	struct err e = ERR_INIT;

	*r = (struct trial_result){ .output = TEXT_INIT };
	if (trial_begin(t, s, &e))
		r->verdict = trial_failed(r, &e);
	else if (!t->o.fs)
		r->verdict = trial_check(t, r);
	else
		r->verdict = trial_mounted(t, true, r);
	if (t->o.fs && (verdict_is_programs(r->verdict) || (t->o.fsck && r->verdict == VERDICT_PASSED)))
		r->verdict = trial_blame(t, s, r->verdict, r);
}

/* Mounted once, so that what stands in a journal only is where debugfs looks for it. */
void trial_names(struct trial *t, const char *sectors, struct text *out)
{
	struct trial_result r = { .output = TEXT_INIT };
	struct err e = ERR_INIT;
	struct state s;

	if (!t->o.fs || strncmp(t->o.fs->name, "ext", 3) || state_parse(&s, t->o.history, "after", &e))
		return;
	if (!trial_begin(t, &s, &e) && trial_mounted(t, false, &r) == VERDICT_PASSED)
		file_names(t->device, sectors, out);
	text_free(&r.output);
	state_free(&s);
}
