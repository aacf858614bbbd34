#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `cryptsetup reencrypt` that is killed after it has written this much, and resumed: nothing of the data is lost. Online and
# offline; what is killed is cryptsetup, or the daemon under it.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

cat >"$work/words" <<'S'
quick='--pbkdf pbkdf2 --pbkdf-force-iterations 1000'
key='--key-file one'
# In the volume: numbers, to its end.
fill() { seq 1 9000000 | head -c "$(blockdev --getsize64 /dev/mapper/v)" | dd of=/dev/mapper/v bs=64K iflag=fullblock conv=fsync status=none; }
check() { seq 1 9000000 | cmp -n "$(blockdev --getsize64 /dev/mapper/v)" - /dev/mapper/v; }
# The sectors that were written to the disk so far.
written() { awk '{ print $7 }' /sys/class/block/c/stat; }
# killed SECTORS WORDS...: cryptsetup, killed when so much was written, or at its end.
killed() {
	most=$(($(written) + $1))
	shift
	cryptsetup "$@" >said 2>&1 &
	pid=$!
	while [ -e /proc/$pid/exe ] && [ "$(written)" -lt $most ]; do :; done
	kill -9 $pid 2>/dev/null || :
	wait $pid 2>/dev/null && ended=0 || ended=$?
	echo "ended: $ended"
}
# What cryptsetup was killed in the middle of is left suspended, or with half of its devices: as after a reboot, they are gone.
# One that had no table yet is of no length, so it cannot get an error table either, here or on Linux.
reboot() {
	dmsetup ls | grep -v '^No devices' | while read -r name rest; do
		[ -z "$(dmsetup table "$name")" ] || dmsetup wipe_table --noflush "$name"
	done
	dmsetup remove_all --force
}
# The journal or the checksums of the zone that was being encrypted say what became of it; then the rest.
go_on() {
	! cryptsetup luksDump /dev/c | grep -q 'Requirements:.*online-reencrypt' || {
		cryptsetup repair -q $key /dev/c >said 2>&1 || cat said
		cryptsetup reencrypt -q $key --resume-only "$@" >said 2>&1 || cat said
		return
	}
	cryptsetup reencrypt -q $key $quick /dev/c >said 2>&1 || cat said
}
resilience="--resilience ${resilience-checksum} --hotzone-size 1M"
S

new_volume() {
	rm -f c.img
	truncate -s 32M c.img
	printf one >one
	resilience=$1 run exec --disk c=c.img -- sh -euc '. "$0"
		cryptsetup luksFormat -q --type luks2 $quick --luks2-keyslots-size 4M /dev/c one
		cryptsetup open $key /dev/c v
		fill
		cryptsetup close v' "$work/words"
	is "$who: a volume ($1)" "0:" "$status:$err"
}

# resumed WHAT SCRIPT: the script, and then the data are whole, with another key than before.
resumed() {
	resilience=$resilience run exec --disk c=c.img -- timeout 100 sh -euc '. "$0"
		'"$2"'
		[ ! -e /dev/mapper/v ] || cryptsetup close v
		! cryptsetup luksDump /dev/c | grep -q "Requirements:.*online-reencrypt"
		cryptsetup open $key /dev/c v
		check
		cryptsetup close v
		dmsetup ls' "$work/words"
	like "$who: $1 after $target sectors ($resilience)" "^0:.*No devices found" "$status:$(tr '\n' ' ' <<<"$out$err")"
}

cryptsetup_killed() {
	for resilience in checksum journal; do
		for target in 1 2500 20000; do
			new_volume $resilience
			resumed "offline" '
				killed '$target' reencrypt -q $key $quick $resilience /dev/c
				reboot
				go_on /dev/c'
			new_volume $resilience
			resumed "online" '
				cryptsetup open $key /dev/c v
				killed '$target' reencrypt -q $key $quick $resilience --active-name v
				reboot
				cryptsetup repair -q $key /dev/c >said 2>&1 || cat said
				cryptsetup open $key /dev/c v
				check
				go_on --active-name v
				[ ! -e /dev/mapper/v ] || check'
		done
	done
}

# The daemon, which serves the disk, with all that it had in its memory.
daemon_killed() {
	local pid job
	resilience=checksum
	for target in 2000 20000; do
		"$DMUSE" daemon >/dev/null 2>&1
		"$DMUSE" shutdown >/dev/null 2>&1	# with what the daemon that was killed before has left
		new_volume checksum
		"$DMUSE" daemon >/dev/null 2>&1
		pid=$("$DMUSE" version --no-start | sed -n 's/^Daemon: *running, pid //p')
		is "$who: a daemon" 1 "$([ -n "$pid" ] && echo 1)"
		resilience=checksum "$DMUSE" exec --disk c=c.img -- sh -euc '. "$0"
			cryptsetup open $key /dev/c v
			echo >opened
			cryptsetup reencrypt -q $key $quick $resilience --active-name v' "$work/words" >/dev/null 2>&1 &
		job=$!
		until_true opened $job
		until_true has_written_or_ends "$pid" $(($(written_by "$pid") + target * 512)) $job
		ok "$who: it was opened, and reencrypted" test -e opened
		kill_for_good "$pid"
		wait $job 2>/dev/null
		rm -f opened
		resumed "online, the daemon killed" '
			reboot
			go_on /dev/c'
	done
}

# Bytes that a process has written to files and sockets.
written_by() { sed -n 's/^wchar: //p' "/proc/$1/io"; }
opened() { [ -e opened ] || ! jobs -pr | grep -qx "$1"; }
# has_written_or_ends DAEMON BYTES JOB: the rest may be less.
has_written_or_ends() { ! jobs -pr | grep -qx "$3" || [ ! -e "/proc/$1/io" ] || [ "$(written_by "$1")" -ge "$2" ]; }

if [ -x /sbin/cryptsetup ]; then
	session_test cryptsetup_killed daemon_killed
else
	skip "cryptsetup" "it is not installed"
	plan
fi
