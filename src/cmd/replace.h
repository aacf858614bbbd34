/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command replace: the daemon becomes another program, with its devices, its sockets and its clients (handover.h). It
 * keeps its process, so whoever started it (systemd, a keeper) need not know. What cannot change process, TLS, ends before.
 * If the other program does not come up, this one does again.
 */
#ifndef CMD_REPLACE_H
#define CMD_REPLACE_H

#include <stdbool.h>

#include "base/err.h"

struct dm_world;
struct nbd;
struct replace;

struct replace_opts {
	const char *forbidden;	/* why this daemon cannot be replaced, or NULL */
	bool background;
	int directory;		/* where the daemon was started; an O_PATH descriptor, or -1 */
	int control, nbd_socket;	/* listening sockets of socket activation, or -1 */
};

/* Adds itself to the world, whose command it carries out. NBD may be NULL. */
int replace_new(struct replace **out, struct dm_world *w, struct nbd *nbd, const struct replace_opts *o, struct err *e);
/* The daemon ends: it becomes no other program any more, not even if all stands still for one already. */
void replace_stop(struct replace *r);
void replace_free(struct replace *r);

struct job;

/* dmuse daemon --replace [PROGRAM]: an exit_code. */
int replace_command(struct job *j);

/*
 * In a child of the keeper, before it serves: PROGRAM, which has replaced the keeper's own, is started instead. DEATH: how the
 * daemon has died. Returns only if that fails, which is logged.
 */
void replace_restart(const struct replace_opts *o, int program, const char *death);

/* An earlier program was replaced by this one, or tried in vain to be, because of WHY (""): the command ID gets that answer. */
void replace_done(struct replace *r, const char *id, const char *why);

#endif
