/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How system calls of a session are intercepted: open(2) of a device's node returns the device's io file, and fstat(2)
 * of such a descriptor the node's stat; for root, mount(2) as well. Everything else is not affected.
 */
#ifndef SESSION_SUPERVISOR_H
#define SESSION_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#define SUPERVISOR_IO_DIR "/dev/.dmuse/io"

struct supervisor_opts {
	const char *io_dir;		/* the directory of the io files; NULL: SUPERVISOR_IO_DIR */
	uint32_t dm_major, disk_major;	/* of nodes; 0: the default */
	bool user_namespace;		/* the session is an ordinary user's: the kernel mounts no devices */
};

/*
 * Puts the filter on this process and those it will start: to be called right before exec. Returns the listener's
 * descriptor (close-on-exec), which belongs to the supervisor, or -errno: -EBUSY if there is a listener already. Until
 * the listener is served, any open blocks: pass it on first.
 */
int supervisor_filter(void);

/*
 * Serves LISTENER (and closes it) until the last process under the filter has ended. To be called in a process of its
 * own, whose standard streams, directory and signals it changes. Threads may still be running when it returns, so end
 * with _exit(). 0 or -errno: then nothing was served.
 */
int supervisor_serve(int listener, const struct supervisor_opts *o);

#endif
