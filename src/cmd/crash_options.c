/* SPDX-License-Identifier: BSD-2-Clause */
/* See crash_options.h. */
#include "cmd/crash_options.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/words.h"
#include "cmd/say.h"
#include "crash/recording.h"

#define CRASH_OUT "dmuse-crash"
#define CRASH_SIZE (UINT64_C(256) << 20)
#define CRASH_UNIT 4096u
#define CRASH_UNIT_MOST (UINT64_C(1) << 20)
#define CRASH_STATES 1000u
#define CRASH_SECONDS 60u
#define CRASH_SETTLE_RAW 1u
#define CRASH_MOST 1000000u

/* A number of bytes; left alone if it was not given. */
static int options_bytes(const struct options *o, enum option_id id, uint64_t *out, struct err *e)
{
	if (!o->given[id])
		return 0;
	if (words_bytes(o->value[id], out) || !*out || *out % 512)
		return err_set(e, -EINVAL, "--%s %s: not a number of bytes that is a multiple of 512, such as 64M", option_rows[id].name,
			       o->value[id]);
	return 0;
}

static int take_fs(const struct options *o, struct crash_options *c, struct err *e)
{
	const char *name = o->given[OPT_fs] ? o->value[OPT_fs] : "ext4";
	struct text names = TEXT_INIT;

	if (o->given[OPT_raw])
		return o->given[OPT_fs] ? err_set(e, -EINVAL, "--fs and --raw are mutually exclusive") : 0;
	c->fs = fs_find(name);
	if (!c->fs) {
		fs_names(&names);
		err_set(e, -EINVAL, "--fs %s: unknown file system; known are %s", name, text_str(&names));
		text_free(&names);
	} else if (c->size < c->fs->least) {
		err_set(e, -EINVAL, "--size: %s needs %llu MiB at least", name, (unsigned long long)(c->fs->least >> 20));
	}
	return e->code;
}

static int take_disk(const struct options *o, struct crash_options *c, struct err *e)
{
	if (options_bytes(o, OPT_size, &c->size, e) || options_bytes(o, OPT_atomic, &c->unit, e))
		return e->code;
	if (c->unit & (c->unit - 1) || c->unit > CRASH_UNIT_MOST)
		return err_set(e, -EINVAL, "--atomic %s: not a power of two from 512 to 1M", o->value[OPT_atomic]);
	return take_fs(o, c, e);
}

static int take_points(const struct options *o, struct crash_options *c, struct err *e)
{
	if (!o->given[OPT_points] || !strcmp(o->value[OPT_points], "all"))
		return 0;
	if (words_u64(o->value[OPT_points], &c->explore.choose.points) || !c->explore.choose.points)
		return err_set(e, -EINVAL, "--points %s: neither 'all' nor a number", o->value[OPT_points]);
	return 0;
}

static int take_numbers(const struct options *o, struct crash_options *c, struct err *e)
{
	uint64_t jobs = (uint64_t)get_nprocs(), seconds = CRASH_SECONDS, settle = c->fs ? c->fs->settle : CRASH_SETTLE_RAW;
	struct explore_options *x = &c->explore;

	x->choose.states = CRASH_STATES;
	if (take_points(o, c, e) || options_number(o, OPT_states, CRASH_MOST, &x->choose.states, e) ||
	    options_number(o, OPT_seed, UINT64_MAX, &x->choose.seed, e) || options_number(o, OPT_jobs, 256, &jobs, e) ||
	    options_number(o, OPT_timeout, CRASH_MOST, &seconds, e) || options_number(o, OPT_settle, CRASH_MOST, &settle, e))
		return e->code;
	x->jobs = jobs ? (unsigned)jobs : 1;
	x->seconds = (unsigned)seconds;
	c->settle = (unsigned)settle;
	return 0;
}

static bool is_empty(const char *directory)
{
	DIR *d = opendir(directory);
	struct dirent *entry;
	bool empty = true;

	while (d && empty && (entry = readdir(d)))
		empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
	if (d)
		closedir(d);
	return empty;
}

/* An old recording is replaced; anything else is not touched. */
static int take_out(struct crash_options *c, struct err *e)
{
	if (c->record && mkdir(c->out, 0755) && errno != EEXIST)
		return err_set(e, -errno, "cannot make the directory %s: %s", c->out, strerror(errno));
	if (c->record && !recording_exists(c->out) && !is_empty(c->out))
		return err_set(e, -ENOTEMPTY, "%s is neither empty nor a recording: --out wants a directory of its own", c->out);
	if (!c->record && access(c->out, R_OK))
		return err_set(e, -errno, "%s: %s; --run COMMAND makes a recording there", c->out, strerror(errno));
	return 0;
}

static int take_words(struct job *j, struct crash_options *c)
{
	const struct options *o = &j->o;

	if (j->argc)
		return job_usage(j, "unexpected word '%s'", j->argv[0]);
	c->record = o->given[OPT_run];
	c->check = o->given[OPT_check] ? o->value[OPT_check] : NULL;
	c->out = o->given[OPT_out] ? o->value[OPT_out] : CRASH_OUT;
	c->mkfs_options = o->given[OPT_mkfs_options] ? o->value[OPT_mkfs_options] : NULL;
	c->mount_options = o->given[OPT_mount_options] ? o->value[OPT_mount_options] : "";
	c->explore.fuse = o->given[OPT_fuse];
	c->explore.fsck = o->given[OPT_check_fs];
	if (c->record && o->given[OPT_play])
		return job_usage(j, "--run and --play are mutually exclusive");
	if (c->record && !c->check)
		return job_usage(j, "--check is missing: the command that says whether a state is right");
	if (!c->record && !o->given[OPT_out])
		return job_usage(j, "--run is missing: the workload; or --out, a recording that is there already");
	if (strchr(c->mount_options, '\''))
		return job_usage(j, "--mount-options: no quotes");
	return EXIT_OK;
}

int crash_options_take(struct job *j, struct crash_options *c)
{
	struct err e = ERR_INIT;
	int code;

	*c = (struct crash_options){ .size = CRASH_SIZE, .unit = CRASH_UNIT };
	code = take_words(j, c);
	if (code)
		return code;
	if (take_disk(&j->o, c, &e) || take_numbers(&j->o, c, &e) || take_out(c, &e))
		return job_failed(j, NULL, &e);
	return EXIT_OK;
}
