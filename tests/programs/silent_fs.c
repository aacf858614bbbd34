/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * silent_fs DIRECTORY: a file system whose server seems to have died. The file `silent` exists, but opening it gets no
 * answer until SIGUSR1; from then on everything is answered, until SIGUSR2. The file `mute` can be opened and read, but reads
 * after SIGUSR2 get no answer until SIGUSR1; `stuck` is the same, but for closing it instead of reading. Runs in the foreground until it is unmounted.
 */
#define FUSE_USE_VERSION 35
#include <errno.h>
#include <fuse_lowlevel.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZE (1 << 20)
#define HELD 64

enum { SILENT = 2, MUTE = 3, STUCK = 4 };

static struct {
	fuse_req_t req;
	struct fuse_file_info fi;
	size_t bytes;		/* of a read */
	bool closes;
} held[HELD];
static unsigned n_held;
static volatile sig_atomic_t answers, mute;

static struct stat attributes(fuse_ino_t ino)
{
	if (ino == FUSE_ROOT_ID)
		return (struct stat){ .st_ino = ino, .st_mode = S_IFDIR | 0755, .st_nlink = 2 };
	return (struct stat){ .st_ino = ino, .st_mode = S_IFREG | 0666, .st_nlink = 1, .st_size = SIZE };
}

static void look_up(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	fuse_ino_t ino = !strcmp(name, "silent") ? SILENT : !strcmp(name, "stuck") ? STUCK : MUTE;
	struct fuse_entry_param e = { .ino = ino, .attr = attributes(ino), .attr_timeout = 1 };	/* each name is asked for again */

	if (parent == FUSE_ROOT_ID && (ino != MUTE || !strcmp(name, "mute")))
		fuse_reply_entry(req, &e);
	else
		fuse_reply_err(req, ENOENT);
}

static void get_attributes(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st = attributes(ino);

	(void)fi;
	fuse_reply_attr(req, &st, 1);
}

static void hold(fuse_req_t req, const struct fuse_file_info *fi, size_t bytes, bool closes)
{
	held[n_held].req = req;
	held[n_held].bytes = bytes;
	held[n_held].closes = closes;
	held[n_held++].fi = *fi;
	puts("asked");
	fflush(stdout);
}

/* Every open is answered in the end: otherwise a caller that gives up would leave the file open. */
static void open_file(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	fi->direct_io = ino != SILENT;
	if (ino != SILENT || answers || n_held == HELD)
		fuse_reply_open(req, fi);
	else
		hold(req, fi, 0, false);
}

static void reply_zeros(fuse_req_t req, size_t size)
{
	char *zeros = calloc(1, size);

	fuse_reply_buf(req, zeros, size);
	free(zeros);
}

static void read_file(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	size_t bytes = off >= SIZE ? 0 : size < (size_t)(SIZE - off) ? size : (size_t)(SIZE - off);

	if (ino == MUTE && bytes && mute && !answers && n_held < HELD)
		hold(req, fi, bytes, false);
	else
		reply_zeros(req, bytes);
}

static void close_file(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	if (ino == STUCK && mute && !answers && n_held < HELD)
		hold(req, fi, 0, true);
	else
		fuse_reply_err(req, 0);
}

/* Answers the newest request that waits. */
static void answer_one(void)
{
	n_held--;
	if (held[n_held].closes)
		fuse_reply_err(held[n_held].req, 0);
	else if (held[n_held].bytes)
		reply_zeros(held[n_held].req, held[n_held].bytes);
	else
		fuse_reply_open(held[n_held].req, &held[n_held].fi);
}

static void told(int number)
{
	answers = number == SIGUSR1;
	mute |= number == SIGUSR2;
}

int main(int argc, char **argv)
{
	static const struct fuse_lowlevel_ops ops = {
		.lookup = look_up, .getattr = get_attributes, .open = open_file, .read = read_file, .flush = close_file,
	};
	char *options[] = { argv[0], "-oallow_other,fsname=silent" };
	struct fuse_args args = FUSE_ARGS_INIT(geteuid() ? 1 : 2, options);
	struct fuse_session *s = argc == 2 ? fuse_session_new(&args, &ops, sizeof(ops), NULL) : NULL;
	struct sigaction sa = { .sa_handler = told };		/* no SA_RESTART: it ends the wait for a request */
	struct fuse_buf buf = { .mem = NULL };
	int r;

	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGUSR2, &sa, NULL);
	if (!s || fuse_session_mount(s, argv[1]))
		return 1;
	puts("mounted");
	fflush(stdout);
	while (!fuse_session_exited(s)) {
		r = fuse_session_receive_buf(s, &buf);
		if (r > 0)
			fuse_session_process_buf(s, &buf);
		else if (r != -EINTR)
			break;
		while (answers && n_held)
			answer_one();
	}
	fuse_session_unmount(s);
	fuse_session_destroy(s);
	return 0;
}
