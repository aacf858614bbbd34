/* SPDX-License-Identifier: BSD-2-Clause */
/* Files without a name. Not every file system makes them: overlayfs before Linux 6.3, NFS and FUSE do not. */
#ifndef BASE_UNNAMED_H
#define BASE_UNNAMED_H

#include <stdbool.h>

/* In a directory, for reading and writing. -1 and errno. */
int unnamed_open(const char *directory);
/* The same; where the file system has none, -1 and *LACKS. */
int unnamed_try(const char *directory, bool *lacks);

#endif
