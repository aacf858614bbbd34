/* SPDX-License-Identifier: BSD-2-Clause */
/* See keeper.h. One thread, which waits for messages and signals. */
#include "cmd/keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/keep.h"
#include "base/log.h"
#include "base/text.h"
#include "base/words.h"
#include "cmd/job.h"
#include "cmd/keeper_store.h"

#define KEEPER_DEATHS 3		/* within KEEPER_SPAN: the next daemon would die, too */
#define KEEPER_SPAN 10000	/* milliseconds */

enum keeper_next { KEEPER_WAIT, KEEPER_AGAIN, KEEPER_OVER };

struct keeper {
	const struct keeper_opts *o;
	struct keeper_store store;
	int signals;			/* signalfd */
	sigset_t was;			/* the daemon's mask */
	pid_t daemon;
	long long until;		/* when it has to serve; milliseconds */
	int status;			/* of the daemon that died last, as waitpid(2) has it */
	char name[16];			/* of the daemon's process */
	bool served;			/* the first daemon has */
	bool ending;			/* a daemon was told to end, or does */
	bool told;			/* it was this one: a second signal would mean that nothing is to be waited for */
	bool aborted;			/* it was told to die at once (SIGQUIT; SIGABRT of systemd's watchdog), and leave a core */
	unsigned deaths;
	long long died[KEEPER_DEATHS];	/* when the last ones have; milliseconds */
	char death[160];
};

static long long keeper_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Orphans of a daemon that died become our children, so that somebody collects them also in a container without init. */
static int keeper_begin(struct keeper *k, struct err *e)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGABRT, SIGTSTP, SIGCHLD };
	sigset_t set;
	size_t i;

	prctl(PR_GET_NAME, k->name);
	sigemptyset(&set);
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigaddset(&set, numbers[i]);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, &k->was);
	k->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (k->signals < 0)
		return err_set(e, -errno, "cannot watch for signals: %s", strerror(errno));
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	return keeper_store_open(&k->store, e);
}

/* The daemon's process. A signal to our process group is passed on by us, and must not arrive twice. */
static int keeper_become(struct keeper *k, pid_t keeper)
{
	struct err e = ERR_INIT;
	int r;

	setpgid(0, 0);
	signal(SIGTTOU, SIG_IGN);	/* its messages go to the terminal from the background (stty tostop) */
	prctl(PR_SET_NAME, k->name);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	if (k->o->attached) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != keeper)
			return EXIT_FAILED;
	}
	close(k->signals);
	sigprocmask(SIG_SETMASK, &k->was, NULL);
	r = keeper_store_pass(&k->store, &e);
	if (!r)
		return k->o->serve(k->o->arg, *k->death ? k->death : NULL);
	log_error("%s", e.text);
	return EXIT_FAILED;
}

/*
 * The first one says READY to whoever waits for us; what has failed until then is for them to see. One that was started
 * again because it died while it was ending has that still to do: to unmount, and to flush.
 */
static void keeper_heard(struct keeper *k)
{
	bool was = k->store.ready;

	keeper_store_hear(&k->store, k->daemon);
	if (k->store.ready && !was && k->ending && !k->told)
		kill(k->daemon, SIGTERM);
	k->ending |= k->store.stopping;
	if (!k->store.ready || k->served)
		return;
	k->served = true;
	prctl(PR_SET_NAME, "dmuse-keeper");
	k->o->ready(k->o->arg);
}

static void keeper_say_death(struct keeper *k)
{
	if (WIFSIGNALED(k->status))
		snprintf(k->death, sizeof(k->death), "the daemon (pid %ld) was killed by signal %d (%s)", (long)k->daemon,
			 WTERMSIG(k->status), strsignal(WTERMSIG(k->status)));
	else
		snprintf(k->death, sizeof(k->death), "the daemon (pid %ld) has failed with exit code %d", (long)k->daemon,
			 WEXITSTATUS(k->status));
}

static bool keeper_despairs(struct keeper *k)
{
	long long now = keeper_now(), *oldest = &k->died[k->deaths++ % KEEPER_DEATHS];

	*oldest = now;
	oldest = &k->died[k->deaths % KEEPER_DEATHS];
	return k->deaths >= KEEPER_DEATHS && now - *oldest < KEEPER_SPAN;
}

static enum keeper_next keeper_bury(struct keeper *k)
{
	bool over = WIFEXITED(k->status) && (!k->served || k->ending || !WEXITSTATUS(k->status));

	if (over && WEXITSTATUS(k->status) && k->deaths)
		k->o->give_up(k->o->arg);
	if (over)
		return KEEPER_OVER;
	keeper_say_death(k);
	if (!k->served || k->aborted)
		log_error("%s", k->death);
	else if (!keeper_despairs(k))
		return KEEPER_AGAIN;
	else
		log_error("%s, the third death within %d seconds: it is not started again", k->death, KEEPER_SPAN / 1000);
	k->o->give_up(k->o->arg);
	return KEEPER_OVER;
}

