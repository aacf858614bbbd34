# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# verity: what a read of a corrupt block gets, with each option, and what status says then.
stamp "$A" 2048
salt=d4ae2f8a1c0b3e5f
# Data block 200 is zeros, and so says its hash.
dd if=/dev/zero of="$A" bs=4096 seek=200 count=1 oflag=direct conv=notrunc status=none
root=$(veritysetup format "$A" "$B" --salt $salt --uuid 5b4e6b2c-1c8f-4a5f-9d57-1b2a3c4d5e6f --data-blocks 256 |
	awk '/^Root hash:/ { print $3 }')
with() {
	echo "0 2048 verity 1 $A $B 4096 4096 256 1 sha256 $root $salt $*" | dmsetup create it --readonly || return
	say "with $*"
}
direct() { BS=4K look /dev/mapper/it "$1" "$2"; }
# change DISK BLOCK TEXT: a few bytes in the middle of it.
change() {
	dd if="$1" of=block bs=4096 skip="$2" count=1 iflag=direct status=none
	printf '%s' "$3" | dd of=block bs=1 seek=1000 conv=notrunc status=none
	dd if=block of="$1" bs=4096 seek="$2" count=1 oflag=direct conv=notrunc status=none
}
over() {
	dmsetup status it
	dmsetup info -c --noheadings -o events it
	dmsetup remove it
}
with
look /dev/mapper/it 0 2048
over
say 'a data block is corrupt'
change "$A" 3 damage
with
direct 16 8
direct 24 8
direct 32 8
direct 0 64
look /dev/mapper/it 0 64
over
with 1 ignore_corruption
look /dev/mapper/it 24 2
direct 16 24
over
with 1 check_at_most_once
direct 24 8
direct 32 8
change "$A" 4 damage
direct 32 8
direct 40 8
over
with 2 check_at_most_once ignore_corruption
direct 32 8
direct 32 8
over
stamp "$A" 48
with 1 ignore_zero_blocks
look /dev/mapper/it 1592 24
change "$A" 200 'not zero'
direct 1600 8
over
with
direct 1600 8
over
dd if=/dev/zero of="$A" bs=4096 seek=200 count=1 oflag=direct conv=notrunc status=none
say 'a hash block is corrupt: the second one of level 0, which is about data blocks 128 to 255'
change "$B" 3 damage
with
direct 0 1024
direct 1024 8
direct 1016 16
over
with 1 ignore_corruption
direct 1024 8
direct 1264 16
over
with 1 check_at_most_once
direct 1024 8
over
root=$(veritysetup format "$A" "$B" --salt $salt --uuid 5b4e6b2c-1c8f-4a5f-9d57-1b2a3c4d5e6f --data-blocks 256 |
	awk '/^Root hash:/ { print $3 }')
say 'the top is corrupt'
change "$B" 1 damage
with
direct 0 8
direct 1024 8
over
with 1 ignore_corruption
direct 0 8
direct 1024 8
over
say 'the root hash is another one'
root=00${root#??}
with
direct 0 8
over
say 'writes and discards'
with
dd if=/dev/zero of=/dev/mapper/it bs=4096 count=1 oflag=direct status=none 2>&1 | sed 's/^dd: //'
blkdiscard /dev/mapper/it 2>&1 | sed 's/ioctl failed: //'
over
say 'a disk that fails'
lines "0 24 linear $A 0" "24 8 error" "32 2016 linear $A 32" | dmsetup create bad
root=$(veritysetup format "$A" "$B" --salt $salt --uuid 5b4e6b2c-1c8f-4a5f-9d57-1b2a3c4d5e6f --data-blocks 256 |
	awk '/^Root hash:/ { print $3 }')
echo "0 2048 verity 1 /dev/mapper/bad $B 4096 4096 256 1 sha256 $root $salt" | dmsetup create it --readonly
direct 16 8
direct 24 8
direct 32 8
over
echo "0 2048 verity 1 /dev/mapper/bad $B 4096 4096 256 1 sha256 $root $salt 1 ignore_corruption" | dmsetup create it --readonly
direct 24 8
over
dmsetup remove bad
