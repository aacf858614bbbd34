/* SPDX-License-Identifier: BSD-2-Clause */
/* Spare descriptors: see spare.h. */
#include "base/spare.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

void spare_init(struct spare *s, unsigned most)
{
	s->n = 0;
	s->most = most;
	spare_fill(s);
}

void spare_fill(struct spare *s)
{
	int fd;

	while (s->n < s->most && (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		s->fds[s->n++] = fd;
}

bool spare_use(struct spare *s)
{
	if (!s->n)
		return false;
	close(s->fds[--s->n]);
	return true;
}

void spare_free(struct spare *s)
{
	s->most = 0;
	while (spare_use(s))
		;
}

bool spare_is_scarce(int fd)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) || l.rlim_cur == RLIM_INFINITY)
		return false;
	return (rlim_t)fd + SPARE_SCARCE >= l.rlim_cur;
}
