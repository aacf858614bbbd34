/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ender's life: see ender.h.
 *
 *   enter -> wait until nothing is used, or the time is up -> name -> TERM -> KILL -> tools: TERM -> KILL -> report
 *
 * Unmounting may take long (data is written back) or hang (in a file server that does not respond), so a child process
 * does it, repeatedly, while the ender looks for processes that are in the way. As long as something is written back it
 * is not interrupted.
 */
#include "session/ender.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "session/ender_parts.h"
#include "session/helper.h"
#include "session/holder.h"
#include "session/wire.h"

#define ENDER_STEP_MIN 5	/* milliseconds between two checks */
#define ENDER_STEP_MAX 100
#define ENDER_TERM 5000		/* milliseconds for a process to end after SIGTERM, and after SIGKILL */
#define ENDER_HANGS 5000	/* so much longer an unmount may make no progress: suspended devices let go when the time is up */
#define ENDER_IDLE 500		/* the same for an idle process to begin to use something, or to end */
#define ENDER_LEAVE 1000		/* for taking mounts away without unmounting them */
#define ENDER_TOOLS 2000	/* the same for daemons that have no data */
#define ENDER_WATCHER 100	/* and for dmeventd, which as long as it watches something only takes note of SIGTERM */
#define ENDER_NAMED 6		/* processes named in one sentence */

static long long ender_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* --- entering ------------------------------------------------------------------------------------------------------ */

static bool ender_link_of(const char *path, char out[64])
{
	ssize_t n = readlink(path, out, 63);

	out[n < 0 ? 0 : n] = '\0';
	return n >= 0;
}

static int ender_enter(struct ender *x, int mnt, int user, struct err *e)
{
	struct stat st;

	if (!ender_link_of("/proc/self/ns/mnt", x->machine_ns) || mountinfo_read(&x->machine, "/proc/self/mountinfo"))
		return err_set(e, -EIO, "cannot clean up the session: /proc cannot be read");
	if (user >= 0 && setns(user, CLONE_NEWUSER))
		return err_set(e, -errno, "the session cannot be entered to end it: %s", strerror(errno));
	if (setns(mnt, CLONE_NEWNS) || (user >= 0 && (setresgid(0, 0, 0) || setresuid(0, 0, 0))))
		return err_set(e, -errno, "the session cannot be entered to end it: %s", strerror(errno));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	ender_link_of("/proc/self/ns/mnt", x->ns);
	/* This device number tells what is the session's from what is the machine's: it must be the right one. */
	if (access(HOLDER_HIDDEN "/io", F_OK) || stat("/dev", &st))
		return err_set(e, -errno, "the session's /dev does not respond: %s", strerror(errno));
	x->view = st.st_dev;
	return 0;
}

static int ender_share(struct ender *x, struct err *e)
{
	x->place = mmap(NULL, ENDER_PATH, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return x->place == MAP_FAILED ? err_set(e, -errno, "cannot clean up the session: %s", strerror(errno)) : 0;
}

/* The daemon's first messages: the namespaces, and how long to wait. */
static int ender_begin(struct ender *x, long long *patience, struct err *e)
{
	int user = -1, fd, r;
	struct wire m;

	do {
		r = wire_receive(HOLDER_FD, &m, &fd);
		if (!r && m.kind == WIRE_USER_NS)
			user = fd;
	} while (!r && m.kind != WIRE_END);
	if (r)
		return err_set(e, r, "the daemon has exited");
	*patience = m.seconds * 1000LL;
	x->patience = *patience + ENDER_HANGS;
	r = ender_share(x, e);
	if (!r)
		r = ender_enter(x, fd, user, e);
	close(fd);
	if (user >= 0)
		close(user);
	return r;
}

/* --- checking ------------------------------------------------------------------------------------------------------ */

/* An unmounted file system may have used a loop device, whose file may be on another mount. */
static void ender_sweep(struct ender *x)
{
	do
		ender_unmount(x);
	while (ender_detach_loops(x));
}

/* The daemon hears of our end when nobody has the socket any more, and it must not wait for a child that hangs. */
static void ender_fork(struct ender *x, void (*run)(struct ender *x))
{
	x->sweep = fork();
	if (!x->sweep) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(HOLDER_FD);
		run(x);
		_exit(0);
	}
	if (x->sweep < 0)
		x->sweep = 0;
}

