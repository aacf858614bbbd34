/* SPDX-License-Identifier: BSD-2-Clause */
/* The word of a file store: its options, and its path. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stores/block.h"
#include "stores/file.h"

static bool is_device_number(const char *word, unsigned *major, unsigned *minor)
{
	int n = 0;

	return sscanf(word, "%u:%u%n", major, minor, &n) == 2 && !word[n] && strspn(word, "0123456789:") == (size_t)n;
}

/* WORD as a path relative to the caller's directory. False if that is not known. */
static bool word_path(const struct dm_store_spec *w, const char *word, char out[PATH_MAX])
{
	if (*word == '/')
		return snprintf(out, PATH_MAX, "%s", word) < PATH_MAX;
	return w->cwd && snprintf(out, PATH_MAX, "%s/%s", w->cwd, word) < PATH_MAX;
}

bool file_claims(const struct dm_store_spec *w)
{
	unsigned major, minor;

	return strchr(w->word, '/') || is_device_number(w->word, &major, &minor) || (w->place && w->place->exists);
}

static int word_option(struct dm_store_spec *w, struct file_spec *want, const char *name, const char *value)
{
	if (!strcmp(name, "direct") && !*value) {
		want->direct = true;
		return 0;
	}
	if (!strcmp(name, "logical"))
		return block_parse(name, value, &want->logical, w->err);
	if (!strcmp(name, "physical"))
		return block_parse(name, value, &want->physical, w->err);
	return err_set(w->err, -EINVAL, "unknown option '%s' of a file: the syntax is %s", name, dm_store_file.usage);
}

static int word_options(struct dm_store_spec *w, struct file_spec *want, const char **path)
{
	char name[32], value[64];
	int r = 0;

	*path = w->word;
	while (!r && dm_store_option(path, name, value))
		r = word_option(w, want, name, value);
	return r;
}

/* The node of block device MAJOR:MINOR: udev's link, or the kernel's name for it. */
static int word_number(struct dm_store_spec *w, unsigned major, unsigned minor, char out[PATH_MAX])
{
	char sys[64], line[256];
	bool found = false;
	FILE *f;

	snprintf(out, PATH_MAX, "/dev/block/%u:%u", major, minor);
	if (!access(out, F_OK))
		return 0;
	snprintf(sys, sizeof(sys), "/sys/dev/block/%u:%u/uevent", major, minor);
	f = fopen(sys, "re");
	if (!f)
		return err_set(w->err, -ENXIO, "no block device %u:%u", major, minor);
	while (!found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		found = !strncmp(line, "DEVNAME=", 8);
	}
	fclose(f);
	if (!found)
		return err_set(w->err, -ENXIO, "block device %u:%u has no name", major, minor);
	snprintf(out, PATH_MAX, "/dev/%s", line + 8);
	return 0;
}

static int word_find(struct dm_store_spec *w, const char *word, char out[PATH_MAX])
{
	unsigned major, minor;

	if (is_device_number(word, &major, &minor))
		return word_number(w, major, minor, out);
	if (!*word)
		return err_set(w->err, -EINVAL, "the path of the file is missing");
	if (*word != '/' && !w->cwd)
		return err_set(w->err, -EINVAL, "'%.500s' is a relative path, but the request has no working directory: "
						"use an absolute path", word);
	if (!word_path(w, word, out))
		return err_set(w->err, -ENAMETOOLONG, "the path '%.100s...' is too long", word);
	return 0;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	if (S_ISBLK(a->st_mode) && S_ISBLK(b->st_mode))
		return a->st_rdev == b->st_rdev;
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* What cannot be mapped anyway is refused as such. */
static bool is_one(const struct stat *a, const struct stat *b)
{
	return is_same(a, b) || !(S_ISREG(a->st_mode) || S_ISBLK(a->st_mode) || S_ISREG(b->st_mode) || S_ISBLK(b->st_mode));
}

/* The caller may be in another mount namespace, where PATH is another file, or the only one. */
static int word_is_callers(struct dm_store_spec *w, const char *path, const struct stat *ours)
{
	char there[PATH_MAX + 32];
	struct stat theirs;

	snprintf(there, sizeof(there), "/proc/%d/root%s", w->caller, path);
	if (!w->caller || !strncmp(path, "/proc/", 6) || stat(there, &theirs) || (ours && is_one(ours, &theirs)))
		return 0;
	return err_set(w->err, -ENOENT, "'%.500s' is %s for the daemon: process %d, which asks, is in another mount namespace; '%.500s' "
		       "would name its file", path, ours ? "another file" : "not there", w->caller, there);
}

/*
 * The name without links is used, because what a link in the caller's path leads to may change; but links of /proc lead to files
 * that may have no name here, or whose name is another file's.
 */
static int word_lead(struct dm_store_spec *w, struct file_spec *want, const char *path)
{
	struct stat named;
	int r;

	if (stat(path, &want->st)) {
		r = errno;
		if (word_is_callers(w, path, NULL))
			return w->err->code;
		return err_set(w->err, -r, "cannot open '%.800s': %s", path, strerror(r));
	}
	if (word_is_callers(w, path, &want->st))
		return w->err->code;
	if (realpath(path, want->path) && !stat(want->path, &named) && is_same(&named, &want->st))
		return 0;
	want->passing = true;
	snprintf(want->path, sizeof(want->path), "%s", path);
	return 0;
}

/* The file of PATH is known: FD. */
static int word_has(struct dm_store_spec *w, struct file_spec *want, const char *path, int fd)
{
	snprintf(want->path, sizeof(want->path), "%s", path);
	if (fstat(fd, &want->st))
		return err_set(w->err, -errno, "cannot open '%.800s': %s", path, strerror(errno));
	return 0;
}

int file_read_word(struct dm_store_spec *w, struct file_spec *want)
{
	char path[PATH_MAX];
	const char *word;
	int r = word_options(w, want, &word);

	if (!r)
		r = word_find(w, word, path);
	if (r)
		return r;
	want->passing = want->kept >= 0;
	if (want->kept >= 0 || want->at_hand >= 0)
		return word_has(w, want, path, want->passing ? want->kept : want->at_hand);
	return word_lead(w, want, path);
}
