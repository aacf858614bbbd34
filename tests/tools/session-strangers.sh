#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Another user's programs in a session, and programs without capabilities: they get no device that the kernel would not
# give them. Everything they try was shown to work with the rights.
# shellcheck disable=SC2016	# scripts for shells inside
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"
PATH=$PATH:/usr/sbin:/sbin

# inside SCRIPT: its output in a session with a device that contains "secret". $NUMBER is the device's.
inside() {
	"$DMUSE" exec --create "d=0 2048 linear $PWD/disk.img 0" -- bash -c 'as_stranger() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
		reads() { head -c 6 "$1" 2>/dev/null | grep -q secret && echo read || echo refused; }
		controls() { dmsetup "$@" >/dev/null 2>&1 && echo done || echo refused; }
		export -f reads controls
		NUMBER=$(dmsetup info -c --noheadings -o minor d)
		'"$1" 2>&1
}

image() {
	truncate -s 1M disk.img
	printf secret | dd of=disk.img conv=notrunc status=none
}

# The right to control is checked at each ioctl.
capabilities() {
	image
	is "$who: without CAP_SYS_ADMIN the control node opens, and controls nothing" "opened refused refused" "$(inside '
		setpriv --bounding-set -all --inh-caps -all bash -c "exec 3<>/dev/mapper/control && echo opened
			controls ls; controls create x --table \"0 8 zero\""' | paste -sd ' ')"
	is "$who: with it, it does" "done" "$(inside 'controls ls')"
	is "$who: root of a user namespace of his own has none" refused "$(inside 'unshare -Ur bash -c "controls ls"')"
	like "$who: what is said" "Permission denied" "$(inside 'unshare -Ur dmsetup ls')"
}

# What each new program of the session has to lock.
locks() {
	[ "$who" = root ] || return
	image
	is "a stranger cannot lock what others wait for" "refused" "$(inside '"$DMUSE" exec true
		as_stranger flock -n /dev/.dmuse/run/lvm.lock true 2>/dev/null && echo locked || echo refused')"
	is "and a directory that he has locked is nothing that they wait for" "went on" "$(inside '
		as_stranger flock /dev/.dmuse/run/lvm bash -c "touch /dev/shm/locked.$$; read -r _" < <(until [ -e enough ]; do sleep 0.02; done) & 
		until [ -e /dev/shm/locked.$$ ]; do sleep 0.02; done; rm -f /dev/shm/locked.$$
		timeout 30 "$DMUSE" exec -- echo went on; touch enough; wait')"
	rm -f enough
}

places() {
	[ "$who" = root ] || return
	image
	is "a node in a directory of one's own" "read read" "$(inside 'own=$(mktemp -d /dev/shm/own-XXXXXX); trap "rm -r $own" EXIT
		mount -t tmpfs none $own
		mknod -m 0666 $own/d b 252 "$NUMBER"; reads $own/d; as_stranger bash -c "reads $own/d"
		umount $own' | paste -sd ' ')"
	is "a stranger: a device that is root's, and one that was given him" "refused read" "$(inside '
		as_stranger bash -c "reads /dev/mapper/d"; chmod 0666 /dev/mapper/d; as_stranger bash -c "reads /dev/mapper/d"' | paste -sd ' ')"
	is "a directory that he may not search" "read refused refused refused" "$(inside 'mkdir -m 0700 closed; mount -t tmpfs -o mode=0700 none closed
		mknod -m 0666 closed/d b 252 "$NUMBER"; mknod -m 0666 closed/control c 10 236; reads closed/d
		as_stranger bash -c "reads closed/d; exec 2>/dev/null 3<closed/control || echo refused"
		cd closed; as_stranger bash -c "reads ./d"; cd ..; umount closed' | sed 's/^[^r].*//;/^$/d' | paste -sd ' ')"
	is "a mount with nodev" "refused refused" "$(inside 'mkdir nodev; mount -t tmpfs -o nodev none nodev; mknod -m 0666 nodev/d b 252 "$NUMBER"
		reads nodev/d; as_stranger bash -c "reads nodev/d"; umount nodev' | paste -sd ' ')"
	is "mount(2) of a node there" refused "$(inside 'mkfs.ext2 -qF /dev/mapper/d; mkdir -p nodev m; mount -t tmpfs -o nodev none nodev
		mknod -m 0666 nodev/d b 252 "$NUMBER"; mount -t ext2 nodev/d m 2>/dev/null && echo mounted || echo refused; umount nodev')"
	rm -rf closed nodev m
}

# The other user's own file server, which shows nodes with our numbers: they are in an ext2 image.
servers() {
	[ "$who" = root ] || return
	if ! command -v fuse2fs >/dev/null || ! command -v fusermount3 >/dev/null; then
		skip "a stranger's file server" "fuse2fs or fusermount3 is not installed"
		return
	fi
	image
	theirs=$(TMPDIR=/tmp mktemp -d -t session-stranger-XXXXXX)
	mkdir "$theirs/m"
	mknod -m 0666 "$theirs/fuse" c 10 229
	echo user_allow_other >"$theirs/fuse.conf"
	truncate -s 2M "$theirs/image"
	mkfs.ext2 -qF "$theirs/image"
	for word in "mknod control c 10 236" "mknod d0 b 252 0" "mknod d1 b 252 1" "sif control mode 020666" "sif d0 mode 060666" "sif d1 mode 060666"; do
		debugfs -w -R "$word" "$theirs/image" >/dev/null 2>&1
	done
	chown -R 65534:65534 "$theirs"
	chmod 0755 "$theirs"
	is "a stranger's file server shows nodes, and they are none" "b:fc c:a refused refused refused refused" "$(THEIRS=$theirs inside '
		mount --bind "$THEIRS/fuse" /dev/fuse; [ ! -e /etc/fuse.conf ] || mount --bind "$THEIRS/fuse.conf" /etc/fuse.conf
		cd "$THEIRS" && as_stranger fuse2fs -o allow_other,fakeroot "$THEIRS/image" "$THEIRS/m" >/dev/null 2>&1
		stat -c %F:%t "m/d$NUMBER" m/control | sed "s/lock special file//;s/haracter special file//"
		reads "m/d$NUMBER"; as_stranger bash -c "reads m/d$NUMBER; exec 2>/dev/null 3<>m/control || echo refused"
		bash -c "exec 2>/dev/null 3<>m/control" || echo refused
		umount m; cd /' | sed '/^bash:/d' | paste -sd ' ')"
	rm -rf "${theirs:?}"
}

session_test capabilities locks places servers
