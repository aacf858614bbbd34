/* SPDX-License-Identifier: BSD-2-Clause */
/* Loaded before a program (LD_PRELOAD): no file system makes files without a name, as overlayfs did not before Linux 6.3. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

typedef int opening(const char *path, int flags, ...);

static int open_next(const char *name, const char *path, int flags, mode_t mode)
{
	void *found = dlsym(RTLD_NEXT, name);
	opening *next;

	if ((flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	memcpy(&next, &found, sizeof(next));
	return next(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	return open_next("open", path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	return open_next("open64", path, flags, mode);
}
