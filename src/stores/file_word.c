/* SPDX-License-Identifier: BSD-2-Clause */
/* The word of a file store: its options, and its path. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

int file_read_word(struct dm_store_spec *w, struct file_spec *want)
{
	char path[PATH_MAX];
	const char *word;
	int r = word_options(w, want, &word);

	if (!r)
		r = word_find(w, word, path);
	if (r || realpath(path, want->path))
		return r;
	return err_set(w->err, -errno, "cannot open '%.800s': %s", path, strerror(errno));
}
