#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# /proc and /sys for the devices of a session, by whatever path, and that the kernel considers neither /proc nor /sys
# partly covered: as root, and as an ordinary user.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

# inside SCRIPT: in a session with a device d of 20 MiB (dm-0, or dm-1) and a disk sdx of 4 MiB.
inside() {
	[ -e disk ] || truncate -s 4M disk
	"$DMUSE" exec --create 'd=0 40960 zero' --disk sdx=disk -- bash -c "$1" 2>&1
}
in_session() {
	is "$who: $1" "$2" "$(inside "$3")"
}

majors() {
	cat /proc/devices >machine
	in_session "/proc/devices has all three majors" " 98 ubd| 99 blkext|252 device-mapper" \
		"sed -n '/^Block/,\$p' /proc/devices | grep -E ' 98 ubd| 99 blkext|device-mapper' | paste -sd '|'"
	in_session "it says the rest as the machine does" "" "grep -v -e ' ubd\$' -e ' 99 blkext\$' -e ' device-mapper\$' /proc/devices |
		diff - <(grep -v ' device-mapper\$' machine)"
	in_session "by other paths it says the same" "yes yes yes yes yes" "ln -s /proc/devices a-link; cd /proc; python3 -c '
import os
root = os.open(\"/\", os.O_RDONLY)
ways = [(\"/proc/self/../devices\", None), (\"proc//devices\", root), (\"devices\", None), (\"$PWD/a-link\", None), (\"self/root/proc/devices\", None)]
print(*[\"yes\" if b\"device-mapper\" in os.read(os.open(w, os.O_RDONLY, dir_fd=d), 65536) else w for w, d in ways])'"
	in_session "what the kernel refuses stays refused" "40" "python3 -c '
import os
try:
    os.open(\"$PWD/a-link\", os.O_RDONLY | os.O_NOFOLLOW)
except OSError as e:
    print(e.errno)'"
	in_session "nothing is mounted on /proc" 0 "grep -c ' /proc/devices ' /proc/self/mountinfo"
}

# The columns are tested by tests/kernel/scenarios/proc-disks.sh.
disks() {
	in_session "/proc/partitions has the device and the disk" "20480 dm|4096 sdx" \
		"awk '\$1 == 252 || \$1 == 98 { print \$3, \$4 }' /proc/partitions | sed 's/-.*//' | paste -sd '|'"
	in_session "/proc/diskstats counts what is read and written" "2 256 3 24" "dd if=/dev/mapper/d of=/dev/null bs=64K count=2 iflag=direct status=none
		dd if=/dev/zero of=/dev/mapper/d bs=4K count=3 oflag=direct status=none; awk '\$1 == 252 { print \$4, \$6, \$8, \$10 }' /proc/diskstats"
	in_session "it says what the device's stat in /sys says" same \
		"diff <(sed -n 's/.* dm-[0-9]* //p' /proc/diskstats) <(xargs </sys/class/block/dm-?/stat) && echo same"
	# Except loop devices: concurrent tests attach and detach them.
	is "$who: the machine's disks are there as ever" "" "$(comm -23 <(awk 'NR > 2 && $4 !~ /^(dm-|loop)/ { print $4 }' /proc/partitions | sort) \
		<(inside "awk 'NR > 2 { print \$4 }' /proc/partitions" | sort))"
}

# A namespace of one's own in a session, with a /proc of its own. Its root has no rights on the device-mapper, as in the
# kernel.
namespaces() {
	if unshare -Urpf --mount-proc true 2>/dev/null; then
		in_session "unshare --mount-proc" "1 yes d denied" "unshare -Urpf --mount-proc sh -c 'echo \$(ls -d /proc/[0-9]* | grep -c proc/1\$) \
			\$(grep -q device-mapper /proc/devices && echo yes) \$(ls -I control /dev/mapper) \$(dmsetup ls 2>&1 | grep -o denied)'"
	else
		skip "$who: unshare --mount-proc" "the machine's own /proc hides something"
	fi
	if ! command -v bwrap >/dev/null; then
		skip "$who: bwrap" "there is no bwrap (package bubblewrap)"
	elif bwrap --unshare-all --dev-bind / / --proc /proc true 2>/dev/null; then
		in_session "bwrap with a /proc of its own" "yes d denied" "bwrap --unshare-all --dev-bind / / --proc /proc sh -c '
			echo \$(grep -q device-mapper /proc/devices && echo yes) \$(ls -I control /dev/mapper) \$(dmsetup ls 2>&1 | grep -o denied)'"
	else
		skip "$who: bwrap" "the machine's own /proc hides something"
	fi
}

# With the machine's /sys as the only one, because any other would be enough for the kernel.
sysfs() {
	local alone="findmnt -nro TARGET -t sysfs | grep -v '^/sys\$' | tac | xargs -r -n 1 umount -R; mkdir m"
	[ "$who" = root ] || return
	if unshare -m sh -c "$alone; unshare -Urmn mount -t sysfs none m" 2>/dev/null; then
		rmdir m
		is "root: mount -t sysfs in a namespace of one's own" "block yes" "$(unshare -m sh -c "$alone; exec \"\$@\"" sh "$DMUSE" exec -- \
			unshare -Urmn sh -c 'mount -t sysfs none m && ls -d m/block | sed s,.*/,, && ls m/block/dm-? >/dev/null 2>&1 || echo yes' 2>&1 | paste -sd ' ')"
	else
		skip "root: mount -t sysfs" "the machine's own /sys hides something"
	fi
}

links() {
	in_session "links by number" "../dm ../sdx" 'echo $(readlink /dev/block/$(stat -c %Hr:%Lr /dev/mapper/d) /dev/block/98:0 | sed "s/-.*//")'
}

# The machine's links by number: existing ones, added and removed ones.
numbers() {
	local number=9999:$$
	[ "$who" = root ] || return
	export DMUSE_SOCKET=$PWD/d/control
	mkdir -p /dev/block && ln -s ../null "/dev/block/$number"
	"$DMUSE" daemon
	is "root: the machine's links by number" ../null "$("$DMUSE" exec -- readlink "/dev/block/$number")"
	rm "/dev/block/$number"
	ok "root: go when they go" until_true "$DMUSE" exec -- test ! -L "/dev/block/$number"
	ln -s ../zero "/dev/block/$number"
	ok "root: and come when they come" until_true "$DMUSE" exec -- test -L "/dev/block/$number"
	rm "/dev/block/$number"
	rmdir --ignore-fail-on-non-empty /dev/block
	"$DMUSE" shutdown
	unset DMUSE_SOCKET
}

session_test majors disks namespaces sysfs links numbers
