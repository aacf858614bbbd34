/* SPDX-License-Identifier: BSD-2-Clause */
/* Tells the service manager again and again that the control thread still runs, if it asks for that (sd_notify(3)). */
#ifndef CMD_WATCHDOG_H
#define CMD_WATCHDOG_H

#include <stdint.h>

#include "base/loop.h"
#include "base/timers.h"

struct watchdog {
	struct loop *loop;
	struct timer timer;
	uint64_t every;		/* nanoseconds; 0: nobody asks */
};

void watchdog_start(struct watchdog *w, struct loop *loop);
void watchdog_stop(struct watchdog *w);

#endif
