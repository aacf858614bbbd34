/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LVM is about to read its configuration: its filter is updated to the loop devices that programs of the session have
 * attached. And if LVM is told to work on a device that the filter refuses, a message says what to do: LVM itself says
 * only "rejected by filter config".
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "session/loops.h"
#include "session/lvm.h"
#include "session/super.h"

#define LVM_WORDS (16 << 10)

/* A block device of the machine, which the filter refuses. */
static bool lvm_refused(const struct call *c, const char *word)
{
	struct call_path p = { .at = AT_FDCWD };
	struct stat st;
	char name[32];

	if (snprintf(p.path, sizeof(p.path), "%s", word) >= (int)sizeof(p.path) || super_find(c, &p, &st) || !S_ISBLK(st.st_mode))
		return false;
	if (super_node_name(c->s, &st, name))
		return false;
	return major(st.st_rdev) != LOOPS_MAJOR || !loops_are_ours(minor(st.st_rdev));
}

static void lvm_say(const struct call *c, const char *device)
{
	char text[4500];

	snprintf(text, sizeof(text), "it is the host's, and LVM in a session uses only the session's disks: `dmuse "
			      "exec --disk NAME=%s ...` "
		 "presents it as /dev/NAME, also to LVM", device);
	super_say(c, "LVM and", device, text);
}

/* WORDS of the command line, each terminated by NUL. A caller with a filter of its own needs no explanation. */
static void lvm_explain(const struct call *c, const char *words, size_t n)
{
	const char *word;

	for (word = words; word < words + n; word += strlen(word) + 1)
		if (!strncmp(word, "--config", 8))
			return;
	for (word = words + strlen(words) + 1; word < words + n; word += strlen(word) + 1)
		if (*word != '-' && strchr(word, '/') && lvm_refused(c, word))
			lvm_say(c, word);
}

static size_t lvm_command(const struct call *c, char words[LVM_WORDS])
{
	int fd = target_open(c, "cmdline", O_RDONLY);
	size_t have = 0;
	ssize_t n;

	while (fd >= 0 && have < LVM_WORDS - 1 && (n = read(fd, words + have, LVM_WORDS - 1 - have)) > 0)
		have += (size_t)n;
	if (fd >= 0)
		close(fd);
	words[have] = '\0';
	return have;
}

void super_lvm_begin(struct super *s)
{
	s->lvm = lvm_device();
}

/* Called for every open of a file: no system call for files on other file systems. */
void super_lvm(const struct call *c, const struct stat *st)
{
	char words[LVM_WORDS];
	struct stat conf;

	if (!S_ISREG(st->st_mode) || st->st_dev != c->s->lvm || lvm_stat(&conf) || st->st_ino != conf.st_ino)
		return;
	lvm_refresh();
	lvm_explain(c, words, lvm_command(c, words));
}
