/* SPDX-License-Identifier: BSD-2-Clause */
/* ioctls on the io files of the view. */
#include <errno.h>

#include "fronts/fuse/dev.h"

void fuse_dev_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned cmd, void *arg, struct fuse_file_info *fi, unsigned flags,
		    const void *in, size_t in_size, size_t out_size)
{
	(void)ino, (void)cmd, (void)arg, (void)fi, (void)flags, (void)in, (void)in_size, (void)out_size;
	fuse_reply_err(req, ENOTTY);
}
