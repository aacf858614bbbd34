/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole files: see slurp.h. A table of a million lines is read with one copy and a few system calls. */
#include "cmd/slurp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLURP_FIRST 65536u

static char *slurp_grow(char *s, size_t *room)
{
	char *more = realloc(s, *room * 2);

	if (!more)
		free(s);
	else
		*room *= 2;
	return more;
}

/* Reads to the end; 0, or -errno with nothing left to free. */
static int slurp_fd(int fd, size_t room, char **out, size_t *len)
{
	char *s = malloc(room);
	ssize_t n;
	int r;

	*len = 0;
	while (s) {
		if (*len + 1 == room && !(s = slurp_grow(s, &room)))
			break;
		n = read(fd, s + *len, room - *len - 1);
		if (!n) {
			s[*len] = '\0';
			*out = s;
			return 0;
		}
		if (n > 0) {
			*len += (size_t)n;
		} else if (errno != EINTR) {
			r = -errno;
			free(s);
			return r;
		}
	}
	return -ENOMEM;
}

char *slurp(const char *path, struct err *e)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
	const char *name = strcmp(path, "-") ? path : "standard input";
	size_t room = SLURP_FIRST, len = 0;
	struct stat st;
	char *s = NULL;
	int r;

	if (fd < 0) {
		err_set(e, -errno, "cannot open %s: %s", name, strerror(errno));
		return NULL;
	}
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size >= SLURP_FIRST)
		room = (size_t)st.st_size + 2;
	r = slurp_fd(fd, room, &s, &len);
	close(fd);
	if (r) {
		err_set(e, r, "cannot read %s: %s", name, strerror(-r));
		return NULL;
	}
	if (strlen(s) != len) {
		err_set(e, -EINVAL, "%s is not text: byte %zu is a NUL", name, strlen(s));
		free(s);
		return NULL;
	}
	return s;
}
