# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# switch: each region of the line goes to the path that a message has set for it; and every way its line and message can be wrong.
# Linux 6.1 differs: a path that is missing is another error.
try() {
	t dmsetup create it --table "$1"
	dmsetup table it
	dmsetup status it
	dmsetup deps -o devno it
	dmsetup remove it 2>/dev/null
}
stamp "$A" 512
sectors 0 512 b | dd of="$B" bs=64K oflag=direct iflag=fullblock conv=notrunc status=none
map() {
	t dmsetup message it 0 set_region_mappings "$@"
	look /dev/mapper/it 0 64
}
say 'at first the paths take turns'
t dmsetup create it --table "0 64 switch 2 8 0 $A 0 $B 64"
look /dev/mapper/it 0 64
t dmsetup table it
t dmsetup status it
say 'regions are mapped one by one'
map 0:1 1:0
map 0:0 :0 :0 :1
map :1
map 7:1
map 3:0 :0 1:1 :1
map 4:1 :0 5:1 5:0
map 0:0 R1,7
map 0:0 :1 R2,6
map 0:1 :1 :0 R3,5
map 0:1 :0 r2,2
map 2:1 R1,0
map 2:0 R1,1 R2,2
map 00000:01
t dmsetup message it 0 SET_REGION_MAPPINGS 0:0
t dmsetup message it 0 set_region_mappings
t dmsetup message it 40 set_region_mappings 0:0
say 'requests that cross regions, and writes'
map 0:0 :1 R2,6
BS=32K mark /dev/mapper/it 0 64 x
look "$A" 0 64
look "$B" 64 64
t sync /dev/mapper/it
t blkdiscard -z -o 2048 -l 8192 /dev/mapper/it
look /dev/mapper/it 0 24
say 'what a message may not say'
for wrong in x 8:0 0:2 0 0: : 0:x 0x0:0 0:0x :8 R 'R,' R1 'R1,' R1,x Rx,1 R0,1 R2,1 R1,8 R1,ffffffffffffffff 0:-1 -1:0 '' R,1 R1,2,3; do
	t dmsetup message it 0 set_region_mappings "$wrong"
done
look /dev/mapper/it 0 64
t dmsetup message it 0 nonsense
t dmsetup message it 0 nonsense 0:0
say 'the first words of a message that is refused'
map 0:1 1:0 9:0
map 0:0 1:1 R3,1
say 'a new table begins anew'
t dmsetup load it --table "0 64 switch 2 16 0 $B 64 $A 0"
t dmsetup message it 0 set_region_mappings 2:1
t dmsetup resume it
look /dev/mapper/it 0 64
t dmsetup suspend it
t dmsetup message it 0 set_region_mappings 0:1
t dmsetup resume it
look /dev/mapper/it 0 64
t dmsetup remove it
say 'regions of no power of two, the last one short'
t dmsetup create it --table "0 64 switch 3 24 0 $A 0 $B 0 $A 64"
look /dev/mapper/it 0 64
map 1:2 2:0
map 2:1
map 3:0
t dmsetup remove it
say 'a message of many words'
t dmsetup create it --table "0 128 switch 2 1 0 $A 0 $B 0"
words=0:1
for i in $(seq 127); do words="$words :$((i / 3 % 2))"; done
t dmsetup message it 0 set_region_mappings $words
look /dev/mapper/it 0 128
t dmsetup remove it
say 'tables'
try '0 64 switch 1 8 0 /dev/vda 0'
try '0 64 switch 3 8 0 /dev/vda 0 /dev/vdb 8 /dev/vda 64'
try '0 64 switch 2 128 0 /dev/vda 0 /dev/vdb 0'
try '0 64 switch 2 7 0 /dev/vda 0 /dev/vdb 0'
try '0 64 switch'
try '0 64 switch 2'
try '0 64 switch 2 8'
try '0 64 switch 2 8 0'
try '0 64 switch 0 8 0'
try '0 64 switch x 8 0 /dev/vda 0'
try '0 64 switch 1 0 0 /dev/vda 0'
try '0 64 switch 1 x 0 /dev/vda 0'
try '0 64 switch 1 4294967295 0 /dev/vda 0'
try '0 64 switch 1 4294967296 0 /dev/vda 0'
try '0 64 switch 1 8 1 /dev/vda 0'
try '0 64 switch 1 8 x /dev/vda 0'
try '0 64 switch 1 8 1 nonsense /dev/vda 0'
try '0 64 switch 2 8 0 /dev/vda 0'
try '0 64 switch 2 8 0 /dev/vda 0 /dev/vdb'
try '0 64 switch 1 8 0 /dev/vda 0 /dev/vdb 0'
try '0 64 switch 1 8 0 /dev/vda x'
try '0 64 switch 1 8 0 /dev/vda 0x'
try '0 64 switch 1 8 0 /dev/nothing 0'
try '0 64 switch 1 8 0 /dev/vda 32704'
try '0 64 switch 1 8 0 /dev/vda 32705'
try '0 64 switch 2 8 0 /dev/vda 0 /dev/vdb 32705'
dmsetup targets | grep '^switch '
