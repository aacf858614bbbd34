/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program of its own that opens a file and does to it what its arguments say, one after the other, and prints how
 * each went: what tools do to block devices and to /dev/mapper/control. A test program runs itself as one.
 */
#ifndef TESTS_SUPPORT_CALLER_H
#define TESTS_SUPPORT_CALLER_H

/* ARGV: FLAGS of open(2) as letters (r w d x), the file, then what to do (see caller.c). An exit status. */
int caller_main(int argc, char **argv);

#endif
