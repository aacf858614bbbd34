/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * modprobe(8) in sessions. LVM and scripts run it for targets of the device-mapper, which in a session is dmuse's: no
 * module of the machine's kernel provides them. For everything else the machine's own kmod is run.
 */
#ifndef SESSION_MODPROBE_H
#define SESSION_MODPROBE_H

#include <stdbool.h>

/* Was this program started with a name of kmod's? */
bool modprobe_is_meant(const char *argv0);

/* The exit code, unless another program is executed. */
int modprobe_main(char **argv);

/*
 * Mounts this program over the machine's kmod, which remains available at HOLDER_KMOD. A machine without kmod is left
 * alone.
 */
void modprobe_cover(void);

#endif
