/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What programs say of a loop device, and are told: struct loop_info64, and the older struct loop_info, which LOOP_SET_STATUS and
 * LOOP_GET_STATUS have; it has smaller numbers, and no size limit.
 */
#include <errno.h>
#include <linux/loop.h>
#include <string.h>

#include "core/device/loopdev.h"
#include "fronts/fuse/dev_call.h"
#include "fronts/fuse/dev_loopdev_info.h"

static void loop_copy(char to[DM_LOOP_WORD], const uint8_t *from)
{
	memcpy(to, from, DM_LOOP_WORD - 1);
	to[DM_LOOP_WORD - 1] = '\0';
}

int loop_info(struct dm_loop *l, const struct loop_info64 *info, uint32_t flags)
{
	if (info->lo_encrypt_type || info->lo_encrypt_key_size || info->lo_offset > INT64_MAX)
		return -EINVAL;
	l->offset = info->lo_offset;
	l->limit = info->lo_sizelimit;
	l->flags = (l->flags & ~flags) | (info->lo_flags & flags);
	loop_copy(l->name, info->lo_file_name);
	loop_copy(l->crypt, info->lo_crypt_name);
	return 0;
}

static void old_read(const struct loop_info *from, struct loop_info64 *to)
{
	*to = (struct loop_info64){ .lo_number = (uint32_t)from->lo_number, .lo_device = from->lo_device, .lo_inode = from->lo_inode,
				    .lo_rdevice = from->lo_rdevice, .lo_offset = (uint64_t)(int64_t)from->lo_offset,
				    .lo_encrypt_type = (uint32_t)from->lo_encrypt_type, .lo_encrypt_key_size = (uint32_t)from->lo_encrypt_key_size,
				    .lo_flags = (uint32_t)from->lo_flags };
	memcpy(to->lo_file_name, from->lo_name, LO_NAME_SIZE);
}

int loop_old_in(const struct dev_call *c, struct loop_info64 *out)
{
	struct loop_info old;
	int r = dev_call_in(c, &old, sizeof(old));

	if (!r)
		old_read(&old, out);
	return r;
}

static int old_write(const struct loop_info64 *from, struct loop_info *to)
{
	*to = (struct loop_info){ .lo_number = (int)from->lo_number, .lo_device = (__kernel_old_dev_t)from->lo_device,
				  .lo_inode = (unsigned long)from->lo_inode, .lo_rdevice = (__kernel_old_dev_t)from->lo_rdevice,
				  .lo_offset = (int)from->lo_offset, .lo_flags = (int)from->lo_flags };
	memcpy(to->lo_name, from->lo_file_name, LO_NAME_SIZE);
	if (to->lo_device != from->lo_device || to->lo_rdevice != from->lo_rdevice || to->lo_inode != from->lo_inode ||
	    to->lo_offset < 0 || (uint64_t)to->lo_offset != from->lo_offset)
		return -EOVERFLOW;
	return 0;
}

int loop_old_status(struct dev_call *c, const struct loop_info64 *info)
{
	struct loop_info old;
	int r = old_write(info, &old);

	if (!r)
		dev_call_end(c, 0, &old, sizeof(old));
	return r;
}
