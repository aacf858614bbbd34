#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# /proc/PID/mountinfo for a mounted device, as root: it has the device's own number, by whatever path it is opened, for
# every process as that one sees it; it can be read again and polled like the kernel's own.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"
export SESSION_ROOT_ONLY=1
tools=$root/tests/tools

# mounted SCRIPT: in a session in which device d, with a file system, is mounted on m. In it, "number of LIST" is the
# number in the mountinfo LIST, and D the right one.
mounted() {
	[ -e image ] || { truncate -s 16M image; mkfs.ext4 -qF image; mkdir m n; }
	"$DMUSE" exec --create "d=0 32768 linear $PWD/image 0" -- bash -c '
		number() { awk -v dir="$PWD/${2:-m}" "\$5 == dir { print \$3 }" "$1"; }
		export -f number
		D=$(stat -c %Hr:%Lr /dev/mapper/d)
		is_d() { [ "$1" = "$D" ] && echo -n "yes " || echo -n "[$1] "; }
		mount /dev/mapper/d m || exit
		'"$1"'
		umount -R m' 2>&1
}

numbers() {
	is "root: the number of a mounted device is its own" "yes yes yes yes yes yes yes yes " "$(mounted 'here=$PWD
		is_d $(number /proc/self/mountinfo)
		is_d $(number /proc/thread-self/mountinfo)
		is_d $(number /proc/$$/mountinfo)
		is_d $(number /proc/$$/task/$$/mountinfo)
		is_d $(number /proc/self/root/proc/self/mountinfo)
		ln -s /proc/self/mountinfo a-link; is_d $(number a-link)
		cat /proc/self/fd/0 <a-link >list; is_d $(number list)
		is_d $(cd /proc/self; awk -v dir="$here/m" "\$5 == dir { print \$3 }" mountinfo)')"
	is "root: of another mount namespace, as that sees it" "yes yes yes 0 " "$(mounted 'mkfifo go ready
		unshare -m bash -c "mount --bind m n; umount m; echo >ready; read x <go" & read x <ready
		is_d $(number /proc/$!/mountinfo n)
		is_d $(unshare -m bash -c "number /proc/self/mountinfo")
		is_d $(unshare -m bash -c "mount --bind m n; number /proc/self/mountinfo n")
		echo -n "$(number /proc/$!/mountinfo m | wc -l) "; echo >go; wait')"
	if unshare -Urpf --mount-proc true 2>/dev/null; then
		is "root: with a /proc of one's own" "yes yes yes " "$(mounted '
			is_d $(unshare -Urpf --mount-proc bash -c "number /proc/self/mountinfo")
			is_d $(unshare -Urpf --mount-proc bash -c "cat /proc/thread-self/mountinfo >list; number list")
			is_d $(unshare -Urpf --mount-proc bash -c "(cd /proc; cat self/mountinfo) >list; number list")')"
	else
		skip "root: with a /proc of one's own" "the machine's own /proc hides something"
	fi
	is "root: what the kernel refuses stays refused" "13 40 " "$(mounted 'python3 -c "
import os
os.symlink(\"/proc/self/mountinfo\", \"b-link\")
def refused(path, flags):
    if flags == os.O_RDWR:
        os.seteuid(61234)
    try:
        os.open(path, flags)
    except OSError as e:
        return e.errno
    finally:
        os.seteuid(0)
print(refused(\"/proc/self/mountinfo\", os.O_RDWR), refused(\"b-link\", os.O_RDONLY | os.O_NOFOLLOW), end=\" \")"')"
}

# Anybody may open our file, and tell it to read any descriptor: but it reads nothing else.
misuse() {
	mkdir k
	is "root: nothing else is read in its place" "22 22 9 25 True" "$("$DMUSE" exec -- python3 -c '
import fcntl, os, subprocess
MOUNTS = 0x40044405
ours = os.open("/dev/.dmuse/proc/mountinfo", os.O_RDONLY)
def take(fd):
    try:
        return fcntl.ioctl(ours, MOUNTS, fd.to_bytes(4, "little")) and 0
    except OSError as e:
        return e.errno
os.mkfifo("k/mountinfo")
plain, fifo, bad = os.open("/proc/self/status", os.O_RDONLY), os.open("k/mountinfo", os.O_RDWR), 999
said = [take(plain), take(fifo), take(bad)]
text = os.read(ours, 1 << 20)
print(*said, take(plain), b" / /dev " in text)' 2>&1)"
}

# A file of this name may be on a file system whose server waits for the daemon, or forever.
hung() {
	truncate -s 4M fs
	mkfs.ext4 -qF fs
	mkdir k
	is "root: a file system that does not answer holds up only whoever offers its file" "1 True 22" "$("$DMUSE" exec -- python3 -c '
import os, signal, subprocess, sys
NO_CAPS = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all", "--reuid", "61234", "--clear-groups"]
TAKE = """import fcntl, os, sys
ours = os.open("/dev/.dmuse/proc/mountinfo", os.O_RDONLY)
print("begun", flush=True)
try:
    print(fcntl.ioctl(ours, 0x40044405, int(sys.argv[1]).to_bytes(4, "little")) and 0)
except OSError as e:
    print(e.errno)"""
server = subprocess.Popen(["fuse2fs", "-f", "-o", "rw,allow_other", "fs", "k"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
while not os.path.ismount("k"):
    assert server.poll() is None
open("k/mountinfo", "w").close()
fd = os.open("k/mountinfo", os.O_RDONLY)
os.set_inheritable(fd, True)
def take(*before):
    p = subprocess.Popen([*before, sys.executable, "-c", TAKE, str(fd)], pass_fds=[fd], stdout=subprocess.PIPE, text=True)
    p.stdout.readline()
    return p
said = []
stranger, root = take(*NO_CAPS), None
said.append(stranger.communicate()[0].strip())
server.send_signal(signal.SIGSTOP)
os.waitid(os.P_PID, server.pid, os.WSTOPPED)
try:
    root = take()
    said.append(subprocess.Popen(["dmsetup", "ls"], stdout=subprocess.DEVNULL).wait(10) == 0)
finally:
    server.send_signal(signal.SIGCONT)
said.append(root.communicate()[0].strip())
os.close(fd)
subprocess.run(["umount", "k"])
server.wait(10)
print(*said)' 2>&1)"
}

# Outside it is the kernel's own.
lines() {
	local pid
	mkfifo go ready
	mounted 'cat /proc/self/mountinfo >inside; echo $$ >ready; read x <go' & read -r pid <ready
	cat "/proc/$pid/mountinfo" >outside
	echo >go
	wait
	is "root: all else is as the kernel says it" "$(sed 's/ 7:[0-9]* / 252:N /' outside)" "$(sed 's/ 252:[0-9]* / 252:N /' inside)"
}

tools() {
	is "root: findmnt, mountpoint, lsblk, df" "yes yes yes yes yes " "$(mounted '
		is_d $(findmnt -no MAJ:MIN m)
		is_d $(findmnt -no MAJ:MIN /dev/mapper/d)
		is_d $(mountpoint -d m)
		is_d $(lsblk -nro MAJ:MIN,MOUNTPOINT /dev/mapper/d | sed -n "s, $PWD/m,,p")
		[ $(df --output=target /dev/mapper/d | tail -1) = $PWD/m ] && is_d $D')"
	# findmnt 2.38 releases its table twice at the end of --poll, outside of sessions, too (valgrind says so); glibc aborts it if the
	# memory happens to lie so. With a freed counter that is not zero it does not free it again.
	is "root: findmnt --poll hears of a mount, with its number" "mount yes " "$(mounted '
		GLIBC_TUNABLES=glibc.malloc.tcache_count=0 MALLOC_PERTURB_=90 findmnt -no ACTION,MAJ:MIN --poll=mount --first-only $PWD/n >seen & pid=$!; end=$((SECONDS + 60))
		while kill -0 $pid 2>/dev/null && [ $SECONDS -lt $end ]; do mount /dev/mapper/d n; umount n; done
		read action number <seen; echo -n "$action "; is_d $number')"
}

changes() {
	mkdir p
	is "root: reading again, poll and epoll, as on the machine" "$(unshare -m python3 "$tools/mountinfo-poll.py" p 2>&1)" \
		"$("$DMUSE" exec -- python3 "$tools/mountinfo-poll.py" p 2>&1)"
}

session_test numbers misuse hung lines tools changes
