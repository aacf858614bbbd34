/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon's messages on stderr, one line each; under systemd with the journal's priority prefix. Any thread. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARN = 4, LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

void log_set_level(enum log_level most);
/* From now on each line begins with the date and time. */
void log_with_time(void);
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, about a device. In the journal its field DM_NAME has the name, as udev's database has: journalctl DM_NAME=vd. */
void log_line_of(const char *device, enum log_level level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Keeps messages that clients can cause from filling a disk: one line of a kind in ten seconds. For one thread. */
struct log_rate {
	uint64_t next;		/* nanoseconds */
	unsigned held;		/* lines that were suppressed since the last one */
};

/* May a line be logged at NOW? Then *HELD were suppressed since the last one. */
bool log_rate(struct log_rate *r, uint64_t now, unsigned *held);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_error_of(device, ...) log_line_of(device, LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn_of(device, ...) log_line_of(device, LOG_LEVEL_WARN, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
