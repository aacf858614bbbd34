/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Measures commands over the control socket, on one connection, as any program could send them (doc/protocol.md).
 * Prints "name value" lines for bench/control.py.
 *
 *   bench_control SOCKET TABLE DEVICES MS   rates over MS milliseconds, many devices alive, their memory and idle CPU
 *   bench_control SOCKET TABLE swap NAME    latency of 200 swaps of NAME's table, 5 ms apart
 */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE 2048u
#define SWAPS 200
#define WINDOW 32		/* commands in flight if the client does not wait for each reply */

struct client {
	int fd;
	const char *table;
	double seconds;			/* for which a rate is measured, or the idle daemon is watched */
	uint8_t in[1 << 16];
	size_t start, end;
};

__attribute__((noreturn)) static void die(const char *what, const char *why)
{
	fprintf(stderr, "bench_control: %s: %s\n", what, why);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void send_all(struct client *c, const uint8_t *at, size_t n)
{
	while (n) {
		ssize_t did = write(c->fd, at, n);

		if (did <= 0)
			die("socket", "the daemon hung up");
		at += did;
		n -= (size_t)did;
	}
}

/* EXTRA: more keys, as XML, or "". */
static void ask(struct client *c, const char *command, const char *name, const char *extra)
{
	uint8_t message[MESSAGE];
	uint32_t length;
	int n = snprintf((char *)message + 4, sizeof(message) - 4,
			 "<plist version=\"1.0\"><dict><key>command</key><string>%s</string><key>name</key>"
			 "<string>%s</string>%s</dict></plist>", command, name, extra);

	if (n < 0 || (size_t)n >= sizeof(message) - 4)
		die(command, "its table is too long for this benchmark");
	length = htonl((uint32_t)n);
	memcpy(message, &length, 4);
	send_all(c, message, (size_t)n + 4);
}

static void ask_load(struct client *c, const char *name)
{
	char extra[MESSAGE];

	snprintf(extra, sizeof(extra), "<key>table</key><string>%s</string>", c->table);
	ask(c, "reload", name, extra);
}

/* Makes sure that at least N bytes of the stream are at in + start. */
static void need(struct client *c, size_t n)
{
	if (n > sizeof(c->in))
		die("socket", "a reply longer than this benchmark expects");
	if (c->start + n > sizeof(c->in)) {
		memmove(c->in, c->in + c->start, c->end - c->start);
		c->end -= c->start;
		c->start = 0;
	}
	while (c->end - c->start < n) {
		ssize_t got = read(c->fd, c->in + c->end, sizeof(c->in) - c->end);

		if (got <= 0)
			die("socket", "the daemon hung up");
		c->end += (size_t)got;
	}
}

static void answered(struct client *c)
{
	static const char good[] = "<key>errno</key>";
	uint32_t length;
	const char *at;

	need(c, 4);
	memcpy(&length, c->in + c->start, 4);
	length = ntohl(length);
	need(c, 4 + length);
	at = memmem(c->in + c->start + 4, length, good, sizeof(good) - 1);
	if (!at || !(at = strchr(at + sizeof(good) - 1, '>')) || at[1] != '0')
		die("a command failed", "see the daemon's log");
	c->start += 4 + length;
	if (c->start == c->end)
		c->start = c->end = 0;
}

static void do_one(struct client *c, const char *command, const char *name)
{
	if (!strcmp(command, "reload"))
		ask_load(c, name);
	else
		ask(c, command, name, "");
	answered(c);
}

static void ask_cycle(struct client *c, const char *name)
{
	ask(c, "create", name, "");
	ask_load(c, name);
	ask(c, "resume", name, "");
	ask(c, "remove", name, "");
}

/* Create, load, resume, remove; either one reply after another, or with WINDOW cycles in flight. */
static double cycles(struct client *c, unsigned window)
{
	static const char *const steps[] = { "create", "reload", "resume", "remove" };
	unsigned n = 0, sent = 0, i;
	double began = now();

	for (; now() - began < c->seconds; n++) {
		for (; window > 1 && sent < n + window; sent++)
			ask_cycle(c, "cycle");
		for (i = 0; i < 4; i++) {
			if (window > 1)
				answered(c);
			else
				do_one(c, steps[i], "cycle");
		}
	}
	for (i = 0; window > 1 && i < 4 * (sent - n); i++)
		answered(c);
	return n / (now() - began);
}

static double swaps(struct client *c, const char *name)
{
	double began = now();
	unsigned n;

	for (n = 0; now() - began < c->seconds; n++) {
		do_one(c, "reload", name);
		do_one(c, "resume", name);
	}
	return n / (now() - began);
}

/* Runs COMMAND on each of COUNT devices: how many per second. */
static double each(struct client *c, const char *command, unsigned count)
{
	double began = now();
	unsigned i;
	char name[32];

	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "many-%u", i);
		do_one(c, command, name);
	}
	return count / (now() - began);
}

