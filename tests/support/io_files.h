/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The io files of the view, as a program in a session has them in place of /dev/mapper/control and of block devices: a
 * process of its own in a namespace of its own calls them (caller.h, inside.h), and the test's world answers.
 */
#ifndef TESTS_SUPPORT_IO_FILES_H
#define TESTS_SUPPORT_IO_FILES_H

#include <stdbool.h>

#include "support/world.h"

#define IO_CONTROL ".dmuse/io/control"

/* Group setup, with F to be filled in. AS_USER: in a user namespace. If this machine does not allow it, io_need() skips. */
int io_begin(struct fixture *f, bool as_user);
int io_end(void **state);	/* group teardown */
int io_clean(void **state);	/* test teardown: removes all devices */
void io_need(void);

/* A device for one test, and its removal. */
void device(const char *name, const char *table);
void gone(const char *name);

/* Runs the shell script TEXT, in which $PROGRAM is this program, and compares its output. */
void script(const char *text, const char *wanted);
/* Compares the output of a caller that opens PATH as HOW says and does WORDS. */
void does(const char *how, const char *path, const char *words, const char *wanted);
/* The same for an ioctl that returns a number of WIDTH bytes. */
void asks(const char *path, unsigned cmd, unsigned width, unsigned long long wanted);

#endif
