/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands that were carried out, by the identity that their caller has given them (dm_cmd.id). That is in the same frame
 * as the change: a caller who lost the daemon before it answered asks again with the same identity, and is answered; the
 * change is not made twice. Control thread.
 */
#ifndef CORE_DONE_H
#define CORE_DONE_H

#include <stdbool.h>
#include <stddef.h>

#define DM_ID_MAX 40		/* bytes of an identity: letters, digits and '-' */
#define DM_DONES 256u		/* so many are kept, the last ones */

struct dm_cmd;
struct dm_world;

bool dm_id_is_valid(const char *id);

/* Was a command with this identity carried out? ID may be NULL. */
bool dm_done_is(struct dm_world *w, const char *id);
/* C was carried out before: it has its answer now. */
bool dm_done_answer(struct dm_cmd *c);

/* C (may be NULL) is among the next frame, and was committed with it, or was not; or it is undone by the next frame. */
void dm_done_put(struct dm_world *w, const struct dm_cmd *c);
void dm_done_settle(struct dm_world *w, struct dm_cmd *c, bool committed);
void dm_done_undo(struct dm_world *w, const struct dm_cmd *c);

/* At the start: one that an earlier daemon has recorded. */
void dm_done_known(struct dm_world *w, const char *id, const char *value, size_t len);
void dm_dones_free(struct dm_world *w);

#endif
