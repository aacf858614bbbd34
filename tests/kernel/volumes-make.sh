# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2034,SC2086
# In the words of words.sh: exception stores and logs of mirrors on $A and $B, of which each byte is determined.
BS=8K
stamp "$A" 8192
below() { dmsetup create "$1" --table "0 $3 linear $B $2"; }
below cow0 0 1024
below cow1 1024 1024
below cow2 2048 32
below cow3 2080 512
below log0 4096 16
below log1 4112 16
# Linux cuts writes to an origin at the chunks of the snapshots that it had when it was resumed.
snapshot() { dmsetup create "$1" --table "$2" && dmsetup suspend org && dmsetup resume org; }
dmsetup create real --table "0 2048 linear $A 0"
dmsetup create org --table '0 2048 snapshot-origin /dev/mapper/real'
snapshot s0 '0 2048 snapshot /dev/mapper/real /dev/mapper/cow0 P 8'
for i in 0 3 4 100; do mark /dev/mapper/org $((i * 16)) 16 a; done
snapshot s1 '0 2048 snapshot /dev/mapper/real /dev/mapper/cow1 PO 32'
for i in 3 50 51; do mark /dev/mapper/org $((i * 16)) 16 b; done
mark /dev/mapper/s0 512 16 c
mark /dev/mapper/s1 1040 16 d
snapshot s3 '0 2048 snapshot /dev/mapper/real /dev/mapper/cow3 P 1'
mark /dev/mapper/s3 1200 48 e
mark /dev/mapper/s3 1264 16 e
snapshot s2 '0 2048 snapshot /dev/mapper/real /dev/mapper/cow2 P 8'
mark /dev/mapper/org 1984 16 f
dmsetup status
for d in s0 s1 s2 s3 org; do dmsetup remove $d; done

synced() {
	count=0
	while ! dmsetup status "$1" | grep -q " $2/$2 " && [ $count -lt 100 ]; do
		sleep 0.1
		count=$((count + 1))
	done
}
dmsetup create m0 --table "0 640 mirror disk 2 /dev/mapper/log0 16 2 $A 4096 $B 8192 1 handle_errors"
synced m0 40
mark /dev/mapper/m0 16 32 g
dmsetup create leg --table "0 32 linear $B 10240
32 32 error
64 96 linear $B 10304"
dmsetup create m1 --table "0 160 mirror disk 3 /dev/mapper/log1 32 nosync 2 $A 5120 /dev/mapper/leg 0 2 handle_errors keep_log"
mark /dev/mapper/m1 32 16 h
mark /dev/mapper/m1 96 16 h
for d in m0 m1; do dmsetup status $d | sed 's/[0-9]*:[0-9]*/DEVICE/g'; done
for d in m0 m1 leg; do dmsetup remove $d; done
for d in cow0 cow1 cow2 cow3 log0 log1 real; do dmsetup remove $d; done
for d in A B; do
	[ $d = A ] && disk=$A || disk=$B
	echo "$d: $(dd if="$disk" iflag=direct bs=1M count=8 status=none | md5sum | cut -c 1-32)"
done
