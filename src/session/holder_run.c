/* SPDX-License-Identifier: BSD-2-Clause */
/* Directories that the programs of a session share, and those of the machine that are hidden from them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "session/holder.h"
#include "session/holder_parts.h"
#include "session/lvm.h"
#include "session/modprobe.h"

#define LVM_DIRECTORY "/etc/lvm"

static int run_directory(const char *path, struct err *e)
{
	return mkdir(path, 0755) ? err_set(e, -errno, "cannot make %s: %s", path, strerror(errno)) : 0;
}

/*
 * What programs keep in these is about the machine's devices, or locks for them. There is no udev for ours, and nobody
 * is to wait for it: /run/udev is covered, and not created.
 */
static int run_shade(bool user_ns, struct err *e)
{
	static const char *const directories[] = { "/run/lvm", "/run/lock/lvm", "/run/cryptsetup" };
	int r = access("/run/udev", F_OK) ? 0 : holder_tmpfs("/run/udev", "mode=0700", e);

	for (size_t i = 0; !r && i < sizeof(directories) / sizeof(*directories); i++)
		r = holder_shade(directories[i], user_ns, e);
	return r;
}

/*
 * By these LVM finds the dmeventd that watches its volumes, which is to be the session's own. (The name of the file that it
 * locks is the last.) They are covered only where there is one to be found.
 */
static int run_dmeventd(bool user_ns, struct err *e)
{
	int r = 0;

	if (!lvm_is_watched())
		return 0;
	r = holder_own_file("/run/dmeventd-server", HOLDER_RUN "/dmeventd-server", S_IFIFO, user_ns, e);
	if (!r)
		r = holder_own_file("/run/dmeventd-client", HOLDER_RUN "/dmeventd-client", S_IFIFO, user_ns, e);
	return r ? r : holder_own_file("/run/dmeventd.pid", HOLDER_RUN "/dmeventd.pid", S_IFREG, user_ns, e);
}

/* A program that clears its environment, as sudo and cron do, must not get at the machine's volumes either. */
static int run_lvm(struct err *e)
{
	int r = run_directory(HOLDER_LVM, e);

	if (!r && !access(LVM_DIRECTORY, F_OK) && (r = holder_bind(AT_FDCWD, HOLDER_LVM, LVM_DIRECTORY)))
		err_set(e, r, "cannot put LVM's configuration of sessions on %s: %s", LVM_DIRECTORY, strerror(-r));
	return r;
}

int holder_run(bool user_ns, struct err *e)
{
	int r = run_directory(HOLDER_RUN, e);

	if (!r)
		r = holder_tmpfs(HOLDER_RUN, "mode=0755", e);
	if (!r)
		r = run_lvm(e);
	if (!r)
		r = run_directory(HOLDER_LOOPS, e);
	if (r)
		return r;
	modprobe_cover();
	r = run_shade(user_ns, e);
	return r ? r : run_dmeventd(user_ns, e);
}
