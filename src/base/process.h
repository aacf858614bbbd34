/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Another process's memory and descriptors. Containers forbid the calls that are made for this to most programs; /proc
 * serves whoever may look into the process, which is the same right. PROC is a descriptor of /proc, or AT_FDCWD for the
 * one that is mounted at /proc; TID is a thread. 0 or -errno.
 */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* All N bytes, or -EFAULT where memory is missing. */
int process_peek(int proc, pid_t tid, uint64_t at, void *to, size_t n);
int process_poke(int proc, pid_t tid, uint64_t at, const void *from, size_t n);

/* The process that the thread belongs to; 0: unknown. */
pid_t process_of(int proc, pid_t tid);

/* A copy of its descriptor; -EPERM also where the system lets nobody make copies. */
int process_fetch(int proc, pid_t tid, int fd);

/*
 * The same; or else what it leads to is opened again with FLAGS of open(2). That is as good for a line that is to be written,
 * or a list to be read: of a directory, a pipe, a terminal, or a regular file that is not written or only appended to. Others are
 * not what they were when they are opened again.
 */
int process_fetch_or_open(int proc, pid_t tid, int fd, int flags);

/* What its descriptor leads to, as an O_PATH one: no server of a file system is asked, nor told when that is closed. */
int process_point(int proc, pid_t tid, int fd);

#endif
