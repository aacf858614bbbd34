/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * modprobe(8) of sessions. LVM and scripts run it for targets of the device-mapper, and in a session that is dmuse's:
 * no module of the machine's kernel brings one. All else that kmod does goes on to the machine's own.
 */
#ifndef SESSION_MODPROBE_H
#define SESSION_MODPROBE_H

#include <stdbool.h>

/* Was this program started under a name of kmod's? */
bool modprobe_is_meant(const char *argv0);

/* The exit code, if it is not another program then. */
int modprobe_main(char **argv);

/* Puts this program where the machine has kmod, which stays at HOLDER_KMOD. A machine without kmod is left as it is. */
void modprobe_cover(void);

#endif
