/* SPDX-License-Identifier: BSD-2-Clause */
/* Sentences about what a machine lacks: see piece.h. */
#include "session/piece.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUTSIDE "outside, where the container is started"
#define AS_ROOT "as root"
#define CONTAINER "docker run --cap-add SYS_ADMIN --device /dev/fuse --security-opt seccomp=unconfined " \
	"--security-opt apparmor=unconfined IMAGE"

static const struct { const char *name, *without; bool needed; } pieces[PIECES] = {
	[PIECE_FUSE] = { "/dev/fuse", "devices as NBD exports; no session and no `dmuse mount`", true },
	[PIECE_NAMESPACES] = { "namespaces", "devices as NBD exports, and as files with `dmuse mount`", true },
	[PIECE_FUSE_MOUNT] = { "FUSE in namespaces", "devices as NBD exports", true },
	[PIECE_SECCOMP] = { "seccomp listeners", "devices as NBD exports, and as files with `dmuse mount`", true },
	[PIECE_MEMORY] = { "access to memory", "devices as NBD exports, and as files with `dmuse mount`", true },
	[PIECE_SPEED] = { "fast listeners", "everything; but opening a file in a session costs about 80 µs, not 7", false },
	[PIECE_SYS] = { "/sys", "everything but lsblk and what else reads /sys", false },
	[PIECE_LOOP] = { "loop devices", "everything but mount(8) in a session; fuse2fs mounts ext2, ext3 and ext4", false },
	[PIECE_FUSERMOUNT] = { "fusermount3", "everything but `dmuse mount`", false },
};

const char *piece_name(enum piece p)
{
	return pieces[p].name;
}

bool piece_is_needed(enum piece p)
{
	return pieces[p].needed;
}

const char *piece_without(enum piece p)
{
	return pieces[p].without;
}

const char *piece_fuse_device(void)
{
	const char *given = getenv("DMUSE_FUSE_DEVICE");

	return given && *given ? given : "/dev/fuse";
}

/* What /proc/sys/NAME says, -1 if there is no such thing. */
static long kernel_setting(const char *name)
{
	char path[120];
	long n = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	f = fopen(path, "re");
	if (f) {
		if (fscanf(f, "%ld", &n) != 1)
			n = -1;
		fclose(f);
	}
	return n;
}

/* Who we are outside of a user namespace that we have made ourselves. */
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
	return !access("/.dockerenv", F_OK) || !access("/run/.containerenv", F_OK) || !access("/run/systemd/container", F_OK) ||
	       getenv("container");
}

static void __attribute__((format(printf, 4, 5))) lack(struct piece_lack *l, const char *how, const char *fix,
							const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	vsnprintf(l->what, sizeof(l->what), what, ap);
	va_end(ap);
	snprintf(l->fix, sizeof(l->fix), "%s", fix);
	l->how = how;
}

static void lack_fuse(int r, struct piece_lack *l)
{
	const char *path = piece_fuse_device();
	char fix[120];

	snprintf(fix, sizeof(fix), "chmod 0666 %s", path);
	if (r == -EACCES || (r == -EPERM && !in_container()))
		lack(l, AS_ROOT, fix, "%s may not be opened by user %u", path, outside_user());
	else if (in_container())
		lack(l, OUTSIDE, "docker run --device /dev/fuse IMAGE", "%s is not in this container (%s)", path, strerror(-r));
	else
		lack(l, AS_ROOT, "modprobe fuse", "%s is missing (%s)", path, strerror(-r));
}

static void lack_namespaces(int r, struct piece_lack *l)
{
	if ((r == -ENOSPC || r == -EUSERS) && outside_user())
		lack(l, AS_ROOT, "sysctl -w user.max_user_namespaces=10000", "no more user namespaces are allowed here "
		     "(user.max_user_namespaces is %ld)", kernel_setting("user/max_user_namespaces"));
	else if (r == -ENOSPC || r == -EUSERS)
		lack(l, AS_ROOT, "sysctl -w user.max_mnt_namespaces=10000", "no more mount namespaces are allowed here "
		     "(user.max_mnt_namespaces is %ld)", kernel_setting("user/max_mnt_namespaces"));
	else if (outside_user() && kernel_setting("kernel/apparmor_restrict_unprivileged_userns") == 1)
		lack(l, AS_ROOT, "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
		     "AppArmor forbids user namespaces to ordinary users (%s)", strerror(-r));
	else if (outside_user() && kernel_setting("kernel/unprivileged_userns_clone") == 0)
		lack(l, AS_ROOT, "sysctl -w kernel.unprivileged_userns_clone=1",
		     "user namespaces are forbidden to ordinary users (kernel.unprivileged_userns_clone is 0)");
	else if (r == -EINVAL || r == -ENOSYS)
		lack(l, AS_ROOT, "", "this kernel has no namespaces (%s): one with CONFIG_USER_NS is needed", strerror(-r));
	else
		lack(l, OUTSIDE, CONTAINER, "user %u may make no namespaces here (%s), as in a container with few rights",
		     outside_user(), strerror(-r));
}

