/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * silent_fs DIRECTORY: a file system whose server has died, as far as its clients can tell: the file `silent` in it is there,
 * and an open of it gets no answer until SIGUSR1 comes; from then on all do. Runs in the foreground until it is unmounted.
 */
#define FUSE_USE_VERSION 35
#include <errno.h>
#include <fuse_lowlevel.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZE (1 << 20)
#define HELD 64

static struct {
	fuse_req_t req;
	struct fuse_file_info fi;
} held[HELD];
static unsigned n_held;
static volatile sig_atomic_t answers;

static struct stat attributes(fuse_ino_t ino)
{
	if (ino == FUSE_ROOT_ID)
		return (struct stat){ .st_ino = ino, .st_mode = S_IFDIR | 0755, .st_nlink = 2 };
	return (struct stat){ .st_ino = ino, .st_mode = S_IFREG | 0666, .st_nlink = 1, .st_size = SIZE };
}

static void look_up(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e = { .ino = 2, .attr = attributes(2), .attr_timeout = 1, .entry_timeout = 1 };

	if (parent == FUSE_ROOT_ID && !strcmp(name, "silent"))
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

/* Every open is answered in the end: whoever gave up would leave a file open there otherwise. */
static void open_file(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	if (answers || n_held == HELD) {
		fuse_reply_open(req, fi);
		return;
	}
	held[n_held].req = req;
	held[n_held++].fi = *fi;
	puts("asked");
	fflush(stdout);
}

static void read_file(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	char *zeros = calloc(1, size);

	(void)ino;
	(void)fi;
	fuse_reply_buf(req, zeros, off >= SIZE ? 0 : size < (size_t)(SIZE - off) ? size : (size_t)(SIZE - off));
	free(zeros);
}

static void let_go(int number)
{
	(void)number;
	answers = 1;
}

int main(int argc, char **argv)
{
	static const struct fuse_lowlevel_ops ops = {
		.lookup = look_up, .getattr = get_attributes, .open = open_file, .read = read_file,
	};
	char *options[] = { argv[0], "-oallow_other,fsname=silent" };
	struct fuse_args args = FUSE_ARGS_INIT(geteuid() ? 1 : 2, options);
	struct fuse_session *s = argc == 2 ? fuse_session_new(&args, &ops, sizeof(ops), NULL) : NULL;
	struct sigaction sa = { .sa_handler = let_go };		/* no SA_RESTART: it ends the wait for a request */
	struct fuse_buf buf = { .mem = NULL };
	int r;

	sigaction(SIGUSR1, &sa, NULL);
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
		for (; answers && n_held; n_held--)
			fuse_reply_open(held[n_held - 1].req, &held[n_held - 1].fi);
	}
	fuse_session_unmount(s);
	fuse_session_destroy(s);
	return 0;
}
