/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The supervisor's loop. The first thread waits for the end. Another one leads: it takes a call, handles it, answers
 * it. Any path lookup may hang (on a dead file server, or on a FUSE program that itself waits for us). So a third
 * thread watches, and if the leader is still in the same call after a tick, it becomes the leader and starts a new
 * watcher. The thread that hung answers its call when it can.
 */
#include "session/super.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "core/world.h"

#define TICK_NS 5000000
#define TURN_NS 100000		/* the shortest that the kernel allows */

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

void call_fail(struct call *c, int error)
{
	c->resp.flags = 0;
	c->resp.error = error;
}

void call_value(struct call *c, int64_t value)
{
	c->resp.flags = 0;
	c->resp.val = value;
}

bool call_valid(const struct call *c)
{
	return !ioctl(c->s->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &c->req.id);
}

/* If the caller has died meanwhile, the error does not matter. */
void call_send(struct call *c)
{
	c->resp.id = c->req.id;
	ioctl(c->s->listener, SECCOMP_IOCTL_NOTIF_SEND, &c->resp);
}

/* Our copy is closed before the caller continues: its own close is then the last one, and takes effect at once. */
void call_inject(struct call *c, int fd, uint64_t flags)
{
	struct seccomp_notif_addfd add = {
		.id = c->req.id, .srcfd = (uint32_t)fd, .newfd_flags = flags & O_CLOEXEC ? O_CLOEXEC : 0,
	};
	int theirs = ioctl(c->s->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);

	if (theirs < 0)
		call_fail(c, -errno);
	else
		call_value(c, theirs);
	close(fd);
}

struct apart {
	struct call c;
	void (*f)(struct call *c);
};

static void *apart_main(void *arg)
{
	struct apart *a = arg;

	/*
	 * Until now this thread shared the root and directory of the leader, which may be those of another caller by
	 * now.
	 */
	if (!unshare(CLONE_FS) && !find_stand(a->c.s->root))
		a->f(&a->c);
	call_send(&a->c);
	free(a);
	return NULL;
}

/* Without a thread, the call continues as if there was no supervisor. */
void super_apart(struct call *c, void (*f)(struct call *c))
{
	struct apart *a = malloc(sizeof(*a));
	pthread_t t;

	if (!a)
		return;
	*a = (struct apart){ *c, f };
	if (pthread_create(&t, NULL, apart_main, a)) {
		free(a);
		return;
	}
	pthread_detach(t);
	c->taken = true;
}

static void super_handle(struct call *c)
{
	switch (c->req.data.nr) {
	case SYS_fstat:
	case SYS_newfstatat:
	case SYS_statx:
		super_stat(c);
		break;
	case SYS_mknodat:
#ifdef SYS_mknod
	case SYS_mknod:
#endif
		super_mknod(c);
		break;
	case SYS_fchownat:
#ifdef SYS_chown
	case SYS_chown:
#endif
		super_chown(c);
		break;
	case SYS_mount:
		super_apart(c, super_mount);
		break;
	case SYS_fsconfig:
		super_apart(c, super_fsconfig);
		break;
	case SYS_ioctl:
		super_apart(c, super_ioctl_is_loop(c) ? super_attach : super_btrfs);
		break;
	case SYS_swapon:
	case SYS_swapoff:
		super_swap(c);
		break;
	case SYS_quotactl:
		super_apart(c, super_quota);
		break;
	case SYS_request_key:
		super_request_key(c);
		break;
	default:
		super_open(c);
	}
	if (!c->taken)
		call_send(c);
}

static void super_tick(struct super *s, bool on)
{
	const struct itimerspec never = { 0 }, often = { { 0, TICK_NS }, { 0, TICK_NS } };

	timerfd_settime(s->watch, 0, on ? &often : &never, NULL);
}

/* Returns the turn's number, which is odd, for super_end(). */
static unsigned long super_begin(struct super *s)
{
	unsigned long turn = atomic_fetch_add(&s->turn, 1) + 1;

	if (!atomic_load(&s->ticking) && !atomic_exchange(&s->ticking, true))
		super_tick(s, true);
	return turn;
}

/* False: the watcher leads now. */
static bool super_end(struct super *s, unsigned long turn)
{
	return atomic_compare_exchange_strong(&s->turn, &turn, turn + 1);
}

/* True: there will be no more calls. */
static bool super_over(struct super *s, int patience)
{
	struct pollfd p = { .fd = s->listener };

	return poll(&p, 1, patience) > 0 || (patience && errno != EINTR);
}

/*
 * Receives the next call; false: there will be none. Until a call is received, a signal to its caller ends it with
 * EINTR. So there is nothing between the wake-up and receiving it: no poll(2).
 */
