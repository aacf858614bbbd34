/* SPDX-License-Identifier: BSD-2-Clause */
/* What a process is called. */
#ifndef BASE_PROC_NAME_H
#define BASE_PROC_NAME_H

#include <stdbool.h>
#include <sys/types.h>

#define PROC_NAME 32

/* The name of process PID, fit to be printed. False: there is no such process. */
bool proc_name(pid_t pid, char name[PROC_NAME]);

#endif
