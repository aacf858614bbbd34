/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The holder: a child process of the daemon that creates the namespaces with dmuse's /dev and parts of /sys, and keeps
 * them until the daemon exits. Programs of sessions join its namespaces (join.h).
 */
#ifndef SESSION_HOLDER_H
#define SESSION_HOLDER_H

#define HOLDER_WORD "session-holder"	/* the program's first word; not a sub-command for people */
#define HOLDER_FD 3			/* its socket (wire.h) */

/* What it provides where programs of sessions, and only they, find it. */
#define HOLDER_HIDDEN "/dev/.dmuse"
#define HOLDER_RUN HOLDER_HIDDEN "/run"		/* a tmpfs */
#define HOLDER_LVM HOLDER_RUN "/lvm"		/* LVM_SYSTEM_DIR */
#define HOLDER_LOOPS HOLDER_RUN "/loops"	/* see loops.h */
#define HOLDER_KMOD HOLDER_RUN "/kmod"		/* the machine's own, see modprobe.h */
#define HOLDER_MACHINE HOLDER_HIDDEN "/dev"	/* the machine's own /dev */

#define HOLDER_IO HOLDER_HIDDEN "/io"		/* files that are opened in place of nodes */
#define HOLDER_LOOP_CONTROL HOLDER_IO "/loop-control"	/* there is one: the session has loop devices of its own */

/* Runs the process. Returns the exit code. */
int holder_main(void);

#endif
