/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See crash_record.h. The private daemon has one device, `crash`: log-writes on two files of crash_space.h, the disk and the log; after the cut,
 * on the disk and a second log. Exchanging the table is the cut: log-writes then ends its log with all that was written and not flushed, and the
 * file system goes on, to be unmounted in peace. No other device shows the disk, or btrfs would find the same file system twice.
 */
#include "cmd/crash_record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/client.h"
#include "cmd/crash_space.h"
#include "cmd/keys.h"
#include "cmd/private.h"
#include "cmd/rows.h"
#include "cmd/say.h"
#include "core/world.h"
#include "crash/command_run.h"
#include "session/run.h"

#define RECORD_DEVICE "crash"
#define RECORD_PATH "/dev/mapper/" RECORD_DEVICE
#define RECORD_STOP 1u		/* seconds that what the workload has left in the background gets to end, after the cut */

struct record {
	struct job *job;
	struct crash_record *r;
	struct private daemon;
	struct crash_space space;
	char *mnt;			/* NULL: raw */
};

static int record_wait(pid_t pid)
{
	int status = RUN_FAILED << 8;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* stdout is the report's. */
static _Noreturn void record_exec(char *const *argv, const char *cwd)
{
	dup2(STDERR_FILENO, STDOUT_FILENO);
	command_environment();
	if (!cwd || !chdir(cwd))
		execv("/proc/self/exe", argv);
	say_error("%s: %s", cwd ? cwd : "/proc/self/exe", strerror(errno));
	_exit(RUN_FAILED);
}

/* A program in a session of the daemon; its status. */
static int record_in_session(struct record *x, char *const *words, const char *cwd)
{
	char *argv[16] = { "dmuse", "exec", "--no-start", "--socket", x->daemon.control, "--" };
	size_t i, n = 6;
	pid_t pid;

	for (i = 0; words[i] && n + 1 < sizeof(argv) / sizeof(*argv); i++)
		argv[n++] = words[i];
	pid = fork();
	if (!pid)
		record_exec(argv, cwd);
	return pid < 0 ? RUN_FAILED << 8 : record_wait(pid);
}

static int record_table(struct record *x, const char *command, const char *device, char *table)
{
	plist_t request = request_new(command, device);

	key_set_text(request, "table", table);
	free(table);
	return client_ask(x->job, device, request, NULL);
}

/* The device gets a table with that log. */
static int record_load(struct record *x, const char *command, enum crash_space_file log)
{
	struct text t = TEXT_INIT;

	text_printf(&t, "0 %" PRIu64 " log-writes %s %s", x->r->recording->size / 512, x->space.files[SPACE_DATA].path, x->space.files[log].path);
	return record_table(x, command, RECORD_DEVICE, say_need(text_take(&t)));
}

/* The table for after the cut is loaded already, while the files have names. */
static int record_device(struct record *x)
{
	struct err e = ERR_INIT;
	int code = EXIT_OK;

	if (crash_space_show(&x->space, &e))
		code = job_failed(x->job, NULL, &e);
	if (!code)
		code = record_load(x, "create", SPACE_LOG);
	if (!code)
		code = record_load(x, "reload", SPACE_AFTER);
	crash_space_hide(&x->space);
	return code;
}

/* The workload's file system, by mount(8) or a program of its own. */
static int record_mount(struct record *x)
{
	const struct recording *rec = x->r->recording;
	struct text t = TEXT_INIT;
	char *words[] = { "/bin/sh", "-c", NULL, "dmuse", RECORD_PATH, x->mnt, NULL };
	struct err e = ERR_INIT;
	int status;

	if (rec->fuse)
		text_printf(&t, "exec %s", rec->fs->fuse);
	else
		text_printf(&t, "exec mount -t %s", rec->fs->name);
	if (!rec->fuse && *rec->fs->options)
		text_printf(&t, " -o %s", rec->fs->options);
	if (*rec->mount_options)
		text_printf(&t, " -o '%s'", rec->mount_options);
	text_add(&t, " \"$1\" \"$2\"");
	words[2] = say_need(t.s);
	status = record_in_session(x, words, NULL);
	text_free(&t);
	if (!status)
		return EXIT_OK;
	err_set(&e, -EIO, "the file system for the workload cannot be mounted");
	return job_failed(x->job, rec->fs->name, &e);
}

static void record_workload(struct record *x)
{
	char *command = say_need(command_absolute(x->r->recording->run)), *words[COMMAND_WORDS];

	command_words(words, command, x->mnt ? x->mnt : RECORD_PATH);
	x->r->status = record_in_session(x, words, x->mnt);
	free(command);
}

static void record_settle(const struct record *x)
{
	struct timespec left = { .tv_sec = x->r->settle };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

/* A log that was full has not all that was written. */
static int record_is_whole(struct record *x)
{
	plist_t request = request_new("status", RECORD_DEVICE), reply = NULL;
	struct err e = ERR_INIT;
	int code;

	rows_ask(request);
	code = client_ask(x->job, RECORD_DEVICE, request, &reply);
	if (!code && strstr(key_text(reply, "table"), "logging_disabled")) {
		err_set(&e, -ENOSPC, "not all that the workload wrote could be logged: there is no more room in %s",
			x->space.where);
		code = job_failed(x->job, NULL, &e);
	}
	plist_free(reply);
	return code;
}

/* The cut. Nothing is flushed, and the file system is not frozen. */
static int record_cut(struct record *x)
{
	plist_t request = request_new("resume", RECORD_DEVICE);

	key_add_flag(request, DICT_NOFLUSH);
	key_add_flag(request, DICT_SKIP_LOCKFS);
	return client_ask(x->job, RECORD_DEVICE, request, NULL);
}

/* What programs of the workload still hold is the daemon's end to see to. */
static void record_unmount(struct record *x)
{
	char *words[] = { "/bin/sh", "-c", "umount \"$1\" 2>/dev/null", "dmuse", x->mnt, NULL };

	if (x->mnt)
		record_in_session(x, words, NULL);
}

static int record_run(struct record *x)
{
	int code = record_device(x);

	if (!code && x->mnt)
		code = record_mount(x);
	if (!code)
		record_workload(x);
	if (!code && !x->r->status) {
		record_settle(x);
		code = record_is_whole(x);
		if (!code)
			code = record_cut(x);
		record_unmount(x);
	}
	return code;
}

static int record_daemon(struct record *x)
{
	struct err e = ERR_INIT;
	plist_t reply = NULL;
	int code;

	if (private_start(&x->daemon, (struct private_times){ RECORD_STOP, DM_OPEN_TIMEOUT, 0 }, &e))
		return job_failed(x->job, NULL, &e);
	code = client_open_on(x->job, x->daemon.control);
	if (!code)
		code = record_run(x);
	x->job->quiet = true;
	if (x->job->client && !client_try(x->job, NULL, request_new("shutdown", NULL), &reply, &e))
		plist_free(reply);	/* what is lost now was written after the cut */
	private_end(&x->daemon);
	run_reap();
	return code;
}

/* mkfs on the image itself. */
static int record_mkfs(struct record *x, const char *base)
{
	struct text line = TEXT_INIT, said = TEXT_INIT;
	char *argv[] = { "/bin/sh", "-c", NULL, "dmuse", (char *)(uintptr_t)base, NULL };
	const struct command_run run = { .argv = argv };
	const struct fs *fs = x->r->recording->fs;
	struct err e = ERR_INIT;
	enum command_end end;
	int status, code = EXIT_OK;

	text_printf(&line, "%s %s \"$1\"", fs->mkfs, x->r->mkfs_options ? x->r->mkfs_options : "");
	argv[2] = say_need(line.s);
	end = command_run(&run, &status, &said);
	if (end != COMMAND_EXITED || status) {
		while (said.len && said.s[said.len - 1] == '\n')
			text_cut(&said, said.len - 1);
		err_set(&e, -EIO, "mkfs failed: %s", text_str(&said));
		code = job_failed(x->job, fs->name, &e);
	}
	text_free(&line);
	text_free(&said);
	return code;
}

/* A session begins in the caller's directory, which may have been removed. */
static int record_is_somewhere(struct err *e)
{
	char *cwd = getcwd(NULL, 0);

	free(cwd);
	return cwd ? 0 : err_set(e, -errno, "cannot get the working directory, where the workload's session begins: %s", strerror(errno));
}

/* What was there is no recording any more until all of the new one is. */
static int record_begin(const struct record *x, struct err *e)
{
	char *after = say_need(recording_path(x->r->recording, RECORDING_AFTER));

	if (!recording_save(x->r->recording, false, e) && unlink(after) && errno != ENOENT)
		err_set(e, -errno, "cannot remove %s: %s", after, strerror(errno));
	free(after);
	return e->code;
}

/* The image before the workload. */
static int record_base(struct record *x, char *base)
{
	struct err e = ERR_INIT;
	int fd = open(base, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), code = EXIT_OK;

	if (fd < 0 || ftruncate(fd, (off_t)x->r->recording->size)) {
		err_set(&e, -errno, "cannot make %s: %s", base, strerror(errno));
		code = job_failed(x->job, NULL, &e);
	}
	if (fd >= 0)
		close(fd);
	return !code && x->r->recording->fs ? record_mkfs(x, base) : code;
}

static int record_all(struct record *x)
{
	char *base = say_need(recording_path(x->r->recording, RECORDING_BASE));
	struct err e = ERR_INIT;
	int code = record_base(x, base);

	crash_space_init(&x->space);
	if (!code && crash_space_new(&x->space, base, x->r->recording, &e))
		code = job_failed(x->job, NULL, &e);
	if (!code)
		code = record_daemon(x);
	if (!code && !x->r->status && crash_space_save(&x->space, x->r->recording, &e))
		code = job_failed(x->job, NULL, &e);
	crash_space_free(&x->space);
	free(base);
	return code;
}

int crash_record(struct job *j, struct crash_record *r)
{
	struct record x = { .job = j, .r = r };
	struct err e = ERR_INIT;
	int code;

	if (record_is_somewhere(&e) || record_begin(&x, &e))
		return job_failed(j, NULL, &e);
	if (r->recording->fs) {
		x.mnt = say_need(recording_path(r->recording, "mnt"));
		if (mkdir(x.mnt, 0755) && errno != EEXIST) {
			err_set(&e, -errno, "cannot make the directory %s: %s", x.mnt, strerror(errno));
			free(x.mnt);
			return job_failed(j, NULL, &e);
		}
	}
	code = record_all(&x);
	if (!code && !r->status && recording_save(r->recording, true, &e))
		code = job_failed(j, NULL, &e);
	free(x.mnt);
	return code;
}
