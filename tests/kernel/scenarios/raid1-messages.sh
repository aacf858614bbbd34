# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2046,SC2086,SC2094,SC2002
# raid1: its messages, when it has nothing to do and when it is suspended.
# Linux 6.1 differs: a message to a suspended array is no error, and begins the work at the resume.
pieces 2 256 512
waits_for() {
	count=0
	while ! dmsetup status it | grep -q ' idle ' && [ $count -lt 150 ]; do sleep 0.1; count=$((count + 1)); done
	dmsetup status it
}
t dmsetup create it --table "0 512 raid raid1 3 0 region_size 64 2 $(both 2)"
rests it
for message in idle frozen resync recover check repair CHECK 'check it' reshape nonsense; do
	say "$message"
	t dmsetup message it 0 $message
	if [ "$message" = frozen ]; then dmsetup status it; else waits_for; fi
done
t dmsetup suspend it
for message in idle frozen check nonsense; do
	t dmsetup message it 0 $message
	dmsetup status it
done
t dmsetup resume it
waits_for
t dmsetup remove it
t dmsetup create it --table '0 1024 raid raid0 1 16 2 - /dev/mapper/d0 - /dev/mapper/d1'
t dmsetup message it 0 check
dmsetup status it
t dmsetup remove it
