# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2034,SC2046,SC2086
# In the words of words.sh: what is in the stores and the logs that volumes-make.sh has made, and a merge of one of them.
BS=8K
below() { dmsetup create "$1" --table "0 $3 linear $B $2"; }
below cow0 0 1024
below cow1 1024 1024
below cow2 2048 32
below cow3 2080 512
below log0 4096 16
below log1 4112 16
dmsetup create real --table "0 2048 linear $A 0"
dmsetup create org --table '0 2048 snapshot-origin /dev/mapper/real'
for i in 0 1 2 3; do
	dmsetup create s$i --table "0 2048 snapshot /dev/mapper/real /dev/mapper/cow$i P 8"
	dmsetup table s$i | cut -d ' ' -f 1-3,6-
	dmsetup status s$i
	look /dev/mapper/s$i 0 2048
done
# Linux cuts writes to an origin at the chunks of the snapshots that it had when it was resumed.
dmsetup suspend org
dmsetup resume org
mark /dev/mapper/org 1600 16 i
mark /dev/mapper/s1 0 16 j
dmsetup status
for d in s0 org; do dmsetup remove $d; done
dmsetup create org --table '0 2048 snapshot-merge /dev/mapper/real /dev/mapper/cow0 P 8'
count=0
while [ $count -lt 200 ]; do
	set -- $(dmsetup status org)
	case $4 in */*) [ "${4%/*}" != "$5" ] || break ;; *) break ;; esac
	sleep 0.05
	count=$((count + 1))
done
dmsetup status
for d in org s1 s3; do look /dev/mapper/$d 0 2048; done
for d in org s1 s2 s3; do dmsetup remove $d; done

dmsetup create m0 --table "0 640 mirror disk 2 /dev/mapper/log0 16 2 $A 4096 $B 8192 1 handle_errors"
dmsetup status m0 | cut -d ' ' -f 7-9
look /dev/mapper/m0 0 640
look "$B" 8192 640
dmsetup create m1 --table "0 160 mirror disk 2 /dev/mapper/log1 32 2 $A 5120 $B 10240 1 handle_errors"
count=0
while ! dmsetup status m1 | grep -q " 5/5 " && [ $count -lt 100 ]; do sleep 0.1; count=$((count + 1)); done
look /dev/mapper/m1 0 160
look "$B" 10240 160
for d in m0 m1; do dmsetup remove $d; done
for d in log0 log1; do raw /dev/mapper/$d 0 3 | od -A d -t x1; done
