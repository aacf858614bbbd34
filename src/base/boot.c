/* SPDX-License-Identifier: BSD-2-Clause */
/* See boot.h. */
#include "base/boot.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

static char id[BOOT_ID + 1] = "unknown";

static void id_read(void)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	char read_id[BOOT_ID];
	unsigned i;

	if (fd < 0)
		return;
	if (read(fd, read_id, sizeof(read_id)) == sizeof(read_id))
		for (i = 0; i < BOOT_ID; i++)
			id[i] = read_id[i];
	close(fd);
}

const char *boot_id(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, id_read);
	return id;
}
