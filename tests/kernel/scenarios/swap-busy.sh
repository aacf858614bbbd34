# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Tables are swapped while a reader and a writer are active; neither notices.
sectors 0 8192 >data
dd if=data of="$A" bs=1M oflag=direct conv=notrunc,nocreat status=none
dd if=data of="$B" bs=1M oflag=direct conv=notrunc,nocreat status=none
t dmsetup create one --table '0 8192 linear /dev/vda 0'
read_all() {
	n=0
	while [ $n -lt 20 ]; do
		cmp -n 4194304 data /dev/mapper/one || echo "differs"
		n=$((n + 1))
	done
}
behind reader read_all
behind writer dd if=data of=/dev/mapper/one bs=4K oflag=direct conv=notrunc,nocreat status=none
n=0
while [ $n -lt 10 ]; do
	dmsetup load one --table "0 8192 linear /dev/vd$([ $((n % 2)) = 0 ] && echo b || echo a) 0"
	if [ $((n % 3)) = 0 ]; then dmsetup suspend --noflush one; else dmsetup suspend one; fi
	dmsetup resume one
	n=$((n + 1))
done
ends reader
ends writer
t cmp -n 4194304 data "$A"
t cmp -n 4194304 data "$B"
t dmsetup info one
