/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Another process's memory and descriptors. Most containers forbid the system calls for this; /proc allows it to
 * anybody who may ptrace the process, which is the same right. PROC is a descriptor of /proc, or AT_FDCWD for the one
 * that is mounted at /proc; TID is a thread. 0 or -errno.
 */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* All N bytes, or -EFAULT if some are not mapped. */
int process_peek(int proc, pid_t tid, uint64_t at, void *to, size_t n);
int process_poke(int proc, pid_t tid, uint64_t at, const void *from, size_t n);

/* The process that the thread belongs to; 0: unknown. */
pid_t process_of(int proc, pid_t tid);

/* A copy of its descriptor; -EPERM also if the system does not allow copying. */
int process_fetch(int proc, pid_t tid, int fd);

/*
 * The same; or else the file is opened again with FLAGS of open(2). That is good enough for writing a line or reading a
 * list, from or to a directory, a pipe, a terminal, or a regular file that is read or appended to. Others are refused,
 * because opened again they would behave differently; and so is what the process itself has not opened for that.
 */
int process_fetch_or_open(int proc, pid_t tid, int fd, int flags);

/*
 * The file of its descriptor, as an O_PATH descriptor: a file system's server is not asked, nor notified when that is
 * closed.
 */
int process_point(int proc, pid_t tid, int fd);

#endif
