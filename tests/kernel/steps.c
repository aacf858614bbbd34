/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many steps in one process: preloaded into dmsetup, whose main() it calls in a child for every line `d WORDS` of the
 * file $STEPS. That is the real dmsetup, but without exec and the dynamic linker, which under emulation take ten times
 * as long as dmsetup itself. The other steps are I/O; generate explains each of them, and writes the same as a shell
 * script.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <dlfcn.h>
#include <linux/fs.h>

#define SECTOR 512
#define MOST 256		/* sectors of a request */
#define WORDS 64
#define PATIENCE 30		/* seconds for a step */

typedef int main_fn(int argc, char **argv, char **env);

static main_fn *dmsetup;
static char **environment;
static int held = -1;		/* `o` */
static pid_t writer;		/* `b` */

/* Reads the first line of /sys/block/DISK/WHAT. */
static bool told(const char *disk, const char *what, char *line, int n)
{
	char path[300];
	FILE *f;
	bool good;

	snprintf(path, sizeof(path), "/sys/block/%s/%s", disk, what);
	f = strncmp(disk, "dm-", 3) ? NULL : fopen(path, "r");
	good = f && fgets(line, n, f);
	if (f)
		fclose(f);
	if (good)
		line[strcspn(line, "\n")] = 0;
	return good;
}

