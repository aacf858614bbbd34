# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2046,SC2086,SC2094,SC2002,SC2059
# raid1: metadata that are not right, or not of this array.
pieces 3 256 2048
poke() { # DEVICE BYTE TEXT
	raw "$1" 0 16 >page
	printf "$3" | dd of=page bs=1 seek="$2" conv=notrunc status=none
	dd if=page of="$1" bs=8K oflag=direct conv=notrunc,nocreat status=none
}
new() {
	dd if=/dev/zero of=/dev/mapper/m0 bs=64K count=2 oflag=direct status=none
	dd if=/dev/zero of=/dev/mapper/m1 bs=64K count=2 oflag=direct status=none
	stamp /dev/mapper/d0 2048
	dmsetup create it --table "0 2048 raid raid1 4 0 nosync region_size 64 2 $(both 2)"
	dmsetup remove it
}
again() {
	t dmsetup create it --table "0 2048 raid raid1 3 0 region_size 64 2 $(both 2)" || return
	rests it
	dmsetup remove it
}
while read -r what device byte text; do
	say "$what"
	new
	poke "/dev/mapper/$device" "$byte" "$text"
	again
done <<'W'
magic-of-one m1 0 xxxx
unknown-compatible m0 4 \003
old-format m0 4 \000
three-devices m0 8 \003
position m1 12 \005
failed m0 24 \002
failed-both m0 24 \003
resynchronises m0 40 \000\004\000\000\000\000\000\000
level m0 48 \005
chunk m0 56 \010
incompatible m0 144 \001
bitmap-magic m0 4096 xxxx
bitmap-version m0 4100 \011
bitmap-chunk m0 4148 \003
W
say 'both are no superblocks'
new
poke /dev/mapper/m0 0 xxxx
poke /dev/mapper/m1 0 xxxx
again
say 'the superblock of one cannot be read'
new
t dmsetup load m1 --table "0 8 error
8 248 linear $B 8"
t dmsetup resume m1
t dmsetup create it --table "0 2048 raid raid1 3 0 region_size 64 2 $(both 2)" && {
	rests it
	t dmsetup table it
	mark /dev/mapper/it 8 4 x
	look /dev/mapper/d1 8 4
	dmsetup remove it
}
