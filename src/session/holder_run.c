/* SPDX-License-Identifier: BSD-2-Clause */
/* Folders that programs of a session share, and those of the machine that are not for them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "session/holder.h"
#include "session/holder_parts.h"

#define LVM_FOLDER "/etc/lvm"

static int run_tmpfs(const char *path, const char *mode, struct err *e)
{
	if (!mount("dmuse", path, "tmpfs", MS_NOSUID | MS_NODEV, mode))
		return 0;
	return err_set(e, -errno, "cannot mount a tmpfs on %s: %s", path, strerror(errno));
}

static int run_folder(const char *path, struct err *e)
{
	return mkdir(path, 0755) ? err_set(e, -errno, "cannot make %s: %s", path, strerror(errno)) : 0;
}

/*
 * What programs keep there is about the machine's devices. There is no udev for ours, and nobody is to wait for one; and
 * an ordinary user's cryptsetup needs a folder for its locks.
 */
static int run_hide(struct err *e)
{
	static const char *const folders[] = { "/run/udev", "/run/lvm", "/run/cryptsetup" };
	size_t i;
	int r = 0;

	for (i = 0; !r && i < sizeof(folders) / sizeof(*folders); i++)
		if (!access(folders[i], F_OK))
			r = run_tmpfs(folders[i], "mode=0700", e);
	return r;
}

/* Who clears his environment, as sudo and cron do, must not come to the machine's volumes either. */
static int run_lvm(struct err *e)
{
	int r = run_folder(HOLDER_LVM, e);

	if (!r && !access(LVM_FOLDER, F_OK) && (r = holder_bind(AT_FDCWD, HOLDER_LVM, LVM_FOLDER)))
		err_set(e, r, "cannot put LVM's configuration of sessions on %s: %s", LVM_FOLDER, strerror(-r));
	return r;
}

int holder_run(struct err *e)
{
	int r = run_folder(HOLDER_RUN, e);

	if (!r)
		r = run_tmpfs(HOLDER_RUN, "mode=0755", e);
	if (!r)
		r = run_lvm(e);
	if (!r)
		r = run_folder(HOLDER_RUN "/lock", e);
	return r ? r : run_hide(e);
}
