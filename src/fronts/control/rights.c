/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may do what: root and the daemon's own user may do everything. Other users, where they are allowed at all, may
 * run commands that change nothing and open no file.
 */
#include <errno.h>

#include "fronts/control/conn.h"

#define RIGHTS_OTHERS_MAX 256		/* clients, so that they cannot use up all descriptors */
#define RIGHTS_OTHERS_FRAME 65535u	/* bytes, NetBSD's own limit: plenty for such a command */

#define EVER 0
#define NEVER UINT32_MAX
#define UNLESS(flags) flags

/* Flags with which other users may not run a verb. */
static const struct rights {
	bool never;
	uint32_t unless;
} rights[DM_VERBS] = {
#define VERB(id, name, handler, needs, others, ...) [DM_DO_##id] = { (others) == NEVER, others },
#include "core/command/verbs.list"
};

static bool rights_asks_only(const struct dm_cmd *cmd)
{
	return !rights[cmd->verb].never && !(cmd->flags & rights[cmd->verb].unless);
}

int control_may(const struct control_conn *conn, const struct dm_cmd *cmd, struct err *e)
{
	if (conn->master || rights_asks_only(cmd))
		return 0;
	return err_set(e, -EPERM, "user %u may only query: this command is limited to root and user %u", conn->uid,
		       conn->control->owner);
}

int control_may_enter(const struct control_conn *conn, struct err *e)
{
	const struct control *c = conn->control;

	if (conn->master)
		return 0;
	if (!c->allow_read)
		return err_set(e, -EPERM, "user %u may not use this daemon: it serves only root and user %u", conn->uid,
			       c->owner);
	if (spare_is_scarce(conn->watch.fd))
		return err_set(e, -EMFILE, "almost out of file descriptors (ulimit -n): the rest is reserved for root "
			       "and user %u", c->owner);
	if (c->others > RIGHTS_OTHERS_MAX)
		return err_set(e, -EBUSY, "%d clients of other users are already connected, which is the limit",
			       RIGHTS_OTHERS_MAX);
	return 0;
}

size_t control_frame_max(const struct control_conn *conn)
{
	return conn->master ? DICT_FRAME_MAX : RIGHTS_OTHERS_FRAME;
}
