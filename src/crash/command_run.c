/* SPDX-License-Identifier: BSD-2-Clause */
/* See command_run.h. */
#include "crash/command_run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUN_CHILDREN 256
#define RUN_PIPE_READS 32	/* more than a pipe has */
#define RUN_REAP_MS 5000	/* for who was killed to be gone */
#define RUN_PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-,:@%"

static int64_t run_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void command_run_prepare(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static _Noreturn void run_child(const struct command_run *c, int out)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	if (c->cwd && chdir(c->cwd)) {
		fprintf(stderr, "%s: %s\n", c->cwd, strerror(errno));
		_exit(126);
	}
	execvp(c->argv[0], c->argv);
	fprintf(stderr, "%s: %s\n", c->argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* What a command prints: the last MOST bytes, in a text from FROM on. */
struct run_output {
	int fd;
	struct text *text;
	size_t from, most;
};

static void run_keep(const struct run_output *o, size_t most)
{
	struct text *t = o->text;

	if (t->failed || t->len - o->from <= most)
		return;
	memmove(t->s + o->from, t->s + t->len - o->most, o->most);
	text_cut(t, o->from + o->most);
}

/* Once: a command may print without end. False: no more comes. */
static bool run_read(const struct run_output *o)
{
	char bytes[4096];
	ssize_t n = read(o->fd, bytes, sizeof(bytes));

	if (n > 0) {
		text_add_n(o->text, bytes, (size_t)n);
		run_keep(o, 2 * o->most);
	}
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* What is in the pipe when the command has ended. */
static void run_read_rest(const struct run_output *o)
{
	unsigned i;

	for (i = 0; i < RUN_PIPE_READS && run_read(o); i++)
		;
	run_keep(o, o->most);
}

/* Until the process of PIDFD is over, or the time: false. */
static bool run_watch(int pidfd, unsigned seconds, const struct run_output *o)
{
	int64_t end = run_now_ms() + (int64_t)seconds * 1000, left = -1;
	struct pollfd p[2] = { { .fd = pidfd, .events = POLLIN }, { .fd = o->fd, .events = POLLIN } };

	for (;;) {
		if (seconds && (left = end - run_now_ms()) < 0)
			return false;
		if (poll(p, 2, (int)left) < 0 && errno != EINTR)
			return false;
		if (p[1].revents && !run_read(o))
			p[1].fd = -1;
		if (p[0].revents)
			return true;
	}
}

static unsigned run_read_children(const char *path, pid_t *pids, unsigned n, unsigned most)
{
	FILE *f = fopen(path, "re");
	long pid;

	while (f && n + 1 < most && fscanf(f, "%ld", &pid) == 1)
		pids[n++] = (pid_t)pid;
	if (f)
		fclose(f);
	return n;
}

static void run_children(pid_t *pids, unsigned most)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;
	char path[300];
	unsigned n = 0;

	while (tasks && (entry = readdir(tasks))) {
		snprintf(path, sizeof(path), "/proc/self/task/%s/children", entry->d_name);
		n = run_read_children(path, pids, n, most);
	}
	if (tasks)
		closedir(tasks);
	pids[n] = 0;
}

static bool run_is_spared(const pid_t *spared, pid_t pid)
{
	for (; *spared; spared++)
		if (*spared == pid)
			return true;
	return false;
}

/*
 * How many of its processes were there; all are killed. A parent's end hands us its children, perhaps since we have looked: so those
 * that have ended by now count, too.
 */
static unsigned run_kill_children(const pid_t *spared)
{
	pid_t pids[RUN_CHILDREN], ended;
	unsigned i, n = 0;

	run_children(pids, RUN_CHILDREN);
	for (i = 0; pids[i]; i++) {
		if (run_is_spared(spared, pids[i]))
			continue;
		ended = waitpid(pids[i], NULL, WNOHANG);
		if (!ended)
			kill(pids[i], SIGKILL);
		n += ended >= 0;
	}
	return n;
}

static void run_end_all(const pid_t *spared)
{
	const struct timespec moment = { .tv_nsec = 500000 };
	int64_t end = run_now_ms() + RUN_REAP_MS;

	while (run_kill_children(spared) && run_now_ms() < end)
		nanosleep(&moment, NULL);
}

static enum command_end run_wait(const struct command_run *c, const pid_t *spared, pid_t pid, const struct run_output *o, int *status)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), how = 0;
	bool over = pidfd >= 0 && run_watch(pidfd, c->seconds, o);

	if (pidfd >= 0)
		close(pidfd);
	run_read_rest(o);
	kill(-pid, SIGKILL);		/* before it is waited for: then the number of its group may be another's */
	if (over)
		waitpid(pid, &how, 0);
	run_end_all(spared);
	*status = WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how);
	if (!over)
		return COMMAND_HUNG;
	return WIFSIGNALED(how) ? COMMAND_KILLED : COMMAND_EXITED;
}

enum command_end command_run(const struct command_run *c, int *status, struct text *out)
{
	struct run_output o = { .text = out, .from = out->len, .most = c->output ? c->output : COMMAND_RUN_OUTPUT };
	pid_t spared[RUN_CHILDREN], pid;
	enum command_end end;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC)) {
		*status = -errno;
		return COMMAND_FAILED;
	}
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	run_children(spared, RUN_CHILDREN);
	pid = fork();
	if (!pid)
		run_child(c, fds[1]);
	close(fds[1]);
	if (pid < 0) {
		*status = -errno;
		end = COMMAND_FAILED;
	} else {
		o.fd = fds[0];
		end = run_wait(c, spared, pid, &o, status);
	}
	close(fds[0]);
	return end;
}

/* A shell is not needed for one word. */
void command_words(char *argv[COMMAND_WORDS], const char *command, const char *word)
{
	bool line = command[strspn(command, RUN_PLAIN)];
	const char *words[] = { "/bin/sh", "-c", command, "dmuse", word, NULL };

	if (!line) {
		words[0] = command;
		words[1] = word;
		words[2] = NULL;
	}
	memcpy(argv, words, sizeof(words));
}

void command_environment(void)
{
	char *cwd = getcwd(NULL, 0), *self = realpath("/proc/self/exe", NULL);

	if (cwd)
		setenv("OLDPWD", cwd, 1);
	else
		unsetenv("OLDPWD");	/* the directory was removed, and this is another */
	if (self)
		setenv("DMUSE", self, 0);
	free(cwd);
	free(self);
}

char *command_absolute(const char *command)
{
	size_t word = strcspn(command, " \t\n"), length;
	char *cwd, *out = NULL;

	if (*command == '/' || !memchr(command, '/', word) || command[strcspn(command, "\"'$`\\")])
		return strdup(command);
	cwd = getcwd(NULL, 0);
	if (!cwd && errno == ENOENT)
		return strdup(command);	/* it is in a directory that was removed: whoever runs it says that it is not there */
	length = cwd ? strlen(cwd) + strlen(command) + 2 : 0;
	if (cwd && (out = malloc(length)))
		snprintf(out, length, "%s/%s", cwd, command);
	free(cwd);
	return out;
}