static pid_t daemon_pid(struct client *c)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &peer, &n))
		die("socket", "who serves it is not known");
	return peer.pid;
}

static double memory_bytes(pid_t pid)
{
	char path[64], line[256];
	double kb = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "VmRSS:", 6))
			kb = strtod(line + 6, NULL);
	if (f)
		fclose(f);
	return kb * 1024;
}

static double cpu_seconds(pid_t pid)
{
	clockid_t id;
	struct timespec t;

	if (clock_getcpuclockid(pid, &id) || clock_gettime(id, &t))
		die("daemon", "its CPU time cannot be read");
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void rest(double seconds)
{
	usleep((useconds_t)(seconds * 1e6));
}

static void many(struct client *c, unsigned count)
{
	pid_t pid = daemon_pid(c);
	double memory = memory_bytes(pid), cpu;

	printf("creates_s %.0f\n", each(c, "create", count));
	printf("loads_s %.0f\n", each(c, "reload", count));
	printf("resumes_s %.0f\n", each(c, "resume", count));
	printf("device_bytes %.0f\n", (memory_bytes(pid) - memory) / count);
	rest(c->seconds);		/* in case something polls for a while after work has stopped */
	cpu = cpu_seconds(pid);
	rest(c->seconds);
	printf("idle_cpu_percent %.3f\n", 100 * (cpu_seconds(pid) - cpu) / c->seconds);
	printf("removes_s %.0f\n", each(c, "remove", count));
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void swap_latency(struct client *c, const char *name)
{
	double took[SWAPS];
	unsigned i;

	for (i = 0; i < SWAPS; i++) {
		double began;

		usleep(5000);
		do_one(c, "reload", name);
		began = now();
		do_one(c, "resume", name);
		took[i] = (now() - began) * 1e6;
	}
	qsort(took, SWAPS, sizeof(*took), by_value);
	printf("swap_p50_us %.0f\nswap_p99_us %.0f\n", took[SWAPS / 2], took[SWAPS * 99 / 100]);
}

int main(int argc, char **argv)
{
	static struct client c;
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	if (argc != 5 || strlen(argv[1]) >= sizeof(a.sun_path))
		die("usage", "bench_control SOCKET TABLE DEVICES MS | SOCKET TABLE swap NAME");
	memcpy(a.sun_path, argv[1], strlen(argv[1]));
	c.table = argv[2];
	c.fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (c.fd < 0 || connect(c.fd, (struct sockaddr *)&a, sizeof(a)))
		die(argv[1], "nobody listens");
	if (!strcmp(argv[3], "swap")) {
		swap_latency(&c, argv[4]);
		return 0;
	}
	c.seconds = strtod(argv[4], NULL) / 1000;
	printf("cycles_s %.0f\n", cycles(&c, 1));
	printf("cycles_ahead_s %.0f\n", cycles(&c, WINDOW));
	do_one(&c, "create", "swapped");
	printf("swaps_s %.0f\n", swaps(&c, "swapped"));
	do_one(&c, "remove", "swapped");
	many(&c, (unsigned)strtoul(argv[3], NULL, 10));
	return 0;
}
