/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may control devices, as in the kernel: whoever has CAP_SYS_ADMIN now, no matter how the descriptor was obtained.
 * Only the session's user namespace counts; in one that is created inside it, everybody has all capabilities.
 */
#include <linux/capability.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fronts/fuse/dev.h"

uint64_t dev_user_namespace(pid_t tid)
{
	char path[40];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)tid);
	return stat(path, &st) ? 0 : st.st_ino;
}

/* A thread in a process namespace that we do not see has the number 0, which for capget(2) would be ourselves. */
bool dev_may_control(const struct dev_view *v, pid_t tid)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3, .pid = tid };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (tid <= 0 || syscall(SYS_capget, &head, data))
		return false;
	return data[0].effective >> CAP_SYS_ADMIN & 1 && v->user_ns && dev_user_namespace(tid) == v->user_ns;
}
