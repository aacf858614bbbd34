/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file: a regular file or a block device. Reads and writes go to the io thread's
 * file engine; discard and zeroes punch holes; holes are known to whoever asks.
 */
#include "stores/file.h"

#include "stores/label.h"

static void file_submit(struct dm_store *s, struct dm_io *io, struct dm_req *r)
{
	struct file *f = (struct file *)s;

	(void)io;
	switch (r->op) {
	case DM_READ:
	case DM_WRITE:
		file_rw(f, r);
		break;
	case DM_FLUSH:
		file_flush(f, r);
		break;
	case DM_DISCARD:
		file_discard(f, r);
		break;
	case DM_ZEROES:
		file_zeroes(f, r);
		break;
	default:
		file_extent(f, r);
	}
}

static int file_label(const struct dm_store *s, struct dm_label *out)
{
	const struct file *f = (const struct file *)s;

	return label_probe(f->lanes[0].fd, out);
}

const struct dm_store_type dm_store_file = {
	.name = "file",
	.usage = "[file[,direct][,logical=BYTES][,physical=BYTES]:]PATH",
	.about = "a regular file or a block device",
	.claims = file_claims,
	.open = file_open,
	.close = file_close,
	.submit = file_submit,
	.label = file_label,
};
