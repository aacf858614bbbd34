/* SPDX-License-Identifier: BSD-2-Clause */
/* See file_names.h. debugfs finds the inode of a block (icheck), and the path of an inode (ncheck). */
#include "crash/file_names.h"

#include <endian.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crash/command_run.h"

#define NAMES_MOST 400u			/* sectors of one question */
#define NAMES_SECONDS 60
#define NAMES_OUTPUT ((size_t)1 << 20)	/* paths may be long */
#define NAMES_BLOCK_AT (1024 + 24)	/* bytes: where the superblock has the binary logarithm of a block's size in KiB */
#define NAMES_ROOT 2u
#define NAMES_JOURNAL 8u

struct names {
	const char *image;
	unsigned per_block;		/* sectors */
	struct name {
		unsigned long long sector, block, inode;	/* inode 0: unknown */
		char *path;
	} at[NAMES_MOST];
	size_t n;
};

static int names_block_size(struct names *n)
{
	int fd = open(n->image, O_RDONLY | O_CLOEXEC);
	uint32_t log = UINT32_MAX;

	if (fd < 0)
		return -1;
	if (pread(fd, &log, sizeof(log), NAMES_BLOCK_AT) != sizeof(log))
		log = UINT32_MAX;
	close(fd);
	log = le32toh(log);
	if (log > 6)
		return -1;
	n->per_block = 2u << log;
	return 0;
}

static void names_parse(struct names *n, const char *sectors)
{
	char *end;

	while (n->n < NAMES_MOST) {
		unsigned long long sector = strtoull(sectors, &end, 10);

		if (end == sectors)
			break;
		n->at[n->n++] = (struct name){ .sector = sector, .block = sector / n->per_block };
		sectors = end;
	}
}

/* What debugfs says to QUESTION. */
static void names_ask(const struct names *n, const struct text *question, struct text *answer)
{
	char *argv[] = { "debugfs", "-R", question->s, (char *)(uintptr_t)n->image, NULL };
	const struct command_run run = { .argv = argv, .seconds = NAMES_SECONDS, .output = NAMES_OUTPUT };
	int status;

	if (question->s)
		command_run(&run, &status, answer);
}

static void names_set_inode(struct names *n, unsigned long long block, unsigned long long inode)
{
	size_t i;

	for (i = 0; i < n->n; i++)
		if (n->at[i].block == block)
			n->at[i].inode = inode;
}

static void names_set_path(struct names *n, unsigned long long inode, const char *path)
{
	size_t i;

	for (i = 0; i < n->n; i++)
		if (n->at[i].inode == inode && !n->at[i].path)
			n->at[i].path = strdup(path);
}

static void names_find_inodes(struct names *n)
{
	struct text question = TEXT_INIT, answer = TEXT_INIT;
	unsigned long long block, inode;
	char *line, *at;
	size_t i;

	text_add(&question, "icheck");
	for (i = 0; i < n->n; i++)
		if (!i || n->at[i].block != n->at[i - 1].block)
			text_printf(&question, " %llu", n->at[i].block);
	names_ask(n, &question, &answer);
	for (at = answer.s; at && (line = strsep(&at, "\n"));)
		if (sscanf(line, "%llu %llu", &block, &inode) == 2)
			names_set_inode(n, block, inode);
	text_free(&question);
	text_free(&answer);
}

static void names_find_paths(struct names *n)
{
	struct text question = TEXT_INIT, answer = TEXT_INIT;
	unsigned long long inode;
	char *line, *at;
	int path = 0;
	size_t i;

	names_set_path(n, NAMES_ROOT, "/");
	names_set_path(n, NAMES_JOURNAL, "the journal");
	text_add(&question, "ncheck");
	for (i = 0; i < n->n; i++)
		if (n->at[i].inode && !n->at[i].path && (!i || n->at[i].inode != n->at[i - 1].inode))
			text_printf(&question, " %llu", n->at[i].inode);
	names_ask(n, &question, &answer);
	for (at = answer.s; at && (line = strsep(&at, "\n"));)
		if (sscanf(line, "%llu %n", &inode, &path) == 1 && line[path] == '/')
			names_set_path(n, inode, line + path + (line[path + 1] == '/'));
	text_free(&question);
	text_free(&answer);
}

void file_names(const char *image, const char *sectors, struct text *out)
{
	struct names n = { .image = image };
	size_t i;

	if (names_block_size(&n))
		return;
	names_parse(&n, sectors);
	names_find_inodes(&n);
	names_find_paths(&n);
	for (i = 0; i < n.n; i++) {
		if (n.at[i].path)
			text_printf(out, "%llu\t%s\n", n.at[i].sector, n.at[i].path);
		free(n.at[i].path);
	}
}
