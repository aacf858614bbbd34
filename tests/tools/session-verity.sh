#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# veritysetup in a session: format, open, status, verify, dump, close; a file system on the device; corrupt blocks, with parity and
# without. As root and as an ordinary user.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

# Files are loop devices for veritysetup, which an ordinary user's session has only for programs that do not insist on autoclear:
# there they are shown as disks.
data=data.img hashes=hash.img parity=fec.img disks=()
in_session() {
	if [ "$who" = user ]; then
		disks=(--disk data="$PWD/data.img" --disk hash="$PWD/hash.img" --disk fec="$PWD/fec.img")
	fi
	"$DMUSE" exec "${disks[@]}" -- sh -c "$1" 2>&1 | grep -v '^dmuse: '
}
names() { [ "$who" = root ] || data=/dev/data hashes=/dev/hash parity=/dev/fec; }
change() { printf 'not what was there' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

# Two mebibytes of ext4, its tree, and room for parity.
image() {
	names
	rm -f data.img hash.img fec.img
	truncate -s 512K fec.img
	truncate -s 2M data.img
	truncate -s 64K hash.img
	mkfs.ext4 -q -F -O ^has_journal data.img
	tree=$(veritysetup format data.img hash.img --salt 0123456789abcdef | awk '/^Root hash:/ { print $3 }')
}

opened() {
	image
	is "$who: open, status, close" "/dev/mapper/vd is active.
  type:        VERITY
  status:      verified
  hash type:   1
  data block:  4096
  hash block:  4096
  hash name:   sha256
  salt:        0123456789abcdef
  mode:        readonly
0 4096 verity V
whole
closed" "$(in_session "
	veritysetup open $data vd $hashes $tree
	veritysetup status vd | grep -v -e ' device:' -e ' loop:' -e ' size:' -e 'offset:' -e 'root hash:' -e 'flags:'
	dmsetup status vd
	cmp data.img /dev/mapper/vd && echo whole
	veritysetup close vd
	[ -e /dev/mapper/vd ] || echo closed")"
	is "$who: with another root hash nothing can be read" "dd: error reading '/dev/mapper/vd': Input/output error" "$(in_session "
	veritysetup open $data vd $hashes 00${tree#??} >/dev/null 2>&1
	dd if=/dev/mapper/vd bs=4096 count=1 iflag=direct status=none")"
	is "$who: a file system on it is whole" 0 "$(in_session "
	veritysetup open $data vd $hashes $tree
	e2fsck -fn /dev/mapper/vd >/dev/null 2>&1
	echo \$?")"
	is "$who: verify, dump" "0
Hash type:       	1
Data blocks:     	512" "$(in_session "
	veritysetup verify data.img hash.img $tree
	echo \$?
	veritysetup dump hash.img | grep -e '^Hash type' -e '^Data blocks'")"
}

corrupted() {
	image
	change data.img 400000
	is "$who: a corrupt block cannot be read, and all others can" "dd: error reading '/dev/mapper/vd': Input/output error
97 414
0 4096 verity C
corrupted" "$(in_session "
	veritysetup open $data vd $hashes $tree
	dd if=/dev/mapper/vd of=before bs=4096 iflag=direct status=none
	dd if=/dev/mapper/vd of=behind bs=4096 skip=98 iflag=direct status=none
	echo \$((\$(stat -c %s before) / 4096)) \$((\$(stat -c %s behind) / 4096))
	dmsetup status vd
	veritysetup status vd | awk '/status:/ { print \$2 }'")"
}

corrected() {
	image
	tree=$(veritysetup format data.img hash.img --fec-device fec.img --fec-roots 4 --salt 0123 | awk '/^Root hash:/ { print $3 }')
	cp data.img right.img
	change data.img 400000
	change data.img 1000000
	change hash.img 9000
	is "$who: corrupt blocks are corrected" "whole
0 4096 verity V" "$(in_session "
	veritysetup open $data vd $hashes $tree --fec-device $parity --fec-roots 4
	cmp right.img /dev/mapper/vd && echo whole
	dmsetup status vd")"
}

session_test opened corrupted corrected
