/* SPDX-License-Identifier: BSD-2-Clause */
/* See beside.h. Where a thread ran last, and how long it has run, is told by /proc/TID/stat: proc(5). */
#include "base/beside.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BESIDE_PATIENCE 16u	/* turns */
#define BESIDE_THREADS 64	/* of a process that are looked at */

bool beside_go(struct beside *b, int cpu)
{
	cpu_set_t there;

	if (cpu < 0 || cpu >= CPU_SETSIZE || (!b->there && sched_getaffinity(0, sizeof(b->home), &b->home)))
		return false;
	CPU_ZERO(&there);
	CPU_SET(cpu, &there);
	if (!CPU_ISSET(cpu, &b->home) || sched_setaffinity(0, sizeof(there), &there))
		return false;
	b->there = true;
	b->turns = 0;
	return true;
}

void beside_leave(struct beside *b)
{
	if (!b->there || ++b->turns < BESIDE_PATIENCE)
		return;
	sched_setaffinity(0, sizeof(b->home), &b->home);
	b->there = false;
	b->stretch = 0;
}

/* Of the file PATH: the time the thread has run, in ticks, and its processor. */
static bool beside_read(const char *path, unsigned long *ran, int *cpu)
{
	unsigned long user = 0, system = 0;
	char line[1024], *at;
	FILE *f = fopen(path, "re");
	bool ok = f && fgets(line, sizeof(line), f) && (at = strrchr(line, ')')) &&
		  sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %*u %*u %*d %*u %*u "
			 "%*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*d %d", &user, &system, cpu) == 3;

	if (f)
		fclose(f);
	*ran = user + system;
	return ok;
}

int beside_thread(pid_t tid)
{
	unsigned long ran;
	char path[40];
	int cpu;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)tid);
	return tid > 0 && beside_read(path, &ran, &cpu) ? cpu : -1;
}

int beside_process(pid_t pid)
{
	unsigned long ran, most = 0;
	int cpu, best = -1, n = 0;
	struct dirent *d;
	char path[64];
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = pid > 0 ? opendir(path) : NULL;
	while (tasks && n < BESIDE_THREADS && (d = readdir(tasks))) {
		if (*d->d_name == '.')
			continue;
		n++;
		snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)pid, atoi(d->d_name));
		if (beside_read(path, &ran, &cpu) && (best < 0 || ran > most)) {
			best = cpu;
			most = ran;
		}
	}
	if (tasks)
		closedir(tasks);
	return best;
}
