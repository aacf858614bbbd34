/* SPDX-License-Identifier: BSD-2-Clause */
/* See unnamed.h. */
#include "base/unnamed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"

int unnamed_try(const char *directory, bool *lacks)
{
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	*lacks = fd < 0 && errno == EOPNOTSUPP;
	return fd;
}

/* With a name for a moment. */
static int unnamed_unlink(const char *directory)
{
	struct text path = TEXT_INIT;
	int fd = -1;

	text_printf(&path, "%s/.dmuse-XXXXXX", directory);
	if (path.failed)
		errno = ENOMEM;
	else
		fd = mkostemp(path.s, O_CLOEXEC);
	if (fd >= 0)
		unlink(path.s);
	text_free(&path);
	return fd;
}

int unnamed_open(const char *directory)
{
	bool lacks;
	int fd = unnamed_try(directory, &lacks);

	return lacks ? unnamed_unlink(directory) : fd;
}
