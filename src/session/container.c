/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signs of containers, and the flags of container engines: see container.h. doc/containers.md has the same flags, as
 * tested.
 */
#include "session/container.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mountinfo.h"
#include "session/feature.h"

#define PROFILE DMUSE_SHARE "/seccomp.json"

static const struct { const char *path; enum container is; } container_files[] = {
	{ "/run/secrets/kubernetes.io", CONTAINER_KUBERNETES },
	{ "/var/run/secrets/kubernetes.io", CONTAINER_KUBERNETES },
	{ "/run/.containerenv", CONTAINER_PODMAN },
	{ "/.dockerenv", CONTAINER_DOCKER },
};

/* Found in names of control groups, in paths of what is mounted at / and /etc/hosts, and after container=. */
static const struct { const char *word; enum container is; } container_words[] = {
	{ "kubepods", CONTAINER_KUBERNETES }, { "/kubelet/", CONTAINER_KUBERNETES },
	{ "libpod", CONTAINER_PODMAN }, { "podman", CONTAINER_PODMAN }, { "/containers/storage/", CONTAINER_PODMAN },
	{ "/docker/", CONTAINER_DOCKER }, { "docker-", CONTAINER_DOCKER }, { "=docker", CONTAINER_DOCKER },
	{ "io.containerd", CONTAINER_OTHER }, { "/lxc", CONTAINER_OTHER }, { "container=", CONTAINER_OTHER },
	{ "KUBERNETES_SERVICE_HOST=", CONTAINER_KUBERNETES },
};

static enum container container_later(enum container a, enum container b)
{
	return a > b ? a : b;
}

static enum container container_of_text(const char *text)
{
	enum container is = CONTAINER_NONE;

	for (size_t i = 0; i < sizeof(container_words) / sizeof(*container_words); i++)
		if (strstr(text, container_words[i].word))
			is = container_later(is, container_words[i].is);
	return is;
}

/* The host of an engine has its containers mounted as well: only the mount below our own root is a sign. */
static bool container_under_us(const char *line)
{
	char point[64] = "";

	return sscanf(line, "%*d %*d %*s %*s %63s", point) == 1 &&
	       (!strcmp(point, "/") || !strcmp(point, "/etc/hosts") || !strcmp(point, "/etc/hostname") || !strcmp(point, "/etc/resolv.conf"));
}

/* LINES end with END. MOUNTS: the file is mountinfo. */
static enum container container_of_file(const char *path, int end, bool mounts)
{
	FILE *f = fopen(path, "re");
	enum container is = CONTAINER_NONE;
	char *line = NULL;
	size_t room = 0;

	while (f && getdelim(&line, &room, end, f) > 0)
		if (!mounts || container_under_us(line))
			is = container_later(is, container_of_text(line));
	free(line);
	if (f)
		fclose(f);
	return is;
}

static enum container container_of_word(const char *word)
{
	char text[64];

	snprintf(text, sizeof(text), "container=%s", word);
	return word && *word ? container_of_text(text) : CONTAINER_NONE;
}

enum container container_here(void)
{
	enum container is = getenv("KUBERNETES_SERVICE_HOST") ? CONTAINER_KUBERNETES : container_of_word(getenv("container"));

	for (size_t i = 0; i < sizeof(container_files) / sizeof(*container_files); i++)
		if (!access(container_files[i].path, F_OK))
			is = container_later(is, container_files[i].is);
	if (!access("/run/systemd/container", F_OK))
		is = container_later(is, CONTAINER_OTHER);
	is = container_later(is, container_of_file("/proc/1/environ", '\0', false));
	is = container_later(is, container_of_file("/proc/self/cgroup", '\n', false));
	return container_later(is, container_of_file("/proc/self/mountinfo", '\n', true));
}

bool container_chroot(void)
{
	const struct mount_line *line;
	struct mountinfo m;
	struct statx x;
	bool moved;

	if (statx(AT_FDCWD, "/", 0, STATX_MNT_ID, &x))
		return false;
	if (x.stx_attributes_mask & ~x.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return true;
	line = mountinfo_read(&m, "/proc/1/mountinfo") ? NULL : mountinfo_find(&m, (int)x.stx_mnt_id);
	moved = line && strcmp(line->path, "/");
	mountinfo_free(&m);
	return moved;
}

bool container_forbids_unshare(void)
{
	return unshare(0) != 0;
}

static bool container_confined(void)
{
	FILE *f = fopen("/proc/self/attr/current", "re");
	char line[128] = "";
	bool confined = f && fgets(line, sizeof(line), f) && strstr(line, "(enforce)");

	if (f)
		fclose(f);
	return confined;
}

/* What docker's profile allows depends on the container's capabilities; podman's allows sessions as it is. */
static void container_run(enum container is, enum container_want want, char *out, size_t size)
{
	bool docker = is == CONTAINER_DOCKER, forbids = container_forbids_unshare();
	bool admin = docker || want == CONTAINER_MOUNT || want == CONTAINER_LOOPS;
	bool ptrace = want == CONTAINER_PTRACE || (admin && !geteuid() && feature_setting("kernel/yama/ptrace_scope") > 0);

	snprintf(out, size, "%s run --device /dev/fuse%s%s%s%s%s IMAGE", docker ? "docker" : "podman",
		 want == CONTAINER_LOOPS ? " --device /dev/loop-control --device-cgroup-rule 'b 7:* rmw'" : "",
		 admin ? " --cap-add SYS_ADMIN" : "", ptrace ? " --cap-add SYS_PTRACE" : "",
		 !admin && forbids ? " --security-opt seccomp=" PROFILE : "",
		 container_confined() ? " --security-opt apparmor=unconfined" : "");
}

void container_flags(enum container_want want, char *out, size_t size)
{
	enum container is = container_here();

	*out = '\0';
	if (is == CONTAINER_DOCKER || is == CONTAINER_PODMAN)
		container_run(is, want, out, size);
	else if (is == CONTAINER_KUBERNETES && want == CONTAINER_LOOPS)
		snprintf(out, size, "securityContext: {privileged: true}");
	else if (is == CONTAINER_KUBERNETES && want == CONTAINER_MOUNT)
		snprintf(out, size, "securityContext: {capabilities: {add: [SYS_ADMIN]}}, and /dev/fuse from a device plugin");
	else if (is == CONTAINER_KUBERNETES && container_forbids_unshare())
		snprintf(out, size, "securityContext: {seccompProfile: {type: Localhost, localhostProfile: dmuse.json}}, with " PROFILE
			 " as dmuse.json, and /dev/fuse from a device plugin");
	else if (is == CONTAINER_KUBERNETES)
		snprintf(out, size, "/dev/fuse from a device plugin");
}

const char *container_where(void)
{
	return container_here() == CONTAINER_KUBERNETES ? "in the pod's manifest" : "outside, where the container is started";
}
