/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one trap of a session: open(2) of a device's node is answered with the device's io file, and fstat(2) of such a
 * descriptor with the node's stat; as root mount(2), too. Everything else goes its way untouched.
 */
#ifndef SESSION_SUPERVISOR_H
#define SESSION_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#define SUPERVISOR_IO_DIR "/dev/.dmuse/io"

struct supervisor_opts {
	const char *io_dir;		/* where the io files are; NULL: SUPERVISOR_IO_DIR */
	uint32_t dm_major, disk_major;	/* of nodes; 0: the usual ones */
	bool user_namespace;		/* the session is an ordinary user's: nothing can be mounted for real */
};

/*
 * Puts the filter on this process and what it will start: call it right before exec. Returns the listener's descriptor
 * (close-on-exec), which belongs to whoever serves, or -errno: -EBUSY if somebody listens already. Until it is served,
 * opening anything waits: hand it over first.
 */
int supervisor_filter(void);

/*
 * Serves LISTENER (and closes it) until the last process under the filter is gone. To be called in a process of its
 * own, which it makes its own altogether: standard streams, directory, signals; threads may still be there when it
 * returns, so end with _exit(). 0 or -errno: then nothing was served.
 */
int supervisor_serve(int listener, const struct supervisor_opts *o);

#endif
