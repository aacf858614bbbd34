#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# integritysetup in a session: format, open, status, dump, close; a file system on the device; a block that was changed below, another
# key, bitmaps, recalculating. As root and as an ordinary user.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

disks=()
in_session() {
	disks=(--disk data="$PWD/data.img" --disk meta="$PWD/meta.img")
	"$DMUSE" exec "${disks[@]}" -- sh -c "$1" 2>&1 | grep -v '^dmuse: '
}
images() {
	rm -f data.img meta.img key
	truncate -s 8M data.img
	truncate -s 2M meta.img
	printf '0123456789abcdef0123456789abcdef' >key
}
change() { printf 'not what was there' | dd of=data.img bs=1 seek="$1" conv=notrunc status=none; }

opened() {
	images
	is "$who: format, dump, open, status, close" "integrity_tag_size 4
journal_sections 1
provided_data_sectors 15944
flags fix_padding fix_hmac 
/dev/mapper/it is active.
  type:    INTEGRITY
  tag size: 4
  integrity: crc32c
  sector size:  512 bytes
  interleave sectors: 32768
  size:    15944 sectors
  mode:    read/write
  failures: 0
  journal size: 90112 bytes
  journal watermark: 50%
  journal commit time: 10000 ms
0
0 15944 integrity 0 15944 -
closed" "$(in_session "
	integritysetup format -q --integrity crc32c /dev/data
	integritysetup dump /dev/data | grep -e tag_size -e sections -e provided -e flags
	integritysetup open --integrity crc32c /dev/data it
	integritysetup status it | grep -v -e ' device:' -e ' loop:'
	mkfs.ext4 -q /dev/mapper/it && e2fsck -fn /dev/mapper/it >/dev/null 2>&1
	echo \$?
	dmsetup status it
	integritysetup close it
	[ -e /dev/mapper/it ] || echo closed")"
}

changed() {
	images
	is "$who: what was changed below cannot be read, and all else can" "dd: error reading '/dev/mapper/it': Invalid or incomplete multibyte or wide character
1
0 15944 integrity 1 15944 -
written" "$(in_session "
	integritysetup format -q --integrity crc32c /dev/data
	integritysetup open --integrity crc32c --journal-watermark 10 /dev/data it
	mkfs.ext4 -q /dev/mapper/it
	integritysetup close it
	dd if=/dev/zero bs=512 count=1 2>/dev/null | tr '\\0' x | dd of=/dev/data bs=512 seek=5000 oflag=direct conv=notrunc status=none
	integritysetup open --integrity crc32c /dev/data it
	dd if=/dev/mapper/it of=/dev/null bs=512 iflag=direct status=none
	dmsetup status it | cut -d' ' -f4
	dmsetup status it
	sector=\$((5000 - 8 - 176 - 256))
	for at in \$(seq \$((sector - 20)) \$((sector + 20))); do
		dd if=/dev/mapper/it of=/dev/null bs=512 skip=\$at count=1 iflag=direct status=none 2>/dev/null ||
			dd if=/dev/zero of=/dev/mapper/it bs=512 seek=\$at count=1 oflag=direct status=none
	done
	dd if=/dev/mapper/it of=/dev/null bs=512 iflag=direct status=none && echo written")"
}

keys() {
	images
	is "$who: with a key, another one reads nothing" "hmac(sha256) 4096
dd: error reading '/dev/mapper/it': Invalid or incomplete multibyte or wide character" "$(in_session "
	integritysetup format -q --integrity hmac-sha256 --integrity-key-file key --integrity-key-size 32 --sector-size 4096 /dev/data
	integritysetup open --integrity hmac-sha256 --integrity-key-file key --integrity-key-size 32 /dev/data it
	integritysetup status it | awk '/integrity:/ { a = \$2 } /sector size:/ { print a, \$3 }'
	dd if=/dev/mapper/it of=/dev/null bs=4096 count=1 status=none
	integritysetup close it
	tr 0 1 <key >other
	integritysetup open --integrity hmac-sha256 --integrity-key-file other --integrity-key-size 32 /dev/data it
	dd if=/dev/mapper/it of=/dev/null bs=4096 count=1 iflag=direct status=none")"
}

others() {
	images
	is "$who: a bitmap, metadata of their own, recalculating" "bitmap 512-byte sectors per bit: 32768
meta 0
15944
0" "$(in_session "
	integritysetup format -q --integrity crc32 --integrity-bitmap-mode /dev/data
	integritysetup open --integrity crc32 --integrity-bitmap-mode /dev/data it
	integritysetup status it | sed -n 's/^ *bitmap/bitmap/p' | head -n 1
	integritysetup close it
	dd if=/dev/zero of=/dev/data bs=4096 count=1 conv=notrunc status=none
	integritysetup format -q --integrity xxhash64 --data-device /dev/data /dev/meta
	integritysetup open --integrity xxhash64 --data-device /dev/data /dev/meta it
	dd if=/dev/mapper/it of=/dev/null bs=4096 status=none; echo meta \$?
	integritysetup close it
	dd if=/dev/zero of=/dev/data bs=4096 count=1 conv=notrunc status=none
	integritysetup format -q --no-wipe --integrity crc32c /dev/data
	integritysetup open --integrity crc32c --integrity-recalculate /dev/data it
	until dmsetup status it | awk '{ exit \$5 != \$6 }'; do :; done
	dmsetup status it | cut -d' ' -f6
	dd if=/dev/mapper/it of=/dev/null bs=4096 status=none; echo \$?")"
}

session_test opened changed keys others
