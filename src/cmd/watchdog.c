/* SPDX-License-Identifier: BSD-2-Clause */
/* See watchdog.h. */
#include "cmd/watchdog.h"

#include <systemd/sd-daemon.h>

#include "base/list.h"
#include "base/notify.h"

static void watchdog_tell(struct timer *t)
{
	struct watchdog *w = container(t, struct watchdog, timer);

	if (!notify_waits())
		notify_send("WATCHDOG=1", -1, NULL);
	loop_timer(w->loop, &w->timer, w->every);
}

void watchdog_start(struct watchdog *w, struct loop *loop)
{
	uint64_t usec = 0;

	w->loop = loop;
	timer_init(&w->timer, watchdog_tell);
	w->every = sd_watchdog_enabled(0, &usec) > 0 ? usec * 1000 / 3 : 0;
	if (w->every)
		watchdog_tell(&w->timer);
}

void watchdog_stop(struct watchdog *w)
{
	if (w->every)
		timer_stop(&w->timer);
	w->every = 0;
}
