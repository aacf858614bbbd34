#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Partitions of disks in sessions, as the kernel shows them (the same was tested on Linux 6.12 with a virtio disk).
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

# An MBR: a primary partition, an extended one, two logical ones in it.
mbr() {
	rm -f d.img
	truncate -s 64M d.img
	sfdisk -q d.img <<-X
		label: dos
		unit: sectors
		start=2048, size=16384, type=83
		start=20480, size=57344, type=5
		start=22528, size=8192, type=83
		start=36864, size=8192, type=82
	X
}

# in_session WHAT WANTED SCRIPT: compares its output, including stderr.
in_session() {
	is "$who: $1" "$2" "$("$DMUSE" exec --disk sdx=d.img -- sh -c "$3" 2>&1)"
}

shown() {
	mbr
	in_session "nodes" "62:0 /dev/sdx 62:1 /dev/sdx1 62:2 /dev/sdx2 62:5 /dev/sdx5 62:6 /dev/sdx6 " \
		'stat -c "%t:%T %n" /dev/sdx* | tr "\n" " "'
	in_session "lsblk" "sdx 98:0 131072 disk|sdx1 98:1 16384 part sdx|sdx2 98:2 2 part sdx|sdx5 98:5 8192 part sdx|sdx6 98:6 8192 part sdx|" \
		'lsblk -rbno NAME,MAJ:MIN,SIZE,TYPE,PKNAME /dev/sdx | while read -r n m s t p; do
			echo "$n $m $((s / 512)) $t${p:+ $p}"; done | tr "\n" "|"'
	in_session "sysfs" "5 22528 8192 0 PARTN=5 ../../devices/virtual/block/sdx/sdx5 256" '
		cd /sys/class/block/sdx5 && echo $(cat partition start size ro) $(grep PART uevent) $(readlink /sys/dev/block/98:5) \
			$(cat /sys/block/sdx/ext_range)'
	in_session "its own size, its place on the disk" "8388608 1000 22528" \
		'dd if=/dev/zero bs=512 count=1 status=none | tr "\0" x >x; dd if=x of=/dev/sdx1 bs=512 seek=16383 status=none
		dd if=x of=/dev/sdx1 bs=512 seek=16384 2>/dev/null && echo beyond
		echo $(blockdev --getsize64 /dev/sdx1) $(dd if=d.img bs=512 skip=18431 count=1 status=none | tr -dc x | wc -c | sed s/512/1000/) \
			$(python3 -c "import fcntl, struct; print(struct.unpack(\"BBHxxxxQ\", fcntl.ioctl(open(\"/dev/sdx5\"), 0x301, bytes(16)))[3])")'
	in_session "a file system, and LVM" "ext4 /dev/sdx6 /dev/vg/lv" 'mkfs.ext4 -q /dev/sdx1; vgcreate -qq -s 512K vg /dev/sdx6 >/dev/null; lvcreate -qq -L 1M -n lv vg
		echo $(blkid -o value -s TYPE /dev/sdx1) $(pvs --noheadings -o pv_name) $(ls /dev/vg/lv); ls /sys/block/sdx/sdx6/holders | grep -v dm-; vgremove -qq -f vg'
	in_session "a mapped device has none" "1 1" 'dmsetup create all --table "0 131072 linear /dev/sdx 0"
		blockdev --rereadpt /dev/mapper/all 2>/dev/null; a=$?; partx -a /dev/mapper/all 2>/dev/null; echo $a $?; dmsetup remove all'
	is "$who: in tables" "0 8 linear 98:5 0" "$("$DMUSE" exec --disk sdx=d.img --create 'x=0 8 linear /dev/sdx5 0' -- dmsetup table x)"
	is "$who: a name that ends in a digit" "/dev/nbd9p1 /dev/nbd9p2 /dev/nbd9p5 /dev/nbd9p6" \
		"$("$DMUSE" exec --disk nbd9=d.img -- sh -c 'echo /dev/nbd9p*')"
}

reread() {
	mbr
	is "$who: partx" "d 0 /dev/sdx|a 0 /dev/sdx /dev/sdx1 /dev/sdx2 /dev/sdx5 /dev/sdx6|again 1|u 0" "$("$DMUSE" exec --disk sdx=d.img -- sh -c '
		partx -d /dev/sdx; echo "d $?" /dev/sdx*; partx -a /dev/sdx; echo "a $?" /dev/sdx*
		partx -a /dev/sdx 2>/dev/null; echo "again $?"; partx -u /dev/sdx; echo "u $?"' | paste -sd '|')"
	in_session "the label is read again" "0 /dev/sdx /dev/sdx1" '
		printf "2048,4096\n" | sfdisk -q --no-reread --no-tell-kernel -X dos d.img; blockdev --rereadpt /dev/sdx; echo $? /dev/sdx*'
	in_session "unless a partition is in use" "1 /dev/sdx /dev/sdx1" \
		'exec 3</dev/sdx1; blockdev --rereadpt /dev/sdx 2>/dev/null; echo $? /dev/sdx*'
	in_session "sfdisk on the disk" "0 /dev/sdx /dev/sdx1 /dev/sdx2" 'echo 8192,8192 | sfdisk -q --append /dev/sdx; echo $? /dev/sdx*'
	in_session "O_EXCL" "EBUSY EBUSY fine" 'python3 -c "
import errno, os
def claim(path):
    try:
        return os.open(path, os.O_RDWR | os.O_EXCL), \"fine\"
    except OSError as e:
        return None, errno.errorcode[e.errno]
one = os.open(\"/dev/sdx1\", os.O_RDWR | os.O_EXCL)
print(claim(\"/dev/sdx\")[1], claim(\"/dev/sdx1\")[1], claim(\"/dev/sdx2\")[1])"'
}

# GPT; the fifteenth partition uses up the kernel's minors of a disk.
gpt() {
	rm -f d.img
	truncate -s 64M d.img
	{ echo label: gpt; for i in $(seq 18); do echo "size=1M,name=p$i"; done; } | sfdisk -q d.img
	in_session "eighteen of a GPT" "18 98:15 99:0 99:2" \
		'echo $(ls /dev/sdx?* | wc -l) $(cat /sys/class/block/sdx15/dev /sys/class/block/sdx16/dev /sys/class/block/sdx18/dev)'
	in_session "the last one works" "2048 p18" \
		'mkfs.ext2 -q /dev/sdx18; echo $(blockdev --getsz /dev/sdx18) $(lsblk -no PARTLABEL /dev/sdx18)'
}

if command -v sfdisk >/dev/null || [ -x /sbin/sfdisk ]; then
	session_test shown reread gpt
else
	skip "partitions" "sfdisk is not installed (package fdisk)"
	plan
fi
