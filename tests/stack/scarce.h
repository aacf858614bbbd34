/* SPDX-License-Identifier: BSD-2-Clause */
/* Little memory and few threads: while it is on, one allocation of a few hundred fails, and one thread of four does not start. */
#ifndef TESTS_STACK_SCARCE_H
#define TESTS_STACK_SCARCE_H

void scarce_begin(void);
void scarce_end(void);
unsigned scarce_failures(void);

#endif
