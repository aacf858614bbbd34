/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of processes. */
#ifndef BASE_PROC_NAME_H
#define BASE_PROC_NAME_H

#include <stdbool.h>
#include <sys/types.h>

#define PROC_NAME 32

/* The name of process PID, safe to print. False: there is no such process. */
bool proc_name(pid_t pid, char name[PROC_NAME]);

#endif
