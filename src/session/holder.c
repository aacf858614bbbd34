/* SPDX-License-Identifier: BSD-2-Clause */
/* The holder's life: see holder.h. */
#include "session/holder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/keep.h"
#include "session/helper.h"
#include "session/holder_parts.h"
#include "session/wire.h"

/* Returns 0 when the daemon serves the FUSE; on failure there is nobody to tell. */
static int holder_await_served(void)
{
	struct wire m;
	int fd;

	return wire_receive(HOLDER_FD, &m, &fd) || m.kind != WIRE_SERVED ? -EPIPE : 0;
}

static int holder_serve(struct err *e)
{
	struct wire m = { .kind = WIRE_MOUNTED };
	int fd, r = holder_mount(&fd, e);

	if (r)
		return r;
	r = wire_send(HOLDER_FD, &m, fd);
	close(fd);
	return r ? r : holder_await_served();
}

static int holder_set_up(struct holder_machine *machine, struct wire *m)
{
	bool user_ns = false;
	int r = holder_unshare(&user_ns, &m->err);

	m->user_ns = user_ns;
	if (!r)
		r = holder_keep(machine, &m->err);
	if (r)
		return r;
	r = holder_serve(&m->err);
	if (!r)
		r = holder_dev(machine, &m->err);
	if (!r)
		r = holder_sys(machine, &m->err);
	if (!r)
		r = holder_run(user_ns, &m->err);
	return r;
}

/* It needs no terminal, and ends with the daemon. */
static void holder_detach(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	prctl(PR_SET_NAME, HELPER_HOLDER);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	close_range(HOLDER_FD + 1, ~0u, 0);
	fcntl(HOLDER_FD, F_SETFD, FD_CLOEXEC);
	if (chdir("/"))
		return;
}

/* Runs until the last copy of the socket's other end is closed: the daemon's, and what is kept for the next one. */
static void holder_live(struct holder_machine *machine)
{
	struct pollfd p[] = { { .fd = HOLDER_FD, .events = POLLIN }, { .fd = machine->watch, .events = POLLIN } };

	while (!p[0].revents)
		if (poll(p, 2, -1) > 0 && p[1].revents)
			holder_follow(machine);
}

int holder_main(void)
{
	struct holder_machine machine = { .watch = -1 };
	struct wire m = { .kind = WIRE_READY };

	holder_detach();
	umask(022);
	if (holder_set_up(&machine, &m))
		m.kind = WIRE_FAILED;
	if (!keep_is_there())
		prctl(PR_SET_PDEATHSIG, SIGKILL);	/* else another daemon goes on with us */
	if (wire_send(HOLDER_FD, &m, -1) || m.kind == WIRE_FAILED)
		return 1;
	holder_live(&machine);
	return 0;
}
