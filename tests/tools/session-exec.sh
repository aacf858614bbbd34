#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# dmuse exec: a program in a session runs, is signalled and ends as if it had been started directly.
# shellcheck disable=SC2046,SC2116	# several lines of words are joined
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

ends() {
	is "$who: $1" "$2:$3" "$("$DMUSE" exec "${@:4}" 2>/dev/null; echo "$?:$([ -e core ] && echo core)")"
}

status() {
	ends "exit status 0" 0 "" -- true
	ends "exit status 3" 3 "" -- sh -c 'exit 3'
	ends "a signal" 143 "" -- sh -c 'kill -TERM $$'
	ends "a signal that dumps core, once" 139 "" -- sh -c 'ulimit -c 0; kill -SEGV $$'
	refuses "$who: no such program" 127 "nosuch: No such file" exec -- nosuch
	refuses "$who: a file that is no program" 126 "/etc/passwd: Permission denied" exec -- /etc/passwd
	refuses "$who: no program at all" 125 "which program" exec
	refuses "$who: an unknown option" 125 "unknown option '--nosuch'" exec --nosuch true
	refuses "$who: words of a shell" 125 "unexpected word 'ls'" shell ls
	ends "a program's options are its own" 0 "" sh -c 'test "$1" = --version' x --version
	python3 -c 'import subprocess, sys; print(subprocess.run(sys.argv[1:]).returncode)' \
		"$DMUSE" exec -- sh -c 'kill -USR1 $$' >code
	is "$who: it is really killed by that signal" -10 "$(cat code)"
}

surroundings() {
	mkdir 'a b'
	is "$who: the directory" "$PWD/a b" "$(cd 'a b' && "$DMUSE" exec -- pwd)"
	mkdir gone
	like "$who: a directory that is gone" "dmuse: exec: .*directory" \
		"$(cd gone && rmdir ../gone && "$DMUSE" exec -- true 2>&1; echo "$?:")"
	is "$who: words" "a b||c" "$("$DMUSE" exec -- sh -c 'printf "%s|%s|%s" "$@"' x 'a b' '' c)"
	is "$who: stdin and stdout" "text" "$(echo text | "$DMUSE" exec -- cat)"
	echo seven >file
	is "$who: descriptors" seven "$("$DMUSE" exec -- sh -c 'cat <&7' 7<file)"
	is "$who: streams that are closed" "closed 7" "$(echo $("$DMUSE" exec -- sh -c '[ -e /proc/$$/fd/0 ] || echo closed; exit 7' <&- 2>&-; echo $?))"
	is "$who: a caller who ignores its children" "ignored 3" "$(echo $(python3 -c '
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])' "$DMUSE" exec -- python3 -c '
import os, signal
print("ignored" if signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN else "not", flush=True)
os._exit(3)'; echo $?))"
	is "$who: no descriptor of ours, beside the directory that ls reads" "0 1 2 3" "$("$DMUSE" exec -- ls /proc/self/fd | paste -sd " ")"
	is "$who: the environment" "x y" "$(A='x y' "$DMUSE" exec -- sh -c 'echo "$A"')"
	is "$who: LVM's directory of one's own choice" /here "$(LVM_SYSTEM_DIR=/here "$DMUSE" exec -- sh -c 'echo $LVM_SYSTEM_DIR')"
	is "$who: no signal is blocked or ignored" "$(grep -E 'Sig(Blk|Ign)' /proc/self/status)" \
		"$("$DMUSE" exec -- grep -E 'Sig(Blk|Ign)' /proc/self/status)"
	is "$who: root inside" 0 "$("$DMUSE" exec -- id -u)"
	like "$who: system programs are found" sbin/dmsetup "$(PATH=/usr/bin:/bin "$DMUSE" exec -- sh -c 'command -v dmsetup')"
	is "$who: new terminals" True "$("$DMUSE" exec -- python3 -c 'import os, pty; print(os.isatty(pty.openpty()[1]))' 2>&1 | tail -1)"
	is "$who: find(1) sees the machine's devices for what they are" /dev/null "$("$DMUSE" exec -- find /dev -maxdepth 1 -type c -name null)"
	SHELL=/bin/sh "$DMUSE" shell <<<'ls /dev/mapper >out; exit 4'
	is "$who: a shell" "4:control" "$?:$(cat out)"
}

