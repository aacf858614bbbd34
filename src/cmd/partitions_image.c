/* SPDX-License-Identifier: BSD-2-Clause */
/* See partitions.h: the image itself, and which devices are mapped to it. */
#include "cmd/partitions.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/text.h"
#include "base/words.h"
#include "cmd/client.h"
#include "cmd/rows.h"
#include "cmd/say.h"
#include "core/device/device.h"
#include "core/device/mangle.h"
#include "stores/label.h"

#define IMAGE_LARGE_BLOCK 4096

/* A disk has a block size, in which its partition table counts; an image does not: mostly 512 bytes, or 4096. */
static int image_label(struct image *i, int fd, const struct stat *st)
{
	int block = 512, r;

	if (S_ISBLK(st->st_mode) && ioctl(fd, BLKSSZGET, &block))
		return -errno;
	r = label_parts(fd, (uint32_t)block, &i->parts);
	if (!r && !i->parts.n && S_ISREG(st->st_mode))
		r = label_parts(fd, IMAGE_LARGE_BLOCK, &i->parts);
	return r;
}

static int image_read(struct image *i, bool label, struct err *e)
{
	int fd = open(i->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), r = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		r = err_set(e, -errno, "cannot open %s: %s", i->file, strerror(errno));
	else if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		r = err_set(e, -EINVAL, "%s is not a regular file or block device", i->file);
	else
		i->device = S_ISBLK(st.st_mode) ? st.st_rdev : 0;
	if (!r && label && (r = image_label(i, fd, &st)))
		err_set(e, r, "cannot read the partitions of %s: %s", i->file, strerror(-r));
	if (fd >= 0)
		close(fd);
	return r;
}

/*
 * As kpartx does: with a p if the name ends in a digit. In the daemon's form, if the file's name has unusual
 * characters.
 */
static char *image_base(const struct image *i)
{
	const char *name = strrchr(i->path, '/') + 1;
	bool digit = *name && isdigit((unsigned char)name[strlen(name) - 1]);
	const char *delimiter = i->j->o.given[OPT_delimiter] ? i->j->o.value[OPT_delimiter] : digit ? "p" : "";
	char kernel[DM_NAME_MAX + 1], *base;

	if (asprintf(&base, "%s%s", name, delimiter) < 0)
		return say_need(NULL);
	if (!dm_mangle(base, DM_MANGLE_AUTO, kernel, sizeof(kernel))) {
		base = say_need(realloc(base, sizeof(kernel)));
		dm_unmangle(kernel, base);
	}
	return base;
}

int image_open(struct image *i, struct job *j, const char *file, bool label)
{
	struct err e = ERR_INIT;

	*i = (struct image){ .j = j, .file = file, .path = realpath(file, NULL) };
	if (!i->path)
		err_set(&e, -errno, "cannot open %s: %s", file, strerror(errno));
	else
		image_read(i, label, &e);
	if (e.code)
		return job_failed(j, NULL, &e);
	i->base = image_base(i);
	return EXIT_OK;
}

void image_close(struct image *i)
{
	free(i->path);
	free(i->base);
}

char *image_name(const struct image *i, uint32_t number)
{
	char *name;

	return asprintf(&name, "%s%u", i->base, number) < 0 ? say_need(NULL) : name;
}

/* Is WORD in a table this image? The daemon prints a file's path, or a block device's number. */
static bool image_is(const struct image *i, const char *word)
{
	unsigned ma, mi;
	char rest;

	if (sscanf(word, "%u:%u%c", &ma, &mi, &rest) == 2)
		return i->device && i->device == makedev(ma, mi);
	return !strcmp(word, i->path);
}

/* "0 LENGTH linear WORD START" */
static bool image_line(const struct image *i, char *line, struct dm_part *out)
{
	struct err e = ERR_INIT;
	const char *words[6] = { NULL };
	size_t n = 0;

	while (n < 6 && (words[n] = words_next(&line, &e)))
		n++;
	return n == 5 && !strcmp(words[0], "0") && !strcmp(words[2], "linear") && !words_u64(words[1], &out->sectors) &&
	       image_is(i, words[3]) && !words_u64(words[4], &out->start);
}

int image_maps(const struct image *i, const char *name, struct dm_part *out)
{
	plist_t request = request_new("table", name), reply = NULL;
	struct err e = ERR_INIT;
	int maps = 0, r;
	char *line;

	rows_ask(request);
	r = client_try(i->j, name, request, &reply, &e);
	if (r)
		return client_no_device(r) ? 0 : (job_failed(i->j, name, &e), -1);
	for (struct row row = rows_of(reply); rows_next(&row);) {
		line = say_need(strndup(row.text, row.len));
		maps = row.number == 1 && image_line(i, line, out);
		free(line);
	}
	plist_free(reply);
	return maps;
}