/* Finds the disk dm-N (stored in DISK) that is not empty and of which /sys says that WHAT is VALUE. */
static bool find(const char *what, const char *value, char *disk, size_t size)
{
	DIR *dir = opendir("/sys/block");
	struct dirent *d;
	char line[200];
	bool found = false;

	while (dir && !found && (d = readdir(dir))) {
		found = told(d->d_name, what, line, sizeof(line)) && !strcmp(line, value) &&
			told(d->d_name, "size", line, sizeof(line)) && strcmp(line, "0");
		if (found)
			snprintf(disk, size, "%.30s", d->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* I/O would wait forever if anything on its way were suspended, so it is skipped while any device is. */
static bool suspended(void)
{
	char disk[32];

	return find("dm/suspended", "1", disk, sizeof(disk));
}

/* Sixteen bytes per line: SEED and a number, which stays 0 if SEED is a capital letter. */
static void pattern(char *p, unsigned sectors, char seed)
{
	unsigned i;
	char line[32];

	for (i = 0; i < sectors * (SECTOR / 16); i++) {
		snprintf(line, sizeof(line), "%c%014u\n", seed, isupper(seed) ? 0 : i + 1);
		memcpy(p + 16 * i, line, 16);
	}
}

static uint64_t sum(const unsigned char *p, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u;

	while (n--)
		h = (h ^ *p++) * 0x100000001b3u;
	return h;
}

/*
 * Uses the device's own node: those in /dev/mapper are created and removed by udev, where there is one. An empty device
 * counts as missing: on Linux one that has never had a table has no such node.
 */
static int open_device(const char *name, int flags)
{
	char path[200] = "/dev/", *disk = path + strlen(path);
	int fd;

	if (*name == '/')
		snprintf(path, sizeof(path), "%s", name);
	else if (!find("dm/name", name, disk, 100)) {
		printf("is not there\n");
		return -1;
	}
	fd = open(path, flags | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		printf("open: %s\n", strerror(errno));
	return fd;
}

static void outcome(ssize_t n, const void *data)
{
	if (n < 0)
		printf("%s\n", strerror(errno));
	else if (data)
		printf("%zd %016llx\n", n, (unsigned long long)sum(data, (size_t)n));
	else
		printf("%zd\n", n);
}

/* r NAME SECTOR COUNT */
static void read_some(char **w, void *room)
{
	int fd = open_device(w[1], O_RDONLY);

	if (fd < 0)
		return;
	outcome(pread(fd, room, (size_t)atoi(w[3]) * SECTOR, (off_t)atoll(w[2]) * SECTOR), room);
	close(fd);
}

/* a NAME: all of the device, in requests of 64 KiB */
static void read_all(char **w, void *room)
{
	int fd = open_device(w[1], O_RDONLY), i;
	ssize_t n = 1;

	for (i = 0; fd >= 0 && n && i < 64; i++) {
		n = pread(fd, room, 64 << 10, (off_t)i * (64 << 10));
		outcome(n, room);
	}
	if (fd >= 0)
		close(fd);
}

/*
 * w NAME SECTOR COUNT SEED. Beyond the end FUSE cannot return a short write: the part inside is written, and the result
 * is ENOSPC.
 */
static void write_some(char **w, void *room)
{
	int fd = open_device(w[1], O_WRONLY);
	ssize_t n, most = atoll(w[3]) * SECTOR;

	if (fd < 0)
		return;
	pattern(room, (unsigned)atoi(w[3]), *w[4]);
	n = pwrite(fd, room, (size_t)most, (off_t)atoll(w[2]) * SECTOR);
	if (n > 0 && n < most) {
		errno = ENOSPC;
		n = -1;
	}
	outcome(n, NULL);
	close(fd);
}

/* D|Z NAME SECTOR COUNT: discard, zeroes */
static void range(char **w, unsigned long number)
{
	uint64_t at[2] = { strtoull(w[2], NULL, 10) * SECTOR, strtoull(w[3], NULL, 10) * SECTOR };
	int fd = open_device(w[1], O_RDWR);

	if (fd < 0)
		return;
	outcome(ioctl(fd, number, at), NULL);
	close(fd);
}

/* z NAME: its size, and whether it is read-only */
static void size(char **w)
{
	uint64_t bytes = 0;
	int fd = open_device(w[1], O_RDONLY), ro = 0;

	if (fd < 0)
		return;
	if (ioctl(fd, BLKGETSIZE64, &bytes) || ioctl(fd, BLKROGET, &ro))
		printf("%s\n", strerror(errno));
	else
		printf("%llu %d\n", (unsigned long long)bytes, ro);
	close(fd);
}

/* The status of PID; after a while it counts as hanging. */
static int await(pid_t pid)
{
	const struct timespec pause = { 0, 500000 };
	int status, i;

	for (i = 0; i < PATIENCE * 2000; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		nanosleep(&pause, NULL);
	}
	printf("stuck\n");
	fflush(stdout);
	_exit(3);
}

static void run_dmsetup(char **w, int n)
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		w[0] = "dmsetup";
		w[n] = NULL;
		dup2(1, 2);
		setvbuf(stdout, NULL, _IOLBF, 0);	/* so that stdout and stderr keep their order */
		exit(dmsetup(n, w, environment));
	}
	status = await(pid);
	if (status)
		printf("= %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
}

/* Prints the devices' minors, if they have changed: `#= NAME=MINOR ...`. */
static void tell_minors(void)
{
	static char last[1000];
	char line[200], now[1000] = "";
	DIR *dir = opendir("/sys/block");
	struct dirent *d;
	size_t n = 0;

	while (dir && (d = readdir(dir)))
		if (told(d->d_name, "dm/name", line, sizeof(line)) && n < sizeof(now) - 300)
			n += (size_t)snprintf(now + n, sizeof(now) - n, " %s=%s", line, d->d_name + 3);
	if (dir)
		closedir(dir);
	if (strcmp(now, last))
		printf("#=%s\n", strcpy(last, now));
}

/* t LINE...: the table file */
static void table_file(char **w, int n)
{
	FILE *f = fopen("table", "w");
	int i;

	for (i = 1; f && i < n; i++)
		fprintf(f, "%s\n", w[i]);
	if (f)
		fclose(f);
}

/* PID waits in its write, or has ended. */
static bool settled(pid_t pid)
{
	char path[40], line[100] = "";
	siginfo_t info = { .si_pid = 0 };
	FILE *f;

	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid)
		return true;
	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
	f = fopen(path, "r");
	if (f && !fgets(line, sizeof(line), f))
		*line = 0;
	if (f)
		fclose(f);
	return atoi(line) == SYS_pwrite64;
}

/* b NAME SECTOR COUNT SEED: a write in the background, whose result is printed at j */
static void background(char **w, void *room)
{
	const struct timespec pause = { 0, 500000 };
	int i;

	fflush(stdout);
	writer = fork();
	for (i = 0; writer && i < PATIENCE * 2000 && !settled(writer); i++)
		nanosleep(&pause, NULL);
	if (writer)
		return;
	if (!freopen("writer", "w", stdout))
		_exit(1);
	write_some(w, room);
	fflush(stdout);
	_exit(0);
}

static void join(void)
{
	char line[200];
	FILE *f;

	if (writer <= 0)
		return;
	await(writer);
	writer = 0;
	f = fopen("writer", "r");
	while (f && fgets(line, sizeof(line), f))
		fputs(line, stdout);
	if (f)
		fclose(f);
}

static void hold(const char *name)
{
	int fd = name ? open_device(name, O_RDONLY) : -1;
	const struct timespec pause = { 0, 50000000 };

	if (held >= 0) {
		close(held);
		nanosleep(&pause, NULL);	/* Linux carries out deferred removal shortly after the last close */
	}
	held = fd;
}

/* x: removes everything, and zeroes the disks as far as steps write to them */
static void reset(void *room)
{
	char *words[][4] = { { "d", "remove_all", "--force", NULL }, { "d", "remove_all", NULL, NULL } };
	const char *disks[] = { "/dev/vda", "/dev/vdb" };
	int i, fd, k;

	hold(NULL);
	unlink("table");
	run_dmsetup(words[0], 3);
	run_dmsetup(words[1], 2);
	join();
	memset(room, 0, MOST * SECTOR);
	for (i = 0; i < 2; i++) {
		fd = open_device(disks[i], O_WRONLY);
		for (k = 0; fd >= 0 && k < 16; k++)
			if (pwrite(fd, room, MOST * SECTOR, (off_t)k * MOST * SECTOR) < 0)
				outcome(-1, NULL);
		if (fd >= 0)
			close(fd);
	}
}

/* Splits LINE into words, in place; '...' keeps blanks. */
static int split(char *line, char **w)
{
	int n = 0;

	while (n < WORDS - 1) {
		line += strspn(line, " \n");
		if (!*line)
			break;
		if (*line == '\'') {
			w[n++] = ++line;
			line = strchrnul(line, '\'');
		} else {
			w[n++] = line;
			line += strcspn(line, " \n");
		}
		if (*line)
			*line++ = 0;
	}
	return n;
}

static void step(char **w, int n, void *room)
{
	static const struct {
		char letter;
		int words;
	} io[] = { { 'r', 4 }, { 'w', 5 }, { 'b', 5 }, { 'a', 2 }, { 'D', 4 }, { 'Z', 4 } };
	char letter = *w[0];
	size_t i;

	for (i = 0; i < sizeof(io) / sizeof(*io); i++)
		if (io[i].letter == letter && (n != io[i].words || (letter != 'b' && suspended()))) {
			printf("left out\n");
			return;
		}
	switch (letter) {
	case 'd': run_dmsetup(w, n); break;
	case 't': table_file(w, n); break;
	case 'r': read_some(w, room); break;
	case 'a': read_all(w, room); break;
	case 'w': write_some(w, room); break;
	case 'b': background(w, room); break;
	case 'j': join(); break;
	case 'D': range(w, BLKDISCARD); break;
	case 'Z': range(w, BLKZEROOUT); break;
	case 'z': size(w); break;
	case 'o': hold(w[1]); break;
	case 'c': hold(NULL); break;
	case 'x': reset(room); break;
	}
}

/* Reads the whole file at once: a child that exits would change its parent's position in it. */
static char *slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	if (!f || getdelim(&text, &size, 0, f) < 0)
		perror(path);
	if (f)
		fclose(f);
	return text;
}

/* Prints the numbers of the disks and the device-mapper, so that they can be replaced by the same ones. */
static void tell_numbers(void)
{
	static const char *const disks[] = { "/dev/vda", "/dev/vdb" };
	char line[100], name[100];
	struct stat st;
	unsigned n;
	FILE *f = fopen("/proc/devices", "r");

	for (n = 0; n < 2; n++)
		if (!stat(disks[n], &st))
			printf("# %s %u:%u\n", disks[n], major(st.st_rdev), minor(st.st_rdev));
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%u %99s", &n, name) == 2 && !strcmp(name, "device-mapper"))
			printf("# device-mapper %u\n", n);
	if (f)
		fclose(f);
}

static int steps(const char *path)
{
	char *text = slurp(path), *line, *w[WORDS] = { NULL };
	void *room = NULL;
	int n;

	if (!text || posix_memalign(&room, 4096, MOST * SECTOR))
		return 1;
	tell_numbers();
	while ((line = strsep(&text, "\n"))) {
		printf("+ %s\n", line);
		tell_minors();
		n = split(line, w);
		if (n)
			step(w, n, room);
		fflush(stdout);
	}
	return 0;
}

static int instead(int argc, char **argv, char **env)
{
	const char *path = getenv("STEPS");

	environment = env;
	return path ? steps(path) : dmsetup(argc, argv, env);
}

int __libc_start_main(main_fn *real, int argc, char **argv, main_fn *init, void (*fini)(void), void (*ld)(void), void *end);

__attribute__((visibility("default")))
int __libc_start_main(main_fn *real, int argc, char **argv, main_fn *init, void (*fini)(void), void (*ld)(void), void *end)
{
	__typeof__(&__libc_start_main) next = (__typeof__(&__libc_start_main))dlsym(RTLD_NEXT, "__libc_start_main");

	dmsetup = real;
	return next(instead, argc, argv, init, fini, ld, end);
}