# Signals to us reach the program, once it has printed that it is ready.
signals() {
	local pid
	mkfifo never
	"$DMUSE" exec -- bash -c 'trap "echo usr1 >>out" USR1; trap "echo term >>out; exit 9" TERM; >ready
		exec 3<>never; while :; do read -u 3 -t 1 x; done' & pid=$!
	until_true test -e ready
	kill -USR1 $pid
	until_true grep -q usr1 out
	kill -TERM $pid
	wait $pid
	is "$who: USR1 and TERM are passed on" "9:usr1 term" "$?:$(tr '\n' ' ' <out | sed 's/ $//')"
	"$DMUSE" exec -- sleep 1000 & pid=$!
	until_true pgrep -P $pid sleep >/dev/null
	kill -STOP "$(pgrep -P $pid sleep)"
	ok "$who: it stops when the program stops" until_true grep -q '^State:.T' /proc/$pid/status
	kill -CONT $pid
	ok "$who: and goes on with it" until_true eval 'grep -q "^State:.S" /proc/$(pgrep -P '$pid' sleep)/status'
	kill -KILL $pid
	wait $pid 2>/dev/null
	is "$who: killed" 137 $?
	ok "$who: the program is killed with it, and nothing is left" until_true eval '[ -z "$(session_traces)" ]'
}

# What is added to the machine's /dev later, and removed.
machine() {
	local node=/dev/dmuse-test-$$
	[ "$who" = root ] || return
	export DMUSE_SOCKET=$PWD/d/control
	"$DMUSE" daemon
	"$DMUSE" exec -- true
	mknod "$node" c 1 3
	ok "root: a node of the machine's that came later" until_true "$DMUSE" exec -- test -c "$node"
	rm "$node"
	ok "root: goes, too" until_true "$DMUSE" exec -- test ! -e "$node"
	is "root: the machine's /dev is seen inside" "" "$(comm -3 <(ls -I mapper -I block -I 'dm-*' /dev) <("$DMUSE" exec -- ls -I mapper -I block -I 'dm-*' /dev))"
	is "root: and its /sys/block" "" "$(comm -3 <(ls -I 'dm-*' /sys/block /sys/dev/block) \
		<("$DMUSE" exec -- ls -I 'dm-*' /sys/block /sys/dev/block))"
	"$DMUSE" shutdown
	unset DMUSE_SOCKET
}

