#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The daemon is killed and started again while programs use its devices: in a session, and in a directory of files. They
# notice a pause.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"
export NO_COLOR=1
here=$(cd "$(dirname "$0")" && pwd)
control=$XDG_RUNTIME_DIR/dmuse/control

times_ready() { grep -c ready "$work/ready"; }
more_ready() { [ "$(times_ready)" -gt "$1" ]; }
daemon_pid() { awk 'END { print $2 }' "$work/ready"; }

# The daemon's devices are a and b, and what TABLE... says; it is kept as by systemd (keeping.py), and started again however often it is killed.
start() {
	truncate -s 32M a.img b.img
	mkdir -p "${control%/*}"
	printf '%s,,,rw,0 65536 linear %s 0\n' a "$PWD/a.img" b "$PWD/b.img" >tables
	[ $# = 0 ] || printf '%s\n' "$@" >>tables
	: >"$work/ready"
	python3 "$here/keeping.py" "$DMUSE" daemon --foreground --tables tables --socket "$control" >"$work/ready" 2>log &
	keeping=$!
	until_true more_ready 0
	disk=dm-$("$DMUSE" info -c -o minor --noheadings a | tr -d ' ')
}

stop() {
	"$DMUSE" shutdown --no-start >/dev/null 2>&1
	wait "$keeping"
}

# open_count WHAT...: of these devices.
open_count() { "$DMUSE" info -c -o open --noheadings "$@" | tr -d ' ' | paste -sd ' '; }
closed() { [ "$(open_count a)" = 0 ]; }
mounted() { grep -q " $PWD/m " /proc/mounts; }

# Returns when the next daemon serves.
kill_daemon() {
	local before
	before=$(times_ready)
	kill -9 "$(daemon_pid)"
	until_true more_ready "$before" || { echo "# the daemon did not come back:"; tail -n 3 log | sed 's/^/# /'; return 1; }
}

kill_often() {
	local i
	for ((i = 0; i < $1; i++)); do
		sleep 0.05	# some requests are to be under way
		kill_daemon || return
	done
}

# A program in a session waits here until the daemon has been killed.
cat >"$work/pause" <<'EOS'
mkfifo "$1.go"
: >"$1.waits"
read -r _ <"$1.go"
EOS
killed_while_it_waits() {
	until_true [ -e "$1.waits" ]
	kill_daemon && kill_daemon && echo go >"$1.go"
}

verify() {
	fio --name=v --filename="$1" --direct="$2" --ioengine="$3" --iodepth=8 --rw=randrw --bsrange=4k-64k --size=24M --verify=crc32c \
		--verify_fatal=1 --verify_backlog=128 --time_based --runtime=4 --allow_file_create=0 "${@:4}" >"$PWD/fio.$2" 2>&1
}

a_directory_of_files() {
	start
	mkdir m
	if [ ! -w /dev/fuse ] || ! id -un >/dev/null 2>&1; then
		skip "$who: a directory of files" "fusermount3 wants a user with a name, and /dev/fuse is not to be root's alone"
		stop
		return
	fi
	works "$who: mount" mount "$PWD/m"
	exec 7<>m/a
	echo before >&7
	kill_daemon
	is "$who: an open file goes on: what was written" before "$(head -n 1 m/a)"
	echo after >&7
	is "$who: and what is written at its position" "before after" "$(head -n 2 m/a | paste -sd ' ')"
	is "$who: it counts as open" 1 "$(open_count a)"
	refuses "$who: and is in use" 1 "in use" umount "$PWD/m"
	exec 7>&-
	ok "$who: until it is closed" until_true closed
	verify m/a 1 libaio &
	local direct=$!
	verify m/b 0 psync &
	local cached=$!
	ok "$who: the daemon is killed 10 times" kill_often 10
	ok "$who: fio with O_DIRECT sees no error and its data" wait $direct
	ok "$who: fio through the page cache too" wait $cached
	is "$who: the list of mounts" "$PWD/m" "$("$DMUSE" mount)"
	mkdir l k
	works "$who: mount on another directory" mount "$PWD/l"
	works "$who: and a third one" mount "$PWD/k"
	kill_daemon
	is "$who: they are listed in the order in which they were made" "m l k" "$("$DMUSE" mount | xargs basename -a | paste -sd ' ')"
	works "$who: umount" umount "$PWD/l"
	works "$who: and umount" umount "$PWD/k"
	works "$who: umount" umount "$PWD/m"
	ok "$who: nothing is mounted" eval '! mounted'
	kill_daemon
	is "$who: nor is it by a later daemon" "" "$("$DMUSE" mount)"
	stop
	ok "$who: nobody complains" eval '! grep -E "cannot|lost" log'
}

a_session() {
	start
	cat >inside <<'EOS'
list() { find /dev /sys/block /sys/devices/virtual/block /dev/.dmuse/proc -xdev -printf '%p %i %m %U %G %y %l\n' | sort; }
mkdir /dev/dir
mkfifo /dev/dir/pipe
ln -s ../null /dev/dir/link
echo content >/dev/dir/file
seq 10000 >/dev/dir/long
chmod 600 /dev/mapper/a
exec 5<>/dev/dir/unlinked 6</sys/block/$3/size 7<>/dev/mapper/a 8>>/dev/dir/file
echo kept >&5
rm /dev/dir/unlinked
cd /sys/block/$3/queue
list >"$1/before"
bash "$2" "$1/pause"
list >"$1/after"
cat rotational
cat <&6
echo more >&8
cat /dev/dir/file
cat /dev/dir/pipe &
echo through >/dev/dir/pipe
wait
seq 10000 | cmp - /dev/dir/long && echo long
head -n 1 /dev/fd/5
echo written >&7
head -n 1 /dev/mapper/a
rm -r /dev/dir
mkdir /dev/dir /dev/dir/new
rmdir /dev/dir/new /dev/dir && echo removed
dmsetup info -c --noheadings -o name,open
EOS
	"$DMUSE" exec -- bash inside "$PWD" "$work/pause" "$disk" >out 2>&1 &
	local program=$!
	killed_while_it_waits pause
	wait $program
	is "$who: the program ends as it should" 0 $?
	is "$who: files in /dev and /sys are the same, by number, mode, owner and group" "" "$(diff before after)"
	is "$who: open files, directories and pipes go on" "0
65536
content
more
through
long
kept
written
removed
a:1
b:0" "$(cat out)"
	is "$who: nothing is left open" 0 "$(open_count a)"
	stop
	ok "$who: nobody complains" eval '! grep -E "cannot|lost" log'
}

waits_in() { grep -q "$1" "/proc/$2/wchan"; }

# What waits in the daemon when it is killed waits in the next one, and what shows a list goes on showing it.
who_waits() {
	start "c,,,rw,0 65536 powercut $PWD/b.img 0"
	cat >inside <<'EOS'
dmsetup wait c >waited 2>&1 &
echo $! >wait.pid
python3 - >polled 2>&1 <<'EOP' &
import os, select
p = select.poll()
p.register(os.open("/dev/mapper/control", os.O_RDWR), select.POLLIN)
print("event" if p.poll(60000) else "none")
EOP
echo $! >poll.pid
exec 5</proc/self/mountinfo
read -r first <&5
bash "$1" "$PWD/pause"
[ "$(head -n 1 /dev/fd/5)" = "$first" ] && echo mounts >mounts
dmsetup resume c		# powercut keeps its cache in memory only, so it came back suspended
dmsetup message c 0 cut
wait
EOS
	"$DMUSE" exec -- bash inside "$work/pause" &
	local program=$!
	until_true [ -e pause.waits ]
	ok "$who: one waits for an event" until_true waits_in request_wait_answer "$(cat wait.pid)"
	ok "$who: and one polls" until_true waits_in poll "$(cat poll.pid)"
	killed_while_it_waits pause
	ok "$who: all of them end" wait $program
	is "$who: who waits for an event hears of it" "" "$(cat waited)"
	is "$who: who polls is woken" event "$(cat polled)"
	is "$who: a list of mounts is read on" mounts "$(cat mounts)"
	stop
}

# The file system's writer counts up, and each number is durable before the next one is written.
cat >"$work/count.py" <<'EOS'
import os, sys
fd, n = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT | os.O_APPEND), 0
while not os.path.exists(sys.argv[2]):
    n += os.write(fd, b"%07d\n" % (n // 8))
    os.fsync(fd)
    if n == 8:
        open(sys.argv[2] + ".runs", "w").close()
print(n // 8)
EOS

a_file_system() {
	if [ "$who" != root ]; then
		skip "$who: a file system" "only root mounts one"
		return
	fi
	start
	mkdir fs
	cat >inside <<'EOS'
mkfs.ext4 -q /dev/mapper/a && mount /dev/mapper/a fs && python3 "$1" fs/count "$2" || exit 1
cp fs/count count
umount fs && e2fsck -fn /dev/mapper/a >fsck 2>&1 || exit 1
dmsetup info -c --noheadings -o open a
EOS
	"$DMUSE" exec -- bash inside "$work/count.py" "$PWD/stop" >out 2>&1 &
	local program=$!
	until_true [ -e stop.runs ]
	ok "$who: the daemon is killed 10 times under a file system" kill_often 10
	: >stop
	ok "$who: it goes on, and is whole" wait $program
	is "$who: all that was written is there" "" "$(seq -f %07g 0 $(($(head -n 1 out) - 1)) | cmp - count 2>&1)"
	is "$who: and the device is closed afterwards" 0 "$(tail -n 1 out)"
	stop
}

# Each of these may be carried out only once, whenever the daemon dies.
cat >"$work/once.py" <<'EOS'
import os, sys, threading, time
stop, problems = sys.argv[1], []
pause = lambda: time.sleep(0.005)	# there are others on this machine
open(sys.argv[3], "w").close()

def made(n):
    top = f"/dev/once{n}"
    while not os.path.exists(stop):
        os.mkdir(top)
        os.mknod(top + "/file")
        os.link(top + "/file", top + "/second")
        os.symlink("file", top + "/link")
        os.rename(top + "/link", top + "/other")
        with open(top + "/file", "w") as f:
            f.write("text")
        assert open(top + "/other").read() == "text"
        for name in "file", "second", "other":
            os.unlink(f"{top}/{name}")
        os.rmdir(top)
        pause()

def opened(name, flags):
    while not os.path.exists(stop):
        fd = os.open(name, flags)
        os.pread(fd, 512, 0)
        os.close(fd)
        pause()

def claimed(name):
    while not os.path.exists(stop):
        os.close(os.open(name, os.O_RDWR | os.O_EXCL))
        pause()

def watch(function, *words):
    try:
        function(*words)
    except BaseException as e:
        problems.append(f"{function.__name__}: {e!r}")

threads = [threading.Thread(target=watch, args=a) for a in
           ((made, 1), (made, 2), (opened, "/dev/mapper/a", os.O_RDWR), (opened, f"/sys/block/{sys.argv[2]}/stat", os.O_RDONLY), (claimed, "/dev/mapper/b"))]
for t in threads:
    t.start()
for t in threads:
    t.join()
print("\n".join(problems))
EOS

everything_once() {
	start
	"$DMUSE" exec -- python3 "$work/once.py" "$PWD/stop" "$disk" "$PWD/once.runs" >once 2>&1 &
	local once=$!
	cat >asks <<'EOS'
n=0
: >"$2"
while [ ! -e "$1" ]; do
	[ "$(dmsetup info -c --noheadings -o name | grep -xc '[ab]')" = 2 ] && dmsetup table a >/dev/null && dmsetup status b >/dev/null || exit 1
	n=$((n + 1))
done
[ $n -gt 0 ]
EOS
	"$DMUSE" exec -- bash asks "$PWD/stop" "$PWD/asks.runs" >asked 2>&1 &
	local asks=$!
	cat >makes <<'EOS'
n=0
: >"$2"
while [ ! -e "$1" ]; do
	dmsetup create "made$n" --table '0 8 zero' && dmsetup rename "made$n" "named$n" && dmsetup suspend "named$n" &&
		dmsetup resume "named$n" && [ "$(dmsetup message "named$n" 0 @stats_create - /1)" = 0 ] &&
		[ "$(dmsetup message "named$n" 0 @stats_create - /1)" = 1 ] && dmsetup remove "named$n" || { echo "with made$n"; exit 1; }
	n=$((n + 1))
done
EOS
	"$DMUSE" exec -- bash makes "$PWD/stop" "$PWD/makes.runs" >made 2>&1 &
	local makes=$!
	until_true [ -e once.runs ] && until_true [ -e asks.runs ] && until_true [ -e makes.runs ]
	local times=20
	[ "$who" = root ] || times=5
	ok "$who: the daemon is killed $times times" kill_often $times
	: >stop
	ok "$who: dmsetup has its answers all the time" wait $asks
	ok "$who: devices are made, renamed and removed once" wait $makes
	is "$who: and nobody is told otherwise" "" "$(cat made)"
	wait $once
	is "$who: what is made, renamed, removed, opened and claimed in /dev happens once" "" "$(cat once)"
	is "$who: nothing is left open" "0 0" "$(open_count)"
	sed 's/^/# /' asked
	stop
}

# Linux can send a request once more since 6.9.
if [ "$(printf '%s\n' 6.9 "$(uname -r)" | sort -V | head -n 1)" != 6.9 ]; then
	skip "a daemon that is killed and started again" "Linux $(uname -r) cannot send requests again"
	plan
	exit 0
fi
session_test a_directory_of_files a_session who_waits a_file_system everything_once