static void ender_sweep_start(struct ender *x)
{
	if (!x->sweep)
		ender_fork(x, ender_sweep);
}

static void ender_sweep_wait(struct ender *x, int flags)
{
	if (x->sweep && waitpid(x->sweep, NULL, flags) == x->sweep)
		x->sweep = 0;
}

/* True: continue. False: the daemon wants the ender to stop waiting; the second time also for an unmount that does not get on. */
static bool ender_pause(struct ender *x, int ms)
{
	struct pollfd p = { .fd = HOLDER_FD, .events = POLLIN };
	struct wire m;
	int fd;

	if (poll(&p, 1, ms) != 1)
		return true;
	if (wire_receive(HOLDER_FD, &m, &fd))
		exit(1);
	if (fd >= 0)
		close(fd);
	x->patience = x->patience > ENDER_HANGS ? ENDER_HANGS : 0;
	return false;
}

static size_t ender_count(const struct ender *x, enum user_kind kind)
{
	size_t i, n = 0;

	for (i = 0; i < x->n_users; i++)
		n += x->users[i].kind == kind;
	return n;
}

static void ender_note_progress(struct ender *x)
{
	unsigned long long mark = ender_written(x) + x->n_needed + x->n_loops;

	if (mark != x->mark)
		x->moved = ender_now();
	x->mark = mark;
}

static bool ender_is_used(struct ender *x)
{
	ender_sweep_wait(x, WNOHANG);
	ender_look(x);
	ender_find_loops(x);
	ender_find_users(x);
	ender_note_progress(x);
	return x->sweep || x->n_needed || x->n_loops || x->n_data || (ender_count(x, USER_IDLE) && ender_now() < x->idle_until);
}

/* Nobody is in the way of an unmount, and it gets on, or will when the daemon has let a suspended device go. */
static bool ender_unmounts(const struct ender *x)
{
	return (x->sweep || x->frozen) && !x->n_data && ender_now() < x->moved + x->patience;
}

/* Unmounts until nothing is used any more (true) or the time is up. A child that gets on with unmounting is not interrupted. */
static bool ender_wait(struct ender *x, long long ms)
{
	long long until = ender_now() + ms;
	int step = ENDER_STEP_MIN;

	for (;;) {
		ender_sweep_start(x);
		if (!ender_pause(x, step))
			break;
		if (!ender_is_used(x))
			return true;
		if (ender_now() >= until && !ender_unmounts(x))
			break;
		step = step * 2 < ENDER_STEP_MAX ? step * 2 : ENDER_STEP_MAX;
	}
	return !ender_is_used(x);
}

/* --- ending processes that are left -------------------------------------------------------------------------------- */

static void ender_signal(struct ender *x, enum user_kind kind, int signal)
{
	size_t i;

	for (i = 0; i < x->n_users; i++)
		if (x->users[i].kind == kind)
			ender_signal_user(x, &x->users[i], signal);
}

static void ender_name_users(const struct ender *x, enum user_kind kind, struct text *t)
{
	size_t i, n = 0;

	for (i = 0; i < x->n_users; i++)
		if (x->users[i].kind == kind && n++ < ENDER_NAMED)
			text_printf(t, "%s%s (pid %d) with %s", t->len ? ", " : "", x->users[i].name, (int)x->users[i].pid, x->users[i].path);
	if (n > ENDER_NAMED)
		text_printf(t, " and %zu more", n - ENDER_NAMED);
}

static bool ender_is_listed(const struct ender *x, const char *path)
{
	size_t i;

	for (i = 0; i < x->here.n; i++)
		if (x->needed[i] && !strcmp(x->here.mounts[i].path, path))
			return true;
	return false;
}

/* When no process can be named. */
static void ender_name_places(const struct ender *x, struct text *t)
{
	size_t i;

	for (i = 0; i < x->here.n; i++)
		if (x->needed[i])
			text_printf(t, "%s%s", t->len ? ", " : "", x->here.mounts[i].path);
	for (i = 0; i < x->n_loops; i++)
		text_printf(t, "%s/dev/loop%d", t->len ? ", " : "", x->loops[i]);
	if (*x->place && !ender_is_listed(x, x->place))
		text_printf(t, "%s%s", t->len ? ", " : "", x->place);
}