# With a daemon: all sessions see the same.
shared() {
	export DMUSE_SOCKET=$PWD/d/control
	works "$who: a daemon" daemon
	works "$who: a device from inside" exec -- dmsetup create empty --table "0 8 error"
	works "$who: and one from outside" create z --table '0 8 zero'
	is "$who: are seen inside" "empty z " "$("$DMUSE" exec -- dmsetup ls | cut -f1 | sort | tr '\n' ' ')"
	is "$who: and outside" "empty z " "$("$DMUSE" ls | cut -f1 | sort | tr '\n' ' ')"
	"$DMUSE" exec -- ln -s mapper/z /dev/alias
	is "$who: so is what programs make in /dev" mapper/z "$("$DMUSE" exec -- readlink /dev/alias)"
	is "$who: the daemon's own socket inside" "z" "$("$DMUSE" exec -- "$DMUSE" ls | grep -o z)"
	is "$who: a session in a session" "control z " "$("$DMUSE" exec -- "$DMUSE" exec -- ls /dev/mapper | grep -v empty | tr '\n' ' ')"
	is "$who: even if its environment is forgotten" "z" \
		"$("$DMUSE" exec -- env -i "$DMUSE" exec --socket "$DMUSE_SOCKET" -- ls /dev/mapper | grep z)"
	like "$who: but not in another daemon's" "125:dmuse: exec: already in a session of another daemon" \
		"$("$DMUSE" exec -- env -u DMUSE_SOCKET XDG_RUNTIME_DIR="$work/none" "$DMUSE" exec -- true 2>&1 |
			sed "s/^/125:/")"
	mkfifo go
	"$DMUSE" exec -- sh -c '(>started; read x <go; dmsetup ls >late 2>&1) >/dev/null 2>&1 &' "left by $$"
	ok "$who: a program that is left behind keeps nobody waiting" test ! -e late
	echo >go
	ok "$who: and still is in the session" until_true grep -q z late || cat late
	ok "$who: its supervisor goes with it" until_true eval '! pgrep -f "exec -- sh -c .*left by $$" >/dev/null'
	holder=$(session_holder)
	kill -KILL "$holder"
	until_true eval '! grep -qs "^State:.[^Z]" "/proc/$holder/status"'
	is "$who: when the holder is killed there is a new one" "z" "$("$DMUSE" exec -- ls /dev/mapper | grep z)"
	if [ "$who" = root ]; then
		like "root: not from another mount namespace" "another mount namespace.*125" \
			"$(echo $(unshare -m "$DMUSE" exec -- true 2>&1; echo $?))"
	fi
	works "$who: the end" shutdown
	ok "$who: nothing is left" until_true eval '[ -z "$(session_traces)" ]'
	unset DMUSE_SOCKET
}

private() {
	local pid
	is "$who: without a daemon there is a private one" "Driver version" "$("$DMUSE" exec -- dmsetup version | grep -o 'Driver version')"
	is "$who: that is gone afterwards" "" "$(session_traces)"
	is "$who: one does not know of the other" control \
		"$("$DMUSE" exec --create 'z=0 8 zero' -- "$(which env)" -i "$DMUSE" --help >/dev/null; "$DMUSE" exec -- ls /dev/mapper)"
	truncate -s 1M f
	"$DMUSE" exec --create 'l=0 2048 linear f 0' -- sh -c 'echo written | dd of=/dev/mapper/l conv=notrunc status=none'
	is "$who: what was written is there" written "$(head -c 7 f)"
	"$DMUSE" exec -- sh -c 'echo $$ >pid; exec sleep 1000' & pid=$!
	until_true test -s pid
	kill -KILL $pid
	wait $pid 2>/dev/null
	ok "$who: it ends with us even if we are killed" until_true eval '[ -z "$(session_traces)" ]'
	refuses "$who: not if starting a daemon is forbidden" 125 "forbids" exec --no-start -- true
}

disks() {
	export DMUSE_SOCKET=$PWD/d/control
	truncate -s 4M a b
	works "$who: a daemon" daemon
	is "$who: disks" "98 0 4M disk|98 16 4M disk|" "$("$DMUSE" exec --disk x=a --disk y=b -- lsblk -nro MAJ:MIN,SIZE,TYPE \
		/dev/x /dev/y | tr ':' ' ' | tr '\n' '|')"
	is "$who: they go with the program" "" "$("$DMUSE" exec -- sh -c 'ls /dev/x /dev/y 2>/dev/null')"
	is "$who: a table on a disk, in one line" "0 100 linear 98:0 8" "$("$DMUSE" exec -v --create 'l=0 100 linear /dev/x 8' --disk x=a \
		-- dmsetup table l 2>err)"
	like "$who: that the disk stays with it is said" "dmuse: x: disk 'x' is in use .*stays" "$(cat err)"
	like "$who: one that is in use stays" /dev/x "$("$DMUSE" exec -- ls /dev/x)"
	"$DMUSE" exec -- dmsetup remove l
	refuses "$who: half a disk" 125 "NAME=FILE is wanted" exec --disk x -- true
	refuses "$who: a disk in the place of /dev/null" 125 "'null': /dev/null has another meaning" exec --disk null=a -- true
	refuses "$who: no file" 125 "'nofile' is neither" exec --disk y=b --disk x=nofile -- true
	refuses "$who: a bad table" 125 "unknown target 'nope'" exec --disk y=b --create 'c=0 8 nope' -- true
	is "$who: nothing was left of them" "x" "$("$DMUSE" exec -- sh -c 'ls -d /dev/[xyc]' | sed 's|/dev/||')"
	works "$who: the end" shutdown
	unset DMUSE_SOCKET
}

