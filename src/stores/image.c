/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disk image formats by their signatures: see image.h. libblkid knows file systems, but not these. Specifications:
 * qcow2.txt and qed_spec.txt in QEMU's docs/interop; VMDK "Virtual Disk Format 5.0" (KDMV, COWD, and the text of a
 * descriptor); VDI: the header at byte 64; VHDX: MS-VHDX 2.2.1; VHD: the copy of the footer at the front. A VHD of
 * fixed size has no such copy: it is a disk followed by a footer, and may be mapped.
 */
#include "stores/image.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define HEAD 512

static const char convert[] = "`qemu-img convert -O raw` converts it to a file that can be mapped";
static const char unpack[] = "unpack it first";
static const char unlock[] = "`cryptsetup open` decrypts it";

static const struct image {
	uint32_t at;
	const char *magic;
	size_t n;
	const char *what, *const how;
} images[] = {
	{ 0, "QFI\xfb", 4, "a qcow2 image", convert },
	{ 0, "QED", 4, "a QED image", convert },
	{ 0, "KDMV", 4, "a VMDK image", convert },
	{ 0, "COWD", 4, "a VMDK image", convert },
	{ 0, "# Disk DescriptorFile", 21, "the descriptor of a VMDK image", convert },
	{ 64, "\x7f\x10\xda\xbe", 4, "a VDI image", convert },
	{ 0, "vhdxfile", 8, "a VHDX image", convert },
	{ 0, "conectix", 8, "a VHD image", convert },
	{ 0, "WithoutFreeSpace", 16, "a Parallels image", convert },
	{ 0, "WithouFreSpacExt", 16, "a Parallels image", convert },
	{ 0, "LUKS\xba\xbe", 6, "a LUKS volume", unlock },
	{ 0, "\x1f\x8b\x08", 3, "compressed with gzip", unpack },
	{ 0, "\xfd" "7zXZ", 6, "compressed with xz", unpack },
	{ 0, "\x28\xb5\x2f\xfd", 4, "compressed with zstd", unpack },
	{ 0, "BZh", 3, "compressed with bzip2", unpack },
};

const char *image_probe(int fd, const char **how)
{
	const struct image *i, *end = images + sizeof(images) / sizeof(*images);
	char head[HEAD];

	if (pread(fd, head, HEAD, 0) != HEAD)
		return NULL;
	for (i = images; i < end; i++)
		if (!memcmp(head + i->at, i->magic, i->n))
			break;
	*how = i < end ? i->how : NULL;
	return i < end ? i->what : NULL;
}
