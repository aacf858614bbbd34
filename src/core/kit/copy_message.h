/* SPDX-License-Identifier: BSD-2-Clause */
/* The message `throttle PERCENT` of types that copy in the background. Linux has a parameter of its module for that. */
#ifndef CORE_COPY_MESSAGE_H
#define CORE_COPY_MESSAGE_H

#include "core/command/ask.h"
#include "core/kit/copy.h"

/* A is for target TYPE, whose background copies ALL does. 0, or -EINVAL and a sentence. */
int copier_message(struct copier *all, const char *type, struct dm_ask *a);

#endif
