/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See keep.h. Which names are kept is known here, too: nobody answers a message, and systemd closes what is too much
 * with a line in its own log only.
 */
#include "base/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/notify.h"

#define KEEP_MARK "keep."	/* begins our names, and those of no socket unit */

struct kept {
	struct hash_link link;
	int fd;			/* of an earlier daemon, until it is taken; else -1 */
	int own;		/* a copy for a program that this process may become (keep_hand_over()); else -1 */
	struct notice *waits;	/* the message with it, which was not sent yet; else NULL */
	char name[];
};

/* Of this process, as its environment is. */
static struct hash keep_names;

/* systemd separates names with colons, so they are replaced. */
static void keep_wire_name(const char *name, char out[KEEP_NAME + sizeof(KEEP_MARK)])
{
	char *at = out;

	snprintf(out, KEEP_NAME + sizeof(KEEP_MARK), KEEP_MARK "%s", name);
	while ((at = strchr(at, ':')))
		*at = '+';
}

static struct kept *keep_find(const char *name)
{
	return hash_owner(hash_find(&keep_names, name, strlen(name)), struct kept, link);
}

static struct kept *keep_add(const char *name, int fd)
{
	struct kept *k = malloc(sizeof(*k) + strlen(name) + 1);

	if (!k)
		return NULL;
	k->fd = fd;
	k->own = -1;
	k->waits = NULL;
	strcpy(k->name, name);
	hash_add(&keep_names, &k->link, k->name, strlen(name));
	return k;
}

static void keep_forget(struct kept *k)
{
	hash_remove(&keep_names, &k->link);
	if (k->waits)
		notify_cancel(k->waits);
	if (k->fd >= 0)
		close(k->fd);
	if (k->own >= 0)
		close(k->own);
	free(k);
}

static unsigned long keep_room(void)
{
	const char *most = getenv("FDSTORE");

	return most && notify_is_there() ? strtoul(most, NULL, 10) : 0;
}

bool keep_is_there(void)
{
	return keep_room() > 0;
}

bool keep_is_any(void)
{
	return keep_names.n > 0;
}

int keep_adopt(const char *sent, int fd, struct err *e)
{
	char own[KEEP_NAME + 1], *at = own;

	snprintf(own, sizeof(own), "%s", sent + strlen(KEEP_MARK));
	while ((at = strchr(at, '+')))
		*at = ':';
	if (keep_find(own)) {
		close(fd);
		return 0;
	}
	return keep_add(own, fd) ? 0 : err_set(e, -ENOMEM, "no memory for the descriptors that were kept");
}

int keep_begin(int (*passed)(void *arg, int fd, const char *name, struct err *e), void *arg, struct err *e)
{
	char **names = NULL;
	int n = sd_listen_fds_with_names(1, &names), i, r = 0;

	if (n < 0)
		return err_set(e, n, "cannot use the descriptors from the service manager: %s", strerror(-n));
	for (i = 0; i < n; i++) {
		if (r)
			close(SD_LISTEN_FDS_START + i);
		else if (!strncmp(names[i], KEEP_MARK, strlen(KEEP_MARK)))
			r = keep_adopt(names[i], SD_LISTEN_FDS_START + i, e);
		else
			r = passed(arg, SD_LISTEN_FDS_START + i, names[i], e);
		free(names[i]);
	}
	free(names);
	return r;
}

static int keep_check(const char *name, struct err *e)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789:._-");

	if (!n || name[n] || n > KEEP_NAME)
		return err_set(e, -EINVAL, "a descriptor cannot be kept as '%s': a name has at most %d of a-z 0-9 : . _ -", name,
			       KEEP_NAME);
	if (keep_names.n >= keep_room())
		return err_set(e, -ENOSPC, "'%s' cannot be kept: there is room for %lu descriptors only (FileDescriptorStoreMax= "
			       "of the unit)", name, keep_room());
	return 0;
}

/* A descriptor that is in use by nobody else says so when it is polled: for systemd that would be a reason to close it. */
static int keep_send(struct kept *k, int fd)
{
	char wire[KEEP_NAME + sizeof(KEEP_MARK)], message[sizeof(wire) + 40];

	keep_wire_name(k->name, wire);
	snprintf(message, sizeof(message), "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", wire);
	return fd < 0 ? -EBADF : notify_send(message, fd, &k->waits);
}

int keep_fd(const char *name, int fd, struct err *e)
{
	struct kept *k;
	int r;

	if (!keep_is_there())
		return 0;
	keep_drop(name);
	r = keep_check(name, e);
	if (r)
		return r;
	k = keep_add(name, -1);
	r = k ? keep_send(k, fd) : -ENOMEM;
	if (!r) {
		k->own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		return 0;
	}
	if (k)
		keep_forget(k);
	return err_set(e, r, "'%s' cannot be kept for the time after this daemon: %s", name, strerror(-r));
}

void keep_drop(const char *name)
{
	struct kept *k = keep_find(name);
	char wire[KEEP_NAME + sizeof(KEEP_MARK)], message[sizeof(wire) + 40];

	if (!k)
		return;
	keep_wire_name(name, wire);
	snprintf(message, sizeof(message), "FDSTOREREMOVE=1\nFDNAME=%s", wire);
	if (!k->waits)
		notify_send(message, -1, NULL);
	keep_forget(k);
}

int keep_take(const char *name)
{
	struct kept *k = keep_find(name);
	int fd = k ? k->fd : -1;

	if (k) {
		k->own = fd < 0 ? k->own : fcntl(fd, F_DUPFD_CLOEXEC, 0);
		k->fd = -1;
	}
	return fd;
}

int keep_copy(const char *name)
{
	struct kept *k = keep_find(name);

	if (k && k->fd >= 0) {
		k->own = k->fd;
		k->fd = -1;
	}
	return k && k->own >= 0 ? fcntl(k->own, F_DUPFD_CLOEXEC, 0) : -1;
}

void keep_each(const char *prefix, void (*see)(void *arg, const char *name), void *arg)
{
	struct hash_link *l, *next;
	struct kept *k;

	hash_each(l, next, &keep_names) {
		k = container(l, struct kept, link);
		if (k->fd >= 0 && !strncmp(k->name, prefix, strlen(prefix)))
			see(arg, k->name);
	}
}

static void keep_unclaimed(void *arg, const char *name)
{
	(void)arg;
	log_info("'%s', which an earlier daemon has kept, is not needed any more", name);
	keep_drop(name);
}

void keep_rest(void)
{
	keep_each("", keep_unclaimed, NULL);
}

static int keep_current(const struct kept *k)
{
	return k->fd >= 0 ? k->fd : k->own;
}

void keep_hand_over(struct text *to)
{
	struct hash_link *l, *next;

	notify_hand_over(true);
	hash_each(l, next, &keep_names) {
		const struct kept *k = container(l, struct kept, link);

		if (keep_current(k) >= 0 && !fcntl(keep_current(k), F_SETFD, 0))
			text_printf(to, "kept %d %s\n", keep_current(k), k->name);
	}
}

void keep_hand_back(void)
{
	struct hash_link *l, *next;

	notify_hand_over(false);
	hash_each(l, next, &keep_names)
		fcntl(keep_current(container(l, struct kept, link)), F_SETFD, FD_CLOEXEC);
}

int keep_inherit(const char *name, int fd, struct err *e)
{
	if (keep_find(name))
		return 0;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return keep_add(name, fd) ? 0 : err_set(e, -ENOMEM, "no memory for the descriptors that were kept");
}