/* In another child: one that hangs is of no use, and taking away the other mounts may hang as well. */
static void ender_leave_mounted(struct ender *x)
{
	long long until = ender_now() + ENDER_LEAVE;

	if (x->sweep)
		kill(x->sweep, SIGKILL);
	ender_fork(x, ender_unmount_lazily);
	while (x->sweep && ender_now() < until && ender_pause(x, ENDER_STEP_MIN))
		ender_sweep_wait(x, WNOHANG);
}

/* True when nothing is used any more. */
static bool ender_kill(struct ender *x, enum user_kind kind, struct text *named)
{
	if (!ender_count(x, kind))
		return false;
	ender_name_users(x, kind, named);
	ender_signal(x, kind, SIGTERM);
	if (ender_wait(x, ENDER_TERM))
		return true;
	ender_signal(x, kind, SIGKILL);
	return ender_wait(x, ENDER_TERM);
}

/* A FUSE server whose file system can be unmounted once its users have ended, ends by itself and loses nothing. */
static void ender_force(struct ender *x, long long waited, struct err *e)
{
	struct text users = TEXT_INIT, places = TEXT_INIT;
	bool done = ender_kill(x, USER_DATA, &users) || ender_kill(x, USER_SERVER, &users);

	if (!done && !ender_wait(x, 0)) {
		ender_name_places(x, &places);
		ender_leave_mounted(x);
	}
	/* If the daemon stopped waiting while we were only unmounting, nobody was killed. */
	if (users.len || places.len)
		err_set(e, -EBUSY, "%lld s after its end the session was still in use%s%s%s%s: data that was not yet "
			"written is lost", (waited + 500) / 1000,
		users.len ? ", and these were killed: " : "", text_str(&users), places.len ? "; it could not be "
								       "unmounted: " : "",
		text_str(&places));
	text_free(&users);
	text_free(&places);
}

static bool ender_tools_left(struct ender *x, long long ms)
{
	long long until = ender_now() + ms;

	ender_find_users(x);
	while (ender_count(x, USER_TOOL) && ender_now() < until && ender_pause(x, ENDER_STEP_MIN * 2))
		ender_find_users(x);
	return ender_count(x, USER_TOOL);
}

static bool ender_is_tool_only(const struct ender *x, const char *name)
{
	size_t i;

	for (i = 0; i < x->n_users; i++)
		if (x->users[i].kind == USER_TOOL && strcmp(x->users[i].name, name))
			return false;
	return true;
}

/* Daemons such as dmeventd lose nothing: what they work on they have open, and the devices that they watch are gone. */
static void ender_tools(struct ender *x)
{
	if (!ender_count(x, USER_TOOL))
		return;
	ender_signal(x, USER_TOOL, SIGTERM);
	if (!ender_tools_left(x, ender_is_tool_only(x, "dmeventd") ? ENDER_WATCHER : ENDER_TOOLS))
		return;
	ender_signal(x, USER_TOOL, SIGKILL);
	ender_tools_left(x, ENDER_TOOLS);
}

static void ender_work(struct ender *x, struct err *e)
{
	long long patience = 0, began = ender_now();

	if (ender_begin(x, &patience, e))
		return;
	x->moved = began;
	x->idle_until = began + (patience < ENDER_IDLE ? patience : ENDER_IDLE);
	if (!ender_is_used(x) || ender_wait(x, patience)) {
		ender_tools(x);
		return;
	}
	ender_force(x, ender_now() - began, e);
	ender_tools(x);
}

static void ender_free(struct ender *x)
{
	if (x->sweep)
		kill(x->sweep, SIGKILL);
	mountinfo_free(&x->machine);
	mountinfo_free(&x->here);
	free(x->needed);
	free(x->users);
}

int ender_main(void)
{
	struct ender x = { .n_users = 0 };
	struct wire m = { .kind = WIRE_ENDED };

	prctl(PR_SET_NAME, HELPER_ENDER);
	setsid();
	ender_work(&x, &m.err);
	ender_free(&x);
	return wire_send(HOLDER_FD, &m, -1) ? 1 : 0;
}
