/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why a feature is missing and how to provide it. What depends on the kernel or its settings is changed on the machine;
 * what depends on a container, where that is started.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "session/container.h"
#include "session/feature.h"

#define AS_ROOT "as root"

/* The user that we are outside a user namespace of our own. */
static unsigned outside_user(void)
{
	unsigned inside, outside, count, user = geteuid();
	FILE *f = fopen("/proc/self/uid_map", "re");

	while (f && fscanf(f, "%u %u %u", &inside, &outside, &count) == 3)
		if (geteuid() >= inside && geteuid() - inside < count)
			user = outside + (geteuid() - inside);
	if (f)
		fclose(f);
	return user;
}

static bool in_container(void)
{
	return container_here() != CONTAINER_NONE;
}

static void __attribute__((format(printf, 4, 5))) lack(struct feature_lack *l, const char *how, const char *fix,
						       const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	vsnprintf(l->what, sizeof(l->what), what, ap);
	va_end(ap);
	snprintf(l->fix, sizeof(l->fix), "%s", fix);
	l->how = how;
}

/* For a feature of the kernel, which no container can provide. */
static const char *on_the_machine(void)
{
	return in_container() ? "as root on the host, outside the container" : AS_ROOT;
}

/* L's WHAT was set already. */
static void lack_in_container(struct feature_lack *l, enum container_want want)
{
	static const char hint[] = ": it needs /dev/fuse, and CAP_SYS_ADMIN or user namespaces";

	l->how = container_where();
	container_flags(want, l->fix, sizeof(l->fix));
	if (!l->fix[0] && strlen(l->what) + sizeof(hint) <= sizeof(l->what))
		strcat(l->what, hint);
}

static void lack_fuse(int r, struct feature_lack *l)
{
	const char *path = feature_fuse_device();
	char fix[120];

	snprintf(fix, sizeof(fix), "chmod 0666 %s", path);
	if (r == -EACCES || (r == -EPERM && !in_container())) {
		lack(l, AS_ROOT, fix, "%s may not be opened by user %u", path, outside_user());
	} else if (r == -ENODEV || r == -ENXIO || !in_container()) {
		lack(l, on_the_machine(), "modprobe fuse", "%s is missing (%s)", path, strerror(-r));
	} else {
		lack(l, "", "", "%s is not in this container (%s)", path, strerror(-r));
		lack_in_container(l, CONTAINER_SESSION);
	}
}

static bool lack_setting(int r, struct feature_lack *l)
{
	if ((r == -ENOSPC || r == -EUSERS) && outside_user())
		lack(l, on_the_machine(), "sysctl -w user.max_user_namespaces=10000", "the limit of user namespaces "
				       "is reached "
		     "(user.max_user_namespaces is %ld)", feature_setting("user/max_user_namespaces"));
	else if (r == -ENOSPC || r == -EUSERS)
		lack(l, on_the_machine(), "sysctl -w user.max_mnt_namespaces=10000", "the limit of mount namespaces "
				       "is reached "
		     "(user.max_mnt_namespaces is %ld)", feature_setting("user/max_mnt_namespaces"));
	else if (outside_user() && feature_setting("kernel/apparmor_restrict_unprivileged_userns") == 1)
		lack(l, on_the_machine(), "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
		     "AppArmor forbids user namespaces to ordinary users (%s)", strerror(-r));
	else if (outside_user() && feature_setting("kernel/unprivileged_userns_clone") == 0)
		lack(l, on_the_machine(), "sysctl -w kernel.unprivileged_userns_clone=1",
		     "user namespaces are forbidden to ordinary users (kernel.unprivileged_userns_clone is 0)");
	else
		return false;
	return true;
}

/*
 * In a chroot the kernel creates no user namespace (EPERM), and entering a namespace leaves the chroot (-EXDEV,
 * holder_namespaces.c).
 */
static bool lack_chroot(int r, struct feature_lack *l)
{
	if (r != -EXDEV && (r != -EPERM || container_forbids_unshare() || !container_chroot()))
		return false;
	lack(l, "as root, in place of chroot", "systemd-nspawn -D DIR", "this is a chroot, in which the kernel does "
	     "not allow the namespaces that a "
	     "session needs");
	return true;
}

/* Namespaces or mounts are forbidden: WHAT cannot be done. */
static void lack_rights(int r, struct feature_lack *l, const char *what, enum container_want want)
{
	lack(l, AS_ROOT, "", "user %u may %s here (%s)%s", outside_user(), what, strerror(-r),
	     in_container() ? "" : ", as in a chroot or a container with few rights");
	if (in_container())
		lack_in_container(l, want);
}

static void lack_namespaces(int r, struct feature_lack *l)
{
	if (lack_setting(r, l) || lack_chroot(r, l))
		return;
	if (r == -EINVAL || r == -ENOSYS)
		lack(l, on_the_machine(), "", "this kernel has no namespaces (%s): one with CONFIG_USER_NS is needed", strerror(-r));
	else
		lack_rights(r, l, "make no namespaces", CONTAINER_SESSION);
}

