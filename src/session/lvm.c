/* SPDX-License-Identifier: BSD-2-Clause */
/* See lvm.h. */
#include "session/lvm.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "session/holder.h"
#include "session/loops.h"

#define LVM_CONF HOLDER_LVM "/lvm.conf"
#define LVM_LOCK HOLDER_RUN "/lvm.lock"	/* only its owner can open it: others could lock it for ever */
#define LVM_ROOM ((size_t)16 << 10)	/* bytes of the file */
#define LVM_DISKS HOLDER_RUN "/disks"	/* the names of the disks, one per line, as of the last lvm_write() */

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
	"	monitoring = %d\n"
	"	polling_interval = 1\n"
	"	process_priority = 0\n"
	"	reserved_memory = 0\n"
	"	reserved_stack = 0\n"
	"}\n"
	"global {\n"
	"	notify_dbus = 0\n"
	"	use_lvmpolld = 0\n"
	"	event_activation = 0\n"
	"}\n";

bool lvm_is_watched(void)
{
	return !access("/sbin/dmeventd", X_OK);
}

/*
 * "pv.0" and its partitions, as part of a regular expression; names have no characters that are special in the file's
 * syntax.
 */
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

/* The loop device and its partitions. */
static void lvm_loop(unsigned n, void *arg)
{
	text_printf(arg, ", \"a|^/dev/loop%u(p[0-9]+)?$|\"", n);
}

static void lvm_compose(struct text *out, const char *disks)
{
	size_t n;

	text_add(out, lvm_head);
	if (access(HOLDER_LOOP_CONTROL, F_OK))
		loops_each(lvm_loop, out);
	else
		text_add(out, ", \"a|^/dev/loop[0-9]+(p[0-9]+)?$|\"");
	for (; *disks; disks += n + (disks[n] == '\n')) {
		n = strcspn(disks, "\n");
		lvm_disk(out, disks, n);
	}
	text_printf(out, lvm_tail, lvm_is_watched() ? 1 : 0);
}

/* Readers see either the old file or the new one. */
static int lvm_replace(const char *path, const struct text *t)
{
	char new[80];
	int fd, r = 0;

	snprintf(new, sizeof(new), "%s.new", path);
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	if (write(fd, text_str(t), t->len) != (ssize_t)t->len)
		r = -EIO;
	close(fd);
	if (!r && rename(new, path))
		r = -errno;
	return r;
}

static void lvm_read(const char *path, struct text *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char piece[4096];
	ssize_t n;

	while (fd >= 0 && (n = read(fd, piece, sizeof(piece))) > 0)
		text_add_n(out, piece, (size_t)n);
	if (fd >= 0)
		close(fd);
}

/* A file that has this content already is left alone. */
static int lvm_update(const char *path, const struct text *t)
{
	struct text now = TEXT_INIT;
	int r = 0;

	lvm_read(path, &now);
	if (t->failed || now.failed)
		r = -ENOMEM;
	else if (now.len != t->len || memcmp(text_str(&now), text_str(t), t->len))
		r = lvm_replace(path, t);
	text_free(&now);
	return r;
}

/* HOW may include LOCK_NB. A descriptor, or -1 and errno. */
static int lvm_take(int how)
{
	int fd = open(LVM_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600), r;

	while (fd >= 0 && flock(fd, how))
		if (errno != EINTR) {
			r = errno;
			close(fd);
			errno = r;
			return -1;
		}
	return fd;
}

int lvm_lock(struct err *e)
{
	int fd = lvm_take(LOCK_EX);

	return fd < 0 ? err_set(e, -errno, "cannot lock %s: %s", LVM_LOCK, strerror(errno)) : fd;
}

/*
 * LVM asks for the file's size before it opens it, and the file may change in between. So it is padded: most changes do
 * not change its size.
 */
static void lvm_pad(struct text *t)
{
	size_t room = LVM_ROOM;

	while (room < t->len)
		room *= 2;
	while (!t->failed && t->len < room)
		text_add(t, "\n");
}

static int lvm_configure(const struct text *disks)
{
	struct text t = TEXT_INIT;
	int r;

	lvm_compose(&t, text_str(disks));
	lvm_pad(&t);
	r = lvm_update(LVM_CONF, &t);
	text_free(&t);
	return r;
}

int lvm_write(const struct text *disks, struct err *e)
{
	int r = disks->failed ? -ENOMEM : lvm_update(LVM_DISKS, disks);

	if (!r)
		r = lvm_configure(disks);
	return r ? err_set(e, r, "cannot write %s: %s", LVM_CONF, strerror(-r)) : 0;
}

void lvm_refresh(void)
{
	struct text disks = TEXT_INIT;
	int lock = lvm_take(LOCK_EX | LOCK_NB);

	if (lock < 0)
		return;
	lvm_read(LVM_DISKS, &disks);
	if (!disks.failed)
		lvm_configure(&disks);
	text_free(&disks);
	close(lock);
}

dev_t lvm_device(void)
{
	struct stat st;

	return stat(HOLDER_LVM, &st) ? 0 : st.st_dev;
}

int lvm_stat(struct stat *st)
{
	return stat(LVM_CONF, st) ? -errno : 0;
}
