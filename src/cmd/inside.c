/* SPDX-License-Identifier: BSD-2-Clause */
/* See inside.h. */
#include "cmd/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/keys.h"
#include "proto/dict_client.h"
#include "session/holder.h"
#include "session/lvm.h"

void inside_path(void)
{
	static const char *const directories[] = { "/usr/local/sbin", "/usr/sbin", "/sbin" };
	const char *path = getenv("PATH");
	struct text out = TEXT_INIT;
	char part[40];
	size_t i;

	text_add(&out, path ? path : "/usr/local/bin:/usr/bin:/bin");
	for (i = 0; i < sizeof(directories) / sizeof(*directories); i++) {
		snprintf(part, sizeof(part), ":%s:", directories[i]);
		text_add(&out, ":");		/* so that the last one is found, too */
		if (!strstr(text_str(&out), part))
			text_add(&out, directories[i]);
		else
			out.s[--out.len] = '\0';
	}
	if (!out.failed)
		setenv("PATH", out.s, 1);
	text_free(&out);
}

static void inside_environment(const char *control, const char *session)
{
	inside_path();
	setenv("DMUSE_SOCKET", control, 1);
	setenv("DMUSE_SESSION", session, 1);
	setenv("LVM_SYSTEM_DIR", HOLDER_LVM, 0);
	setenv("LVM_SUPPRESS_FD_WARNINGS", "1", 0);
	setenv("DM_DISABLE_UDEV", "1", 0);
	setenv("SYSTEMD_DEVICE_VERIFY_SYSFS", "0", 0);	/* or libudev expects all of /sys to be a sysfs */
	setenv("BLKID_FILE", HOLDER_RUN "/blkid.tab", 0);
}

/* Uses a connection of its own: that of the waiting parent must not be shared. */
static int inside_ask_disks(const char *control, plist_t *reply, struct err *e)
{
	int daemon = dict_connect(control, e), r;
	plist_t request;

	if (daemon < 0)
		return daemon;
	request = plist_new_dict();
	key_set_text(request, "command", "disks");
	r = dict_call(daemon, request, reply, e);
	plist_free(request);
	close(daemon);
	return r;
}

/* The names of the disks, one per line. */
static int inside_disks(const char *control, struct text *out, struct err *e)
{
	plist_t reply = NULL;
	int r = inside_ask_disks(control, &reply, e);

	if (!r)
		r = dict_result(reply, e);
	for (struct key_walk w = key_walk(r ? NULL : key_array(reply, "disks")); key_walk_next(&w);)
		text_printf(out, "%s\n", key_text(w.item, "name"));
	plist_free(reply);
	return r;
}

/* Others may have the lock for long. The daemon is asked only then: it turns away who connects and is silent. */
static int inside_lvm(const char *control, struct err *e)
{
	struct text disks = TEXT_INIT;
	int lock = lvm_lock(e), r;

	if (lock < 0)
		return lock;
	r = inside_disks(control, &disks, e);
	if (!r)
		r = lvm_write(&disks, e);
	text_free(&disks);
	close(lock);
	return r;
}

int inside_prepare(const char *control, const char *session, struct err *e)
{
	int r = inside_lvm(control, e);

	inside_environment(control, session);
	return r;
}