static void lack_fuse_mount(int r, struct feature_lack *l)
{
	if (r == -ENODEV)
		lack(l, on_the_machine(), "modprobe fuse", "this kernel has no FUSE (%s)", strerror(-r));
	else if (!lack_setting(r, l))
		lack_rights(r, l, "mount nothing in a namespace", CONTAINER_SESSION);
}

static void lack_seccomp(int r, struct feature_lack *l)
{
	if (r == -EBUSY)
		lack(l, AS_ROOT, "", "another seccomp listener (of a container or a session) is already attached to "
		     "this program: "
		     "start it outside");
	else if (r == -EINVAL || r == -ENOSYS || r == -ENOTTY)
		lack(l, on_the_machine(), "", "this kernel's seccomp has no listeners (%s): Linux 5.9 or later with "
				       "CONFIG_SECCOMP_FILTER "
		     "is needed", strerror(-r));
	else
		lack_rights(r, l, "load no seccomp filters", CONTAINER_SESSION);
}

static void lack_memory(int r, struct feature_lack *l)
{
	long yama = feature_setting("kernel/yama/ptrace_scope");

	if (yama >= 3) {
		lack(l, on_the_machine(), "echo kernel.yama.ptrace_scope=1 >/etc/sysctl.d/99-ptrace.conf; reboot", "yama forbids programs to access "
		     "another one (kernel.yama.ptrace_scope is %ld, until the next start of the machine)", yama);
	} else if (yama >= 1 && !in_container()) {
		lack(l, AS_ROOT, "sysctl -w kernel.yama.ptrace_scope=0", "yama forbids programs to access another one "
		     "(kernel.yama.ptrace_scope is %ld)", yama);
	} else {
		lack(l, AS_ROOT, "", "programs may not access one another here (%s)", strerror(-r));
		if (in_container())
			lack_in_container(l, CONTAINER_PTRACE);
	}
}

static void lack_loop(int r, struct feature_lack *l)
{
	lack(l, AS_ROOT, "modprobe loop", "there are no loop devices (/dev/loop-control: %s)", strerror(-r));
	if (in_container())
		lack_in_container(l, CONTAINER_LOOPS);
}

/* no_new_privs: a flag of a container, or a setting of a service. */
static void lack_new_rights(struct feature_lack *l)
{
	enum container is = container_here();
	const char *fix = is == CONTAINER_KUBERNETES ? "securityContext: {allowPrivilegeEscalation: true}" :
			  is == CONTAINER_DOCKER     ? "docker run without --security-opt no-new-privileges" :
			  is == CONTAINER_PODMAN     ? "podman run without --security-opt no-new-privileges" : "";

	lack(l, is ? container_where() : AS_ROOT, fix, "fusermount3 gets no privileges here (no_new_privs is set)");
}

static void lack_dmuse_mount(int r, struct feature_lack *l)
{
	if (r == -ENOENT)
		lack(l, AS_ROOT, "apt install fuse3", "fusermount3 is not installed");
	else if (r == -ENOEXEC)
		lack(l, AS_ROOT, "apt install --reinstall fuse3", "fusermount3 gets no privileges here: it is not "
		     "set-user-id root, or is on a file "
		     "system that is mounted nosuid");
	else if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && geteuid())
		lack_new_rights(l);
	else
		lack_rights(r, l, geteuid() ? "mount nothing by fusermount3" : "mount nothing", CONTAINER_MOUNT);
}

void feature_explain(enum feature p, int r, struct feature_lack *l)
{
	switch (p) {
	case FEATURE_FUSE:
		lack_fuse(r, l);
		break;
	case FEATURE_NAMESPACES:
		lack_namespaces(r, l);
		break;
	case FEATURE_FUSE_MOUNT:
		lack_fuse_mount(r, l);
		break;
	case FEATURE_MOUNTS:
		lack_rights(r, l, "show nothing of the machine in a namespace", CONTAINER_SESSION);
		break;
	case FEATURE_ENTER:
		lack_rights(r, l, "enter no namespace", CONTAINER_SESSION);
		break;
	case FEATURE_SECCOMP:
		lack_seccomp(r, l);
		break;
	case FEATURE_MEMORY:
		lack_memory(r, l);
		break;
	case FEATURE_SPEED:
		lack(l, on_the_machine(), "", "this kernel wakes seccomp listeners slowly: Linux 6.6 or later is fast");
		break;
	case FEATURE_SYS:
		lack(l, AS_ROOT, "mount -t sysfs sysfs /sys", "/sys is not mounted");
		break;
	case FEATURE_LOOP:
		lack_loop(r, l);
		break;
	case FEATURE_RESTART:
		if (r == -ECANCELED)
			lack(l, "here", "unset DMUSE_RESTART", "DMUSE_RESTART=0: no keeper starts a daemon again");
		else
			lack(l, on_the_machine(), "", "this kernel cannot send requests of FUSE again: Linux 6.9 or later can");
		break;
	default:
		lack_dmuse_mount(r, l);
	}
}
