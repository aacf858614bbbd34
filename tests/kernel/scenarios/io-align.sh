# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# O_DIRECT: sizes and offsets that are not whole sectors, buffers that are.
t dmsetup create one --table '0 128 linear /dev/vda 0'
try() {
	echo "$*: $(dd "$@" status=none 2>&1 | tr '\0' 0 | wc -c) bytes, $(dd "$@" status=none 2>&1 >/dev/null)"
}
try if=/dev/mapper/one bs=512 count=1 iflag=direct
try if=/dev/mapper/one bs=511 count=1 iflag=direct
try if=/dev/mapper/one bs=513 count=1 iflag=direct
try if=/dev/mapper/one bs=256 count=1 iflag=direct
try if=/dev/mapper/one bs=1024 count=1 iflag=direct
try if=/dev/mapper/one bs=512 skip=100 count=1 iflag=direct,skip_bytes
try if=/dev/mapper/one bs=512 skip=512 count=1 iflag=direct,skip_bytes
try if=/dev/mapper/one bs=4096 skip=512 count=1 iflag=direct,skip_bytes
try if=/dev/zero of=/dev/mapper/one bs=511 count=1 oflag=direct conv=notrunc
try if=/dev/zero of=/dev/mapper/one bs=512 seek=100 count=1 oflag=direct,seek_bytes conv=notrunc
try if=/dev/zero of=/dev/mapper/one bs=512 seek=512 count=1 oflag=direct,seek_bytes conv=notrunc
try if=/dev/mapper/one bs=1 count=3
try if=/dev/mapper/one bs=1000 skip=7 count=2
