/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A separate program that opens a file, carries out the actions in its arguments one by one, and prints the result of
 * each: what tools do with block devices and /dev/mapper/control. Test programs run themselves as this.
 */
#ifndef TESTS_SUPPORT_CALLER_H
#define TESTS_SUPPORT_CALLER_H

/* ARGV: flags of open(2) as letters (r w d x), the file, then actions (see caller.c). Returns an exit status. */
int caller_main(int argc, char **argv);

#endif
