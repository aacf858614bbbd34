/* SPDX-License-Identifier: BSD-2-Clause */
/* See recording.h. */
#include "crash/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/words.h"

#define RECORDING_FORMAT "1"

char *recording_path(const struct recording *r, const char *name)
{
	struct text t = TEXT_INIT;

	text_printf(&t, "%s/%s", r->directory, name);
	return text_take(&t);
}

bool recording_exists(const char *directory)
{
	const struct recording r = { .directory = (char *)(uintptr_t)directory };
	char *path = recording_path(&r, RECORDING_ABOUT);
	bool there = path && !access(path, F_OK);

	free(path);
	return there;
}

/* Line breaks and backslashes get a backslash. */
static void save_text(FILE *f, const char *name, const char *value)
{
	fprintf(f, "%s ", name);
	for (; *value; value++)
		fprintf(f, *value == '\n' ? "\\n" : *value == '\\' ? "\\\\" : "%c", *value);
	fputc('\n', f);
}

int recording_save(const struct recording *r, bool complete, struct err *e)
{
	char *path = recording_path(r, RECORDING_ABOUT);
	FILE *f = path ? fopen(path, "we") : NULL;
	bool bad = !f;

	if (f) {
		save_text(f, "format", RECORDING_FORMAT);
		fprintf(f, "size %" PRIu64 "\nunit %" PRIu64 "\nfuse %d\ncomplete %d\n", r->size, r->unit, r->fuse, complete);
		save_text(f, "fs", r->fs ? r->fs->name : "raw");
		save_text(f, "mount-options", r->mount_options ? r->mount_options : "");
		save_text(f, "run", r->run ? r->run : "");
		save_text(f, "check", r->check ? r->check : "");
		bad = ferror(f);
		bad |= fclose(f) != 0;
	}
	if (bad)
		err_set(e, -errno, "cannot write %s: %s", path ? path : r->directory, strerror(errno));
	free(path);
	return bad ? e->code : 0;
}

static char *load_text(const char *value)
{
	char *out = malloc(strlen(value) + 1), *at = out;

	for (; out && *value; value++) {
		if (*value == '\\' && value[1])
			*at++ = *++value == 'n' ? '\n' : *value;
		else
			*at++ = *value;
	}
	if (out)
		*at = '\0';
	return out;
}

static int load_fs(struct recording *r, const char *value, struct err *e)
{
	r->fs = fs_find(value);
	if (!r->fs && strcmp(value, "raw"))
		return err_set(e, -EINVAL, "unknown file system '%s'", value);
	return 0;
}

/* Names that are not known are of a later version, and of no importance: else the format had changed. */
static int load_line(struct recording *r, const char *name, const char *value, struct err *e)
{
	uint64_t number = 0;

	if (!strcmp(name, "format") && strcmp(value, RECORDING_FORMAT))
		return err_set(e, -EINVAL, "it has format %s; only format " RECORDING_FORMAT " is known", value);
	if (!strcmp(name, "fs"))
		return load_fs(r, value, e);
	if (!strcmp(name, "mount-options"))
		r->mount_options = load_text(value);
	else if (!strcmp(name, "run"))
		r->run = load_text(value);
	else if (!strcmp(name, "check"))
		r->check = load_text(value);
	else if (!strcmp(name, "fuse"))
		r->fuse = !strcmp(value, "1");
	else if (!strcmp(name, "complete"))
		r->complete = !strcmp(value, "1");
	else if (!strcmp(name, "size") || !strcmp(name, "unit")) {
		if (words_u64(value, &number))
			return err_set(e, -EINVAL, "'%s' is not a number", value);
		*(*name == 's' ? &r->size : &r->unit) = number;
	}
	return 0;
}

static int load_is_whole(const struct recording *r, struct err *e)
{
	if (!r->complete)
		return err_set(e, -ENODATA, "the recording did not come to its end");
	if (!r->size || r->size % 512 || !r->unit || r->unit % 512 || r->unit & (r->unit - 1) || r->unit > UINT32_MAX)
		return err_set(e, -EINVAL, "the size of the disk, or its atomic unit, is missing or wrong");
	if (!r->mount_options || !r->run || !r->check)
		return err_set(e, -EINVAL, "one of the lines mount-options, run and check is missing");
	return 0;
}

static int load_lines(struct recording *r, FILE *f, struct err *e)
{
	char *line = NULL, *value;
	size_t room = 0;
	int code = 0;

	while (!code && getline(&line, &room, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		value = strchr(line, ' ');
		if (value)
			*value++ = '\0';
		code = load_line(r, line, value ? value : "", e);
	}
	free(line);
	return code ? code : load_is_whole(r, e);
}

static int load_about(struct recording *r, struct err *e)
{
	char *path = recording_path(r, RECORDING_ABOUT);
	FILE *f = path ? fopen(path, "re") : NULL;
	int code;

	if (!f)
		code = err_set(e, -errno, "there is no recording in %s: its file %s: %s", r->directory, RECORDING_ABOUT, strerror(errno));
	else if ((code = load_lines(r, f, e)))
		err_prefix(e, "%s: ", path);
	if (f)
		fclose(f);
	free(path);
	return code;
}

static int load_base(struct recording *r, struct err *e)
{
	char *path = recording_path(r, RECORDING_BASE);
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1, code = 0;
	struct stat st;
	void *p = MAP_FAILED;

	if (fd < 0 || fstat(fd, &st))
		code = err_set(e, -errno, "%s: %s", path, strerror(errno));
	else if ((uint64_t)st.st_size != r->size)
		code = err_set(e, -EINVAL, "%s has %lld bytes; it should have %" PRIu64, path, (long long)st.st_size, r->size);
	else if ((p = mmap(NULL, r->size, PROT_READ, MAP_SHARED, fd, 0)) == MAP_FAILED)
		code = err_set(e, -errno, "%s: %s", path, strerror(errno));
	else
		r->base = p;
	if (fd >= 0)
		close(fd);
	free(path);
	return code;
}

static int load_log(struct recording *r, const char *name, bool after, struct err *e)
{
	char *path = recording_path(r, name);
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1, code;

	if (fd < 0)
		code = after && errno == ENOENT ? 0 : err_set(e, -errno, "%s: %s", path, strerror(errno));
	else if (after)
		code = history_read_after(&r->history, fd, path, e);
	else
		code = history_read(&r->history, fd, path, r->size, (uint32_t)r->unit, e);
	if (fd >= 0)
		close(fd);
	free(path);
	return code;
}

int recording_open(struct recording *r, const char *directory, struct err *e)
{
	int code;

	*r = (struct recording){ .directory = realpath(directory, NULL) };
	if (!r->directory)
		return err_set(e, -errno, "%s: %s", directory, strerror(errno));
	code = load_about(r, e);
	if (!code)
		code = load_base(r, e);
	if (!code)
		code = load_log(r, RECORDING_LOG, false, e);
	return code ? code : load_log(r, RECORDING_AFTER, true, e);
}

void recording_close(struct recording *r)
{
	history_free(&r->history);
	if (r->base)
		munmap((void *)(uintptr_t)r->base, r->size);
	free(r->directory);
	free(r->mount_options);
	free(r->run);
	free(r->check);
	*r = (struct recording){ .directory = NULL };
}