static enum keeper_next keeper_children(struct keeper *k)
{
	enum keeper_next next = KEEPER_WAIT;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == k->daemon) {
			keeper_heard(k);	/* its last words */
			k->status = status;
			next = keeper_bury(k);
		}
	return next;
}

/* ^Z stops both, as if they were one process. */
static void keeper_stop(struct keeper *k)
{
	kill(k->daemon, SIGSTOP);
	raise(SIGSTOP);
	kill(k->daemon, SIGCONT);
	k->until = keeper_now() + k->o->patience * 1000LL;
}

static void keeper_pass_on(struct keeper *k, int number)
{
	k->told |= number == SIGTERM || number == SIGINT;
	k->ending |= k->told;
	k->aborted |= number == SIGQUIT || number == SIGABRT;
	if (number == SIGTSTP)
		keeper_stop(k);
	else
		kill(k->daemon, number);
}

static enum keeper_next keeper_signal(struct keeper *k)
{
	struct signalfd_siginfo info;
	bool child = false;

	while (read(k->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo == SIGCHLD)
			child = true;
		else
			keeper_pass_on(k, (int)info.ssi_signo);
	return child ? keeper_children(k) : KEEPER_WAIT;
}

/* Milliseconds until patience with a daemon that was started again is over; -1: no limit. */
static int keeper_patience(const struct keeper *k)
{
	long long left = k->until - keeper_now();

	if (!k->served || k->store.ready || !k->o->patience)
		return -1;
	return left > 0 ? (int)left : 0;
}

/* Clients have waited long enough: they get errors. */
static enum keeper_next keeper_loses_patience(struct keeper *k)
{
	log_error("%s, and the next one (pid %ld) does not serve after %u second%s: it is ended, too", k->death, (long)k->daemon,
		  k->o->patience, text_plural(k->o->patience));
	kill(k->daemon, SIGKILL);
	while (waitpid(k->daemon, &k->status, 0) < 0 && errno == EINTR)
		;
	k->o->give_up(k->o->arg);
	return KEEPER_OVER;
}

static enum keeper_next keeper_wait(struct keeper *k)
{
	struct pollfd p[] = { { .fd = k->store.socket, .events = POLLIN }, { .fd = k->signals, .events = POLLIN } };
	enum keeper_next next = KEEPER_WAIT;
	int n;

	k->until = keeper_now() + k->o->patience * 1000LL;
	while (next == KEEPER_WAIT) {
		n = poll(p, 2, keeper_patience(k));
		if (n > 0 && p[0].revents)
			keeper_heard(k);
		if (n > 0 && p[1].revents)
			next = keeper_signal(k);
		else if (!keeper_patience(k))
			next = keeper_loses_patience(k);
	}
	return next;
}

static int keeper_end(struct keeper *k)
{
	keeper_store_free(&k->store);
	close(k->signals);
	sigprocmask(SIG_SETMASK, &k->was, NULL);
	return WIFEXITED(k->status) ? WEXITSTATUS(k->status) : 128 + WTERMSIG(k->status);
}

static int keeper_failed(struct keeper *k, const struct err *e)
{
	log_error("%s", e->text);
	if (k->served)
		k->o->give_up(k->o->arg);
	keeper_store_free(&k->store);
	return EXIT_FAILED;
}

static int keeper_environment(uint64_t *seconds, struct err *e)
{
	const char *said = getenv("DMUSE_RESTART");

	if (said && *said && (words_u64(said, seconds) || *seconds > KEEPER_PATIENCE_MAX))
		return err_set(e, -EINVAL, "DMUSE_RESTART=%s: not a number of seconds from 0 to %d", said, KEEPER_PATIENCE_MAX);
	return 0;
}

int keeper_wanted(const struct options *o, unsigned *out, struct err *e)
{
	uint64_t seconds = KEEPER_PATIENCE;
	int r = keeper_environment(&seconds, e);

	if (!r)
		r = options_number(o, OPT_restart_timeout, KEEPER_PATIENCE_MAX, &seconds, e);
	if (r)
		return r;
	if (o->given[OPT_ephemeral] && o->given[OPT_restart_timeout] && seconds)
		return err_set(e, -EINVAL, "--restart-timeout %s starts a daemon again with its devices, and --ephemeral forgets them: only "
			       "one of them is possible", o->value[OPT_restart_timeout]);
	*out = o->given[OPT_ephemeral] || keep_is_there() ? 0 : (unsigned)seconds;
	return 0;
}

int keeper_run(const struct keeper_opts *o)
{
	struct keeper k = { .o = o, .store = { .socket = -1, .theirs = -1 } };
	struct err e = ERR_INIT;
	pid_t us = getpid();

	if (keeper_begin(&k, &e))
		return keeper_failed(&k, &e);
	do {
		k.store.ready = k.store.stopping = k.told = false;
		k.daemon = fork();
		if (!k.daemon)
			return keeper_become(&k, us);
		if (k.daemon < 0) {
			err_set(&e, -errno, "cannot start the daemon: %s", strerror(errno));
			return keeper_failed(&k, &e);
		}
	} while (keeper_wait(&k) == KEEPER_AGAIN);
	return keeper_end(&k);
}
