/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loop devices that programs of the session have attached: LVM may use these, and no others of the machine. They are
 * recorded as files in HOLDER_LOOPS, one for each number, with what was attached: the machine may later reuse the
 * number.
 */
#ifndef SESSION_LOOPS_H
#define SESSION_LOOPS_H

#include <stdbool.h>

#define LOOPS_MAJOR 7

/* FD is a loop device that was just attached. */
void loops_note(int fd);
/* Is loop device N still what a program of the session attached? If not, it is forgotten. */
bool loops_are_ours(unsigned n);
/* Calls F for the number of each of them. */
void loops_each(void (*f)(unsigned n, void *arg), void *arg);

#endif
