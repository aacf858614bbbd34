# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Hundreds of devices: listed in order, each with its own minor, all removed at once.
n=0
while [ $n -lt 200 ]; do
	echo "d$n,,,,0 8 linear /dev/vda $((n * 8))"
	n=$((n + 1))
done | paste -s -d ';' >concise
dmsetup create --concise "$(cat concise)"
dmsetup ls | wc -l
dmsetup ls | sed -n '1p;100p;200p'
dmsetup info -c --noheadings -O minor -o name,minor | sed -n '1p;100p;200p'
dmsetup table | sed -n '1p;100p;200p'
dmsetup table --concise >again
tr ';' '\n' <again | wc -l
t dmsetup remove d100
t dmsetup create back --table '0 8 zero'
t dmsetup info -c back
t dmsetup remove_all
t dmsetup ls
