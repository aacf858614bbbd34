/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Places for tests of stores: files in the test's own temporary directory, a small tmpfs, and loop devices if we are
 * root. All of it is gone when the process ends: the mounts are in a namespace of its own, and loop devices are
 * detached at the last close.
 */
#ifndef TESTS_SUPPORT_PLACE_H
#define TESTS_SUPPORT_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLACE_PATH 256

/* A new directory below TMPDIR, and its removal with everything in it. */
void place_begin(void);
void place_end(void);

/* NAME in that directory. */
void place_path(char out[PLACE_PATH], const char *name);

/* A sparse file of SIZE bytes; its path is stored in OUT. */
void place_file(char out[PLACE_PATH], const char *name, uint64_t size);

uint64_t place_size(const char *path);

/* Runs COMMAND in the directory with sh: is its exit status 0? Its output is dropped. */
bool place_run(const char *command);

/* A tmpfs of SIZE bytes at NAME. False if we may not mount. */
bool place_tmpfs(const char *name, uint64_t size);
void place_tmpfs_end(const char *name);

/*
 * A loop device on PATH with a block size of BLOCK bytes; its path is stored in OUT. Returns a descriptor that keeps
 * it, -1 if there are none here.
 */
int place_loop(char out[PLACE_PATH], const char *path, uint32_t block, bool readonly);

#endif
