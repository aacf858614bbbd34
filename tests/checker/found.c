/* SPDX-License-Identifier: BSD-2-Clause */
/* See found.h. */
#include "checker/found.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char own[512], *text = own;
static size_t room = sizeof(own);
static atomic_bool any;

void found(const char *format, ...)
{
	va_list a;

	va_start(a, format);
	pthread_mutex_lock(&lock);
	if (!atomic_load(&any))
		vsnprintf(text, room, format, a);
	atomic_store(&any, true);
	pthread_mutex_unlock(&lock);
	va_end(a);
}

const char *found_what(void)
{
	return atomic_load(&any) ? text : NULL;
}

void found_into(char *to, size_t size)
{
	text = to;
	room = size;
}
