/* SPDX-License-Identifier: BSD-2-Clause */
/* A journal as what the core records its state with. */
#ifndef CMD_STATE_RECORDER_H
#define CMD_STATE_RECORDER_H

#include "base/journal.h"
#include "core/state/recorder.h"

struct state_recorder {
	struct dm_recorder recorder;
	struct journal *journal;
};

void state_recorder_init(struct state_recorder *r, struct journal *journal, bool durable);

#endif
