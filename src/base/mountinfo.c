/* SPDX-License-Identifier: BSD-2-Clause */
/* See mountinfo.h. The format is that of proc_pid_mountinfo(5). */
#include "base/mountinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/text.h"

static int read_all(const char *file, char **out)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct text t = TEXT_INIT;
	char part[16384];
	ssize_t n;

	if (fd < 0)
		return -errno;
	text_add(&t, "");
	while ((n = read(fd, part, sizeof(part))) > 0)
		text_add_n(&t, part, (size_t)n);
	n = n < 0 ? -errno : 0;
	close(fd);
	*out = text_take(&t);
	return n ? (int)n : *out ? 0 : -ENOMEM;
}

/* A space is written as \040, and so are other characters that would break the format. In place. */
static char *unescape(char *s)
{
	char *from = s, *to = s;
	unsigned byte;

	while (*from) {
		if (*from == '\\' && sscanf(from, "\\%3o", &byte) == 1) {
			*to++ = (char)byte;
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
	return s;
}

/* 36 35 98:0 /root /path options [tags...] - type source super-options */
static int parse_line(char *line, struct mount_line *m)
{
	char *save, *word = NULL, *path, *source;
	unsigned ma, mi;
	int at;

	if (sscanf(line, "%d %d %u:%u %n", &m->id, &m->parent, &ma, &mi, &at) != 4)
		return -EINVAL;
	m->dev = makedev(ma, mi);
	strtok_r(line + at, " ", &save);
	path = strtok_r(NULL, " ", &save);
	while ((word = strtok_r(NULL, " ", &save)) && strcmp(word, "-"))
		;
	m->type = word ? strtok_r(NULL, " ", &save) : NULL;
	if (!m->type)
		return -EINVAL;
	/* A source may be empty. */
	source = strsep(&save, " ");
	m->source = source ? unescape(source) : "";
	m->options = save ? save : "";
	m->path = unescape(path);
	return 0;
}

static size_t count_lines(const char *s)
{
	size_t n = 0;

	for (; (s = strchr(s, '\n')); s++)
		n++;
	return n;
}

int mountinfo_read(struct mountinfo *m, const char *file)
{
	char *line, *save;
	int r;

	*m = (struct mountinfo){ .n = 0 };
	r = read_all(file, &m->text);
	if (r)
		return r;
	m->mounts = calloc(count_lines(m->text) + 1, sizeof(*m->mounts));
	if (!m->mounts)
		return -ENOMEM;
	for (line = strtok_r(m->text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (!parse_line(line, &m->mounts[m->n]))
			m->n++;
	return 0;
}

void mountinfo_free(struct mountinfo *m)
{
	free(m->mounts);
	free(m->text);
	*m = (struct mountinfo){ .n = 0 };
}

const struct mount_line *mountinfo_find(const struct mountinfo *m, int id)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->mounts[i].id == id)
			return &m->mounts[i];
	return NULL;
}

int mountinfo_top(const char *path)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), id = -ENOSYS;
	char name[40], line[128];
	FILE *f;

	if (fd < 0)
		return -errno;
	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
	f = fopen(name, "re");
	while (f && fgets(line, sizeof(line), f) && sscanf(line, "mnt_id: %d", &id) != 1)
		;
	if (f)
		fclose(f);
	close(fd);
	return id;
}