static void lack_fuse_mount(int r, struct piece_lack *l)
{
	if (r == -ENODEV)
		lack(l, AS_ROOT, "modprobe fuse", "this kernel knows no FUSE (%s)", strerror(-r));
	else if (outside_user() && kernel_setting("kernel/apparmor_restrict_unprivileged_userns") == 1)
		lack_namespaces(r, l);
	else
		lack(l, OUTSIDE, CONTAINER, "nothing can be mounted in a namespace here (%s), as in a container with few rights",
		     strerror(-r));
}

static void lack_seccomp(int r, struct piece_lack *l)
{
	if (r == -EBUSY)
		lack(l, AS_ROOT, "", "somebody else (a container, a session) already listens to the system calls of this program: "
		     "start it outside of that");
	else if (r == -EINVAL || r == -ENOSYS || r == -ENOTTY)
		lack(l, AS_ROOT, "", "this kernel's seccomp has no listeners (%s): Linux 5.9 or later with CONFIG_SECCOMP_FILTER "
		     "is needed", strerror(-r));
	else
		lack(l, OUTSIDE, "docker run --security-opt seccomp=unconfined IMAGE", "seccomp filters are forbidden here (%s)",
		     strerror(-r));
}

static void lack_memory(int r, struct piece_lack *l)
{
	long yama = kernel_setting("kernel/yama/ptrace_scope");

	if (yama >= 3)
		lack(l, AS_ROOT, "echo kernel.yama.ptrace_scope=1 >/etc/sysctl.d/99-ptrace.conf; reboot", "yama lets no program look into another one "
		     "(kernel.yama.ptrace_scope is %ld, until the next start of the machine)", yama);
	else if (yama >= 1 && !in_container())
		lack(l, AS_ROOT, "sysctl -w kernel.yama.ptrace_scope=0", "yama lets no program look into another one "
		     "(kernel.yama.ptrace_scope is %ld)", yama);
	else
		lack(l, OUTSIDE, "docker run --cap-add SYS_PTRACE IMAGE", "no program may look into another one here (%s)",
		     strerror(-r));
}

void piece_explain(enum piece p, int r, struct piece_lack *l)
{
	switch (p) {
	case PIECE_FUSE:
		lack_fuse(r, l);
		break;
	case PIECE_NAMESPACES:
		lack_namespaces(r, l);
		break;
	case PIECE_FUSE_MOUNT:
		lack_fuse_mount(r, l);
		break;
	case PIECE_SECCOMP:
		lack_seccomp(r, l);
		break;
	case PIECE_MEMORY:
		lack_memory(r, l);
		break;
	case PIECE_SPEED:
		lack(l, AS_ROOT, "", "this kernel wakes listeners slowly: Linux 6.6 or later does it in time");
		break;
	case PIECE_SYS:
		lack(l, AS_ROOT, "mount -t sysfs sysfs /sys", "/sys is not mounted");
		break;
	case PIECE_LOOP:
		lack(l, AS_ROOT, "modprobe loop", "there are no loop devices (/dev/loop-control: %s)", strerror(-r));
		break;
	default:
		lack(l, AS_ROOT, "apt install fuse3", "fusermount3 is not installed");
	}
}

int piece_lacks(enum piece p, int r, struct err *e)
{
	struct piece_lack l;

	piece_explain(p, r, &l);
	if (l.fix[0])
		return err_set(e, r, "%s: `%s`, %s, would mend it; `dmuse doctor` tells more", l.what, l.fix, l.how);
	return err_set(e, r, "%s; `dmuse doctor` tells more", l.what);
}
