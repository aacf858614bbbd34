# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# verity with forward error correction, as veritysetup makes it: corrupt data blocks, hash blocks and parity.
stamp "$A" 2048
salt=d4ae2f8a1c0b3e5f
# format ROOTS: the hash tree in blocks 0 to 3 of B, the parity behind it, at 1 MiB.
format() {
	# veritysetup protects what is on the hash device up to its end or to the parity: it ends at block 256
	root=$(veritysetup format "$A" "$B" --salt $salt --uuid 5b4e6b2c-1c8f-4a5f-9d57-1b2a3c4d5e6f --data-blocks 256 \
		--fec-device "$B" --fec-offset 1048576 --fec-roots $1 | awk '/^Root hash:/ { print $3 }')
	roots=$1
}
with() {
	n=$((8 + $#))
	echo "0 2048 verity 1 $A $B 4096 4096 256 1 sha256 $root $salt $n use_fec_from_device $B fec_blocks 511 fec_start 256 fec_roots $roots $*" |
		dmsetup create it --readonly || return
	say "with $roots roots $*"
}
# change DISK BLOCK [BYTES]: changes these bytes in the middle of it.
change() {
	dd if="$1" of=block bs=4096 skip="$2" count=1 iflag=direct status=none
	tr '\000-\377' '\001-\377\000' <block | dd of=changed bs=1 skip=1000 count="${3:-20}" status=none
	dd if=changed of=block bs=1 seek=1000 conv=notrunc status=none
	dd if=block of="$1" bs=4096 seek="$2" count=1 oflag=direct conv=notrunc status=none
}
whole() {
	raw /dev/mapper/it 0 2048 | md5sum
	dmsetup status it
	dmsetup remove it
}
format 2
t dmsetup status
with
t dmsetup table it
whole
say 'a data block is corrupt'
change "$A" 3 3000
with
whole
say 'so is the one two rounds behind it; then a third one'
change "$A" 7 3000
with
whole
change "$A" 11 3000
with
whole
with ignore_corruption
whole
stamp "$A" 2048
say 'a whole stripe'
for block in 20 21 22; do change "$A" $block 3000; done
with
whole
stamp "$A" 2048
say 'a hash block is corrupt'
change "$B" 3 3000
with
whole