# If the supervisor of one program is killed, only that program is affected.
supervisor() {
	local pid
	export DMUSE_SOCKET=$PWD/d/control
	works "$who: a daemon" daemon
	"$DMUSE" exec -- sleep 1000 & pid=$!
	mkfifo go
	"$DMUSE" exec -- sh -c 'exec 3<>go; >ready; read x <&3; cat /etc/passwd; exit 5' >out 2>&1 & victim=$!
	until_true test -e ready
	kill -KILL "$(pgrep -P $victim dmuse-supervise)"
	echo >go
	wait $victim
	ok "$who: a program whose supervisor was killed does not hang" test $? != 0
	is "$who: others do not notice" 252 "$("$DMUSE" exec --create 'z=0 8 zero' -- stat -c %Hr /dev/mapper/z)"
	kill $pid
	wait $pid 2>/dev/null
	works "$who: the end" shutdown
	unset DMUSE_SOCKET
}

# The process that starts a session may be killed at any moment.
killed() {
	local i
	for i in {10..39}; do
		timeout -s KILL "0.0$i" "$DMUSE" exec -- sleep 1000
	done 2>/dev/null
	ok "$who: sessions whose callers are killed leave nothing" until_true eval '[ -z "$(session_traces)" ]'
}

# On a machine with much to do a program waits for long until the names of the disks are written for LVM. The daemon does not turn it away
# for its silence, as it does turn away the one that connects after it.
held_up() {
	local lock=/dev/.dmuse/run/lvm.lock holder program
	"$DMUSE" daemon --handshake-timeout 1
	"$DMUSE" exec -- flock $lock sh -c "stat -c %i $lock >held; until [ -e enough ]; do sleep 0.02; done" & holder=$!
	until_true [ -s held ]
	"$DMUSE" exec -- true & program=$!
	ok "$who: a program waits for the lock" until_true grep -q -- "-> FLOCK .*:$(cat held) " /proc/locks
	like "$who: who connects and is silent is turned away" "no message arrived within 1 second[^s]" "$(python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
print(s.makefile("rb").read())' "$XDG_RUNTIME_DIR/dmuse/control")"
	touch enough
	wait $holder $program
	is "$who: the program runs" 0 $?
	"$DMUSE" shutdown
	rm enough
}

# Concurrently, and one after another.
hundred() {
	local i failed=0 pids=()
	for i in {1..100}; do
		"$DMUSE" exec --create "z=0 8 zero" -- sh -c 'dd if=/dev/mapper/z of=/dev/null status=none' & pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i" || failed=$((failed + 1)); done
	is "$who: a hundred private sessions side by side" 0 $failed
	is "$who: leave nothing" "" "$(session_traces)"
	export DMUSE_SOCKET=$PWD/d/control
	"$DMUSE" daemon
	pids=()
	for i in {1..100}; do
		"$DMUSE" exec -- dmsetup create "z$i" --table '0 8 zero' & pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i" || failed=$((failed + 1)); done
	for i in {1..100}; do "$DMUSE" exec -- dmsetup remove "z$i" || failed=$((failed + 1)); done
	is "$who: a hundred of one daemon, then one after the other" "0:" "$failed:$("$DMUSE" ls | grep z)"
	"$DMUSE" shutdown
	ok "$who: leave nothing, too" until_true eval '[ -z "$(session_traces)" ]'
	unset DMUSE_SOCKET
}

session_test status surroundings signals machine shared private disks supervisor killed held_up hundred