static bool super_next(struct super *s, struct call *c)
{
	do {
		memset(&c->req, 0, sizeof(c->req));
		if (!ioctl(s->listener, SECCOMP_IOCTL_NOTIF_RECV, &c->req)) {
			c->s = s;
			c->resp = (struct seccomp_notif_resp){ .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
			c->taken = false;
			return true;
		}
	} while (!super_over(s, 0));
	return false;
}

/* As in <linux/sched/types.h>, which cannot be included together with <sched.h> everywhere. */
struct super_turns {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

/*
 * A signal that arrives while the supervisor waits for its processor ends the call, and on a busy machine that wait is
 * long. So it is scheduled next: for root, with the lowest real-time priority; for others, with short time slices,
 * which come sooner (Linux 6.12). Threads that it starts are ordinary ones.
 */
static void super_prioritize(void)
{
	const struct sched_param lowest = { .sched_priority = 1 };
	const struct super_turns brief = { .size = sizeof(brief), .policy = SCHED_OTHER, .runtime = TURN_NS };

	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &lowest))
		syscall(SYS_sched_setattr, 0, &brief, 0);
}

/* Each leader has a root and a directory of its own, so that it can use the caller's. */
static void super_lead(struct super *s)
{
	struct call c;
	unsigned long turn;

	if (unshare(CLONE_FS))
		abort();
	super_prioritize();
	while (super_next(s, &c)) {
		turn = super_begin(s);
		super_handle(&c);
		if (!super_end(s, turn))
			return;
	}
}

/* No call is being handled: stops ticking, unless a call has just begun, which saw the timer running. */
static void super_rest(struct super *s, unsigned long turn)
{
	super_tick(s, false);
	atomic_store(&s->ticking, false);
	if (atomic_load(&s->turn) != turn && !atomic_exchange(&s->ticking, true))
		super_tick(s, true);
}

static void *super_watch(void *arg);

static int super_thread(struct super *s, void *(*f)(void *arg))
{
	pthread_attr_t a;
	pthread_t t;
	int r;

	pthread_attr_init(&a);
	pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&a, 256 * 1024);
	r = pthread_create(&t, &a, f, s);
	pthread_attr_destroy(&a);
	return -r;
}

static void *super_watch(void *arg)
{
	struct super *s = arg;
	unsigned long last = 0, now;
	uint64_t ticks;

	for (;;) {
		if (read(s->watch, &ticks, sizeof(ticks)) != sizeof(ticks))
			continue;
		now = atomic_load(&s->turn);
		if (now == last && now % 2 && super_end(s, now))
			break;
		if (now == last && now % 2 == 0)
			super_rest(s, now);
		last = now;
	}
	super_thread(s, super_watch);
	super_lead(s);
	return NULL;
}

static void *super_first(void *arg)
{
	super_lead(arg);
	return NULL;
}

/* Keeps nothing of the caller: neither its terminal, nor a pipe that somebody reads to its end. */
static void super_alone(int listener)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (int fd = 0; null >= 0 && fd < 3; fd++)
		if (fd != listener)
			dup2(null, fd);
	if (listener > 3)
		close_range(3, (unsigned)listener - 1, 0);
	close_range((unsigned)(listener > 2 ? listener + 1 : 3), ~0U, 0);
	if (chdir("/"))
		return;
}

static uint64_t super_namespace(const struct super *s, const char *path)
{
	struct stat st;

	return fstatat(s->proc, path, &st, 0) ? 0 : st.st_ino;
}

static int super_open_all(struct super *s)
{
	struct stat st;

	s->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	s->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	s->io = open(s->io_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	s->watch = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (s->proc < 0 || s->root < 0 || s->io < 0 || s->watch < 0)
		return -errno;
	if (fstat(s->io, &st) || statx(s->root, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &s->root_is))
		return -errno;
	s->view = st.st_dev;
	s->loops = !faccessat(s->io, "loop-control", F_OK, 0);
	super_lvm_begin(s);
	super_proc_begin(s);
	super_nodes_begin(s);
	s->user_ns = super_namespace(s, "self/ns/user");
	s->mnt_ns = super_namespace(s, "self/ns/mnt");
	return rights_of(&(struct call){ .s = s, .req.pid = (uint32_t)getpid() }, &s->own);
}

int supervisor_serve(int listener, const struct supervisor_opts *o)
{
	struct super *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	super_alone(listener);
	s->listener = listener;
	s->place = -1;
	s->io_dir = o->io_dir ? o->io_dir : SUPERVISOR_IO_DIR;
	s->dm_major = o->dm_major ? o->dm_major : DM_MAJOR;
	s->disk_major = o->disk_major ? o->disk_major : DM_DISK_MAJOR;
	s->user_namespace = o->user_namespace;
	r = super_open_all(s);
	if (!r)
		r = super_thread(s, super_watch);
	if (!r)
		r = super_thread(s, super_first);
	if (!r) {
		/*
		 * Linux 6.6: the answer runs on the caller's own processor, ten times as fast. Older kernels do
		 * without.
		 */
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, (unsigned long)SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
		while (!super_over(s, -1))
			;
	}
	close(listener);
	return r;
}
