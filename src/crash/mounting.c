/* SPDX-License-Identifier: BSD-2-Clause */
/* See mounting.h. */
#include "crash/mounting.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "crash/command_run.h"
#include "crash/loop_device.h"

#define MOUNTING_SECONDS 60	/* for a program that replays a journal */
#define MOUNTING_TRIES 2000	/* to unmount: a program that was killed may not be gone yet */

/* Words that mount(2) wants as flags. */
static const struct {
	const char *word;
	unsigned long flag;
} flags[] = {
	{ "ro", MS_RDONLY }, { "noatime", MS_NOATIME }, { "nodiratime", MS_NODIRATIME }, { "relatime", MS_RELATIME },
	{ "strictatime", MS_STRICTATIME }, { "lazytime", MS_LAZYTIME }, { "sync", MS_SYNCHRONOUS }, { "dirsync", MS_DIRSYNC },
	{ "nosuid", MS_NOSUID }, { "nodev", MS_NODEV }, { "noexec", MS_NOEXEC }, { "rw", 0 }, { "defaults", 0 },
};

static bool mounting_flag(const char *word, unsigned long *out)
{
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (!strcmp(flags[i].word, word)) {
			*out |= flags[i].flag;
			return true;
		}
	return false;
}

/* WORDS, separated by commas, go to flags or to DATA. */
static void mounting_options(const char *words, unsigned long *flag, struct text *data)
{
	char *copy = strdup(words ? words : ""), *at = copy, *word;

	while (copy && (word = strsep(&at, ",")))
		if (*word && !mounting_flag(word, flag))
			text_printf(data, data->len ? ",%s" : "%s", word);
	free(copy);
}

/* The loop device lives as long as what is mounted. */
static int mounting_kernel(const struct mounting *m, struct text *out, struct err *e)
{
	struct text data = TEXT_INIT;
	char device[LOOP_DEVICE_NAME];
	unsigned long flag = 0;
	int fd = loop_device_attach(m->file, device, e), r = 0;

	if (fd < 0)
		return fd;
	mounting_options(m->fs->options, &flag, &data);
	mounting_options(m->options, &flag, &data);
	if (mount(device, m->directory, m->fs->name, flag, text_str(&data)))
		r = -errno;
	text_free(&data);
	close(fd);
	if (r == -EPERM || r == -ENODEV)
		return err_set(e, r, "%s cannot be mounted here: %s", m->fs->name, strerror(-r));
	if (r)
		text_printf(out, "mount: %s\n", strerror(-r));
	return r ? 1 : 0;
}

/* In the foreground: it ends with us, and we with it. */
static _Noreturn void fuse_exec(const struct mounting *m, int said)
{
	struct text line = TEXT_INIT;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	dup2(said, STDOUT_FILENO);
	dup2(said, STDERR_FILENO);
	text_printf(&line, "exec %s -f \"$1\" \"$2\"", m->fs->fuse);
	execl("/bin/sh", "sh", "-c", text_str(&line), "dmuse", m->file, m->directory, (char *)NULL);
	_exit(127);
}

static uint64_t fuse_mount_number(const char *directory)
{
	struct statx x;

	return statx(AT_FDCWD, directory, AT_STATX_DONT_SYNC, STATX_MNT_ID, &x) ? 0 : x.stx_mnt_id;
}

/* Until DIRECTORY is another mount than WAS, or the program has ended: its status, or 0. */
static int fuse_await(const struct mounting *m, uint64_t was)
{
	const struct timespec moment = { .tv_nsec = 300000 };
	int status, tries;

	for (tries = 0; tries < MOUNTING_TRIES * 10; tries++) {
		if (waitpid(m->server, &status, WNOHANG) == m->server)
			return WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : 1;
		if (fuse_mount_number(m->directory) != was)
			return 0;
		nanosleep(&moment, NULL);
	}
	kill(m->server, SIGKILL);
	waitpid(m->server, NULL, 0);
	return 1;
}

static void fuse_said(int fd, struct text *out)
{
	char bytes[1000];
	ssize_t n = pread(fd, bytes, sizeof(bytes), 0);

	if (n > 0)
		text_add_n(out, bytes, (size_t)n);
}

/* fuse2fs ends with an error of its own on a file system whose journal it has replayed itself. What cannot be replayed does not mount. */
static void fuse_replay(const struct mounting *m, struct text *out)
{
	char *argv[] = { "/bin/sh", "-c", NULL, "dmuse", (char *)(uintptr_t)m->file, NULL };
	const struct command_run run = { .argv = argv, .seconds = MOUNTING_SECONDS };
	struct text line = TEXT_INIT;
	int status;

	if (!m->fs->replay)
		return;
	text_printf(&line, "exec %s \"$1\" >/dev/null", m->fs->replay);
	argv[2] = line.s;
	if (line.s)
		command_run(&run, &status, out);
	text_free(&line);
}

static int mounting_fuse(struct mounting *m, struct text *out, struct err *e)
{
	uint64_t was = fuse_mount_number(m->directory);
	int said = memfd_create("said", MFD_CLOEXEC), status;

	fuse_replay(m, out);
	m->server = fork();
	if (!m->server)
		fuse_exec(m, said);
	status = m->server < 0 ? 127 : fuse_await(m, was);
	if (status)
		fuse_said(said, out);
	close(said);
	if (status >= 126)
		return err_set(e, -ENOENT, "cannot run %s, which mounts %s here: is it installed?", m->fs->fuse, m->fs->name);
	return status ? 1 : 0;
}

int mounting_begin(struct mounting *m, struct text *out, struct err *e)
{
	return m->fuse ? mounting_fuse(m, out, e) : mounting_kernel(m, out, e);
}

int mounting_end(struct mounting *m, struct err *e)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	int tries;

	for (tries = 0; umount2(m->directory, 0); tries++) {
		if (errno != EBUSY || tries == MOUNTING_TRIES)
			return err_set(e, -errno, "cannot unmount %s: %s", m->directory, strerror(errno));
		nanosleep(&moment, NULL);
	}
	if (m->fuse)
		waitpid(m->server, NULL, 0);	/* what it has not written yet it writes now */
	return 0;
}
