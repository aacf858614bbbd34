# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2034,SC2046,SC2086
# In the words of words.sh: arrays of the target raid on $A and $B, of which each byte is determined but for the counts of events,
# and what is behind the last bit of a bitmap.
pieces 8 256 2048
new() { dmsetup create $1 --table "0 2048 raid raid1 5 0 daemon_sleep 250 region_size 64 2 $2" && rests $1; }
# r0 has three legs, and is removed when all is quiet.
stamp /dev/mapper/d0 2048
dmsetup create r0 --table "0 2048 raid raid1 7 0 daemon_sleep 250 region_size 64 write_mostly 2 3 $(both 2) $(both 1 2)"
rests r0
mark /dev/mapper/r0 100 8 a
unmarked /dev/mapper/m0
dmsetup remove r0
# r1 loses its second leg, and goes on.
stamp /dev/mapper/d3 2048
new r1 "$(both 2 3)"
unmarked /dev/mapper/m3
dmsetup load d4 --table "0 640 linear $A 17408
640 64 error
704 1344 linear $A 18112"
dmsetup suspend d4
dmsetup resume d4
mark /dev/mapper/r1 640 8 b
count=0
while ! dmsetup status r1 | grep -q ' AD ' && [ $count -lt 100 ]; do sleep 0.1; count=$((count + 1)); done
mark /dev/mapper/r1 1024 8 c
dmsetup status r1
bits /dev/mapper/m3
dmsetup remove r1
dmsetup load d4 --table "0 2048 linear $A 17408"
dmsetup suspend d4
dmsetup resume d4
# r2 is copied as it is found after a crash: with marks.
stamp /dev/mapper/d5 2048
new r2 "$(both 2 5)"
unmarked /dev/mapper/m5
mark /dev/mapper/r2 1600 8 d
for d in m5 d5 m6 d6; do dd if=/dev/mapper/$d of=$d.crash bs=64K iflag=direct status=none; done
dmsetup remove r2
for d in m5 d5 m6 d6; do dd if=$d.crash of=/dev/mapper/$d bs=64K oflag=direct conv=nocreat,notrunc status=none; done
for i in 0 1 2 3 4 5 6; do super /dev/mapper/m$i; bitmap /dev/mapper/m$i; done
for i in 0 1 2 3 4 5 6 7; do dmsetup remove m$i; dmsetup remove d$i; done
for d in A B; do
	[ $d = A ] && disk=$A || disk=$B
	echo "$d: $(dd if="$disk" iflag=direct bs=1M count=16 status=none | md5sum | cut -c 1-32)"
done
