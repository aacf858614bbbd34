#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Exception stores, logs of mirrors and metadata of raid1 in the format of Linux, both ways: what Linux 6.12 has made
# (tests/kernel/volumes-record) is opened here with all that is in it, and what is made here is the same, byte for byte.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"
kernel=$root/tests/kernel
PATH=$PATH:/usr/sbin:/sbin

recorded=volumes
# section NAME: of what was recorded.
section() { sed -n "/^=====$1/,/^=====/p" "$kernel/$recorded.linux" | grep -v '^====='; }
# disk N: the first or second one of it.
disk() { section DISKS | sed -n "$1p" | base64 -d | gzip -d; }

# play SCRIPT: in a session, on the disks a.img and b.img.
play() {
	"$DMUSE" exec --disk vda=a.img --disk vdb=b.img -- \
		sh -c 'A=/dev/vda B=/dev/vdb; mkdir seen && cd seen && . "$0/words.sh" && . "$0/$1"' "$kernel" "$1" 2>&1 | grep -v '^dmuse: '
	rm -rf seen
}

same() {
	section "$2" | grep -v '^[AB]: ' >wanted
	sed -i '/^[AB]: /d' got
	diff wanted got >differences
	is "$1" "" "$(head -n 20 differences)"
}

lack=$(session_lacks)
if [ -n "$lack" ]; then
	skip "volumes of Linux" "$lack"
	plan
	exit
fi
cd "$work" || exit 1
truncate -s 16M a.img b.img
disk 1 >linux-a.img
disk 2 >linux-b.img
play volumes-make.sh >got
same "what is made here shows what Linux shows" MAKE
is "each byte of the origin and of the legs is the same" "" "$(cmp a.img linux-a.img 2>&1)"
# Of the many chunks of the store with chunks of one sector that one write needs, none is the first.
is "and each byte of the other disk, but for the order of chunks in one store" "" \
	"$(cmp -l b.img linux-b.img | awk '{ s = int(($1 - 1) / 512) } s < 2080 || s >= 2592 { print s, $2, $3 }' | head -n 5)"
play volumes-look.sh >got
same "it is opened again, and shows the same" LOOK
mv linux-a.img a.img
mv linux-b.img b.img
play volumes-look.sh >got
same "what Linux has made is opened here, with all that is in it" LOOK

recorded=arrays
truncate -s 0 a.img b.img
truncate -s 16M a.img b.img
disk 1 >linux-a.img
disk 2 >linux-b.img
play arrays-make.sh >got
same "arrays: what is made here shows what Linux shows" MAKE
# For each metadata device the number of its first byte. Not determined: counts of events, and what is behind the bits of 32 regions.
is "arrays: each byte of data and metadata is the same" "" "$(for d in a b; do
	cmp -l $d.img linux-$d.img | awk -v d=$d '
		{ at = ($1 - 1) % 4194304 }
		at >= 16 && at < 24 || at >= 4096 + 24 && at < 4096 + 40 || at >= 4096 + 260 && at < 8192 { next }
		{ print d, $1 - 1, $2, $3 }' | head -n 5
done)"
play arrays-look.sh >got
same "arrays: they are opened again, and show the same" LOOK
mv linux-a.img a.img
mv linux-b.img b.img
play arrays-look.sh >got
same "arrays: what Linux has made is opened here, with all that is in it" LOOK
plan
