/* SPDX-License-Identifier: BSD-2-Clause */
/* See lvm.h. */
#include "session/lvm.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "session/holder.h"

#define LVM_CONF HOLDER_LVM "/lvm.conf"

static const char lvm_head[] =
	"# Written by dmuse for its sessions; --config or LVM_SYSTEM_DIR replace it.\n"
	"devices {\n"
	"	# The machine's own disks are not this session's: `dmuse exec --disk NAME=/dev/...` brings one in.\n"
	"	filter = [ \"a|^/dev/mapper/|\", \"a|^/dev/dm-|\"";

static const char lvm_tail[] =
	", \"r|.*|\" ]\n"
	"	obtain_device_list_from_udev = 0\n"
	"	external_device_info_source = \"none\"\n"
	"	multipath_component_detection = 0\n"
	"	md_component_detection = 0\n"
	"	use_devicesfile = 0\n"
	"	hints = \"none\"\n"
	"}\n"
	"activation {\n"
	"	udev_sync = 0\n"
	"	udev_rules = 0\n"
	"	monitoring = 0\n"
	"	process_priority = 0\n"
	"	reserved_memory = 0\n"
	"	reserved_stack = 0\n"
	"}\n"
	"global {\n"
	"	notify_dbus = 0\n"
	"	use_lvmpolld = 0\n"
	"	event_activation = 0\n"
	"}\n";

/* "pv.0", and its partitions, as a word of a regular expression; names have no letters that the file's own syntax could stumble over. */
static void lvm_disk(struct text *out, const char *name, size_t n)
{
	bool digit = isdigit((unsigned char)name[n - 1]);

	text_add(out, ", \"a|^/dev/");
	for (; n; n--, name++) {
		if (!isalnum((unsigned char)*name) && *name != '-' && *name != '_')
			text_add(out, "[");
		text_add_n(out, name, 1);
		if (!isalnum((unsigned char)*name) && *name != '-' && *name != '_')
			text_add(out, "]");
	}
	text_add(out, digit ? "(p[0-9]+)?$|\"" : "([0-9]+)?$|\"");
}

static void lvm_compose(struct text *out, const char *disks)
{
	size_t n;

	text_add(out, lvm_head);
	for (; *disks; disks += n + (disks[n] == '\n')) {
		n = strcspn(disks, "\n");
		lvm_disk(out, disks, n);
	}
	text_add(out, lvm_tail);
}

/* Readers see the old file or the new one. */
static int lvm_replace(const struct text *t)
{
	int fd = open(LVM_CONF ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), r = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, t->s, t->len) != (ssize_t)t->len)
		r = -EIO;
	close(fd);
	if (!r && rename(LVM_CONF ".new", LVM_CONF))
		r = -errno;
	return r;
}

static bool lvm_is_so(const struct text *t)
{
	char now[16 << 10];
	int fd = open(LVM_CONF, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, now, sizeof(now));
	close(fd);
	return n == (ssize_t)t->len && !memcmp(now, t->s, t->len);
}

int lvm_lock(struct err *e)
{
	int fd = open(HOLDER_LVM, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	while (fd >= 0 && flock(fd, LOCK_EX))
		if (errno != EINTR) {
			close(fd);
			fd = -1;
		}
	return fd < 0 ? err_set(e, -errno, "cannot lock %s: %s", HOLDER_LVM, strerror(errno)) : fd;
}

int lvm_write(const char *disks, struct err *e)
{
	struct text t = TEXT_INIT;
	int r = 0;

	lvm_compose(&t, disks);
	if (t.failed)
		r = -ENOMEM;
	else if (!lvm_is_so(&t))
		r = lvm_replace(&t);
	text_free(&t);
	return r ? err_set(e, r, "cannot write %s: %s", LVM_CONF, strerror(-r)) : 0;
}
