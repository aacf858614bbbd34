/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A function in a process of its own: for libraries that crash, abort or never end where they should fail, and for what changes
 * the process that does it. It ends without flushing stdio and without atexit(3).
 */
#ifndef BASE_APART_H
#define BASE_APART_H

/*
 * Calls F(ARG) in a child and waits for it. What F returns, from 0 to 255; -EINTR: a signal ended the child; another -errno:
 * there is no child. Also for a caller that ignores SIGCHLD; not while another thread waits for any child.
 */
int apart(int (*f)(void *arg), void *arg);

#endif
