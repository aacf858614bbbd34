# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# crypt: limits, messages about keys, and what is written.
K=00112233445566778899aabbccddeeff
L=aabbccddeeff00112233445566778899
X="aes-xts-plain64 $K$L"

say 'limits'
t dmsetup create c --table "0 2048 crypt $X 0 $A 0 1 sector_size:4096"
for file in logical_block_size physical_block_size minimum_io_size discard_max_bytes; do
	echo "$file $(cat "/sys/block/$(basename "$(readlink -f "/sys/dev/block/$(major):$(dmsetup info -c --noheadings -o minor c)")")/queue/$file")"
done
t dmsetup remove c

say 'messages'
t dmsetup create c --table "0 2048 crypt $X 0 $A 0"
t dmsetup table c
for words in 'key wipe' "key set $K$K" nope key 'key nope'; do
	t dmsetup message c 0 "$words"
done
t dmsetup suspend c
for words in "key set $K" "key set x" "key set" "key wipe x" "KEY SET $K$K" "key wipe" "key wipe"; do
	t dmsetup message c 0 "$words"
done
t dmsetup table --showkeys c
t dmsetup resume c
dmsetup info -c --noheadings -o name,suspended c
t dmsetup message c 0 key set "$L$K"
t dmsetup resume c
t dmsetup table --showkeys c
t dmsetup remove c

say 'data'
stamp "$B" 64
t dmsetup create c --table "0 64 crypt $X 0 $A 0"
dd if="$B" of=/dev/mapper/c bs=512 count=64 oflag=direct status=none
look /dev/mapper/c 0 64
t dmsetup suspend c
t dmsetup message c 0 key wipe
t dmsetup message c 0 key set "$K$L"
t dmsetup resume c
look /dev/mapper/c 0 64
t dmsetup remove c
raw "$A" 0 64 | md5sum
