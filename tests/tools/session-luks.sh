#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# LUKS and plain volumes in sessions, by unmodified cryptsetup; and the keys are nowhere but in the daemon's memory.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

quick='--pbkdf pbkdf2 --pbkdf-force-iterations 1000'

new_image() {
	rm -f c.img
	truncate -s 48M c.img
	printf one >one
}

in_session() {
	run exec --disk c=c.img -- sh -euc "$2"
	is "$who: $1" "0:" "$status:$err"
}

# luks TYPE: from luksFormat to close.
luks() {
	local options=$quick
	[ "$1" != luks1 ] || options='--pbkdf-force-iterations 1000'
	new_image
	in_session "$1: luksFormat" "cryptsetup luksFormat -q --type $1 $options /dev/c one"
	in_session "$1: what is written is there the next time" 'cryptsetup open --key-file one /dev/c v
		seq 1 200000 | head -c 1048576 | dd of=/dev/mapper/v bs=64K conv=fsync iflag=fullblock status=none
		cryptsetup close v
		cryptsetup open --key-file one /dev/c v
		head -c 1048576 /dev/mapper/v | md5sum
		cryptsetup close v'
	is "$who: $1: and is the same" "$(seq 1 200000 | head -c 1048576 | md5sum)" "$out"
	is "$who: $1: and is not to be seen in the image" 0 "$(grep -c 199999 c.img)"
	in_session "$1: the key is in the table" 'cryptsetup open --key-file one /dev/c v
		cryptsetup status v
		cryptsetup close v'
	like "$who: $1: and not in the kernel" "key location: dm-crypt" "$out"
	in_session "$1: resize" 'cryptsetup open --key-file one /dev/c v
		cryptsetup resize --size 16384 --key-file one v
		blockdev --getsz /dev/mapper/v
		cryptsetup close v'
	is "$who: $1: its size" 16384 "$out"
	in_session "$1: luksSuspend and luksResume" 'cryptsetup open --key-file one /dev/c v
		cryptsetup luksSuspend v
		dmsetup table --showkeys v | cut -d " " -f 5 | tr -d "0\n"
		! dmsetup resume v 2>/dev/null
		cryptsetup luksResume --key-file one v
		head -c 1048576 /dev/mapper/v | md5sum
		cryptsetup close v'
	is "$who: $1: the key was gone meanwhile" "$(seq 1 200000 | head -c 1048576 | md5sum)" "$out"
}

both() {
	luks luks1
	luks luks2
}

# with_tags OPTIONS BYTE: what is changed at BYTE of the image, below, is not read.
with_tags() {
	new_image
	in_session "$1: luksFormat" "cryptsetup luksFormat -q --type luks2 $1 $quick /dev/c one >/dev/null 2>&1"
	in_session "$1: a file system" 'cryptsetup open --key-file one /dev/c v
		mkfs.ext4 -q /dev/mapper/v
		e2fsck -fn /dev/mapper/v >/dev/null 2>&1
		dd if=/dev/mapper/v of=/dev/null bs=64K status=none
		cryptsetup close v'
	printf 'not what was there' | dd of=c.img bs=1 seek=$((40 << 20)) conv=notrunc status=none
	in_session "$1: it was changed" 'cryptsetup open --key-file one /dev/c v
		dd if=/dev/mapper/v of=/dev/null bs=4K status=none 2>&1 | grep -c error
		cryptsetup close v'
	is "$who: $1: and cannot be read" 1 "$out"
}

# Before cryptsetup formats with an AEAD cipher, it asks the kernel (AF_ALG) whether there is one; it opens such volumes without asking.
tags() {
	with_tags '--integrity hmac-sha256'
	python3 -c 'import socket; socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)' 2>/dev/null || return 0
	with_tags '--cipher aes-gcm-random --integrity aead --sector-size 4096'
	with_tags '--cipher chacha20-random --integrity poly1305'
}

reencrypt() {
	new_image
	in_session "reencrypt while it is open" "cryptsetup luksFormat -q --type luks2 $quick /dev/c one
		cryptsetup open --key-file one /dev/c v
		dmsetup table --showkeys v | cut -d ' ' -f 5 >before
		seq 1 200000 | dd of=/dev/mapper/v bs=64K conv=fsync iflag=fullblock status=none
		cryptsetup reencrypt -q --key-file one $quick --active-name v
		dmsetup table --showkeys v | cut -d ' ' -f 5 >after
		! cmp -s before after
		seq 1 200000 | cmp -n 1000000 - /dev/mapper/v
		cryptsetup close v
		cryptsetup open --key-file one /dev/c v
		seq 1 200000 | cmp -n 1000000 - /dev/mapper/v
		cryptsetup close v"
}

plain() {
	new_image
	head -c 32 /dev/urandom >key
	in_session "plain" "cryptsetup open --type plain --key-file key --cipher aes-xts-plain64 --key-size 256 /dev/c v
		seq 1 1000 | dd of=/dev/mapper/v bs=4K conv=fsync status=none
		cryptsetup close v
		cryptsetup open --type plain --key-file key --cipher 'capi:xts(aes)-plain64' --key-size 256 /dev/c v
		seq 1 1000 | cmp -n 3000 - /dev/mapper/v
		cryptsetup close v"
}

# A program that asks for a passphrase on a terminal, and whether it shall go on.
cat >"$work/prompted" <<'P'
import os, pty, sys, termios
pid, fd = pty.fork()
if not pid:
    os.execvp(sys.argv[1], sys.argv[1:])
seen = b""
while True:
    try:
        more = os.read(fd, 4096)
    except OSError:
        break
    if not more:
        break
    seen += more
    if seen.endswith(b"assphrase: "):
        while termios.tcgetattr(fd)[3] & termios.ECHO:     # what is typed before that is thrown away
            os.sched_yield()
        os.write(fd, b"a phrase\n")
    elif seen.rstrip().endswith(b"(y/n)"):
        os.write(fd, b"y\n")
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
if status:
    sys.stderr.write(seen.decode())
sys.exit(status)
P

# tcplay makes the volumes; it chains three ciphers as three devices. cryptsetup reads headers of such chains only with AF_ALG.
truecrypt() {
	[ -x /sbin/tcplay ] || { skip "$who: TrueCrypt" "tcplay is not installed"; return; }
	for cipher in AES-256-XTS AES-256-XTS,TWOFISH-256-XTS,SERPENT-256-XTS; do
		new_image
		in_session "TrueCrypt: $cipher" "
			prompted='python3 $work/prompted'
			\$prompted tcplay --create --device=/dev/c --pbkdf-prf=SHA512 --cipher=$cipher --insecure-erase --weak-keys
			\$prompted tcplay --map=v --device=/dev/c
			seq 1 200000 | dd of=/dev/mapper/v bs=64K conv=fsync iflag=fullblock status=none
			tcplay --unmap=v
			if [ $cipher = AES-256-XTS ]; then
				printf 'a phrase' | cryptsetup open --type tcrypt --disable-veracrypt --hash sha512 --cipher aes /dev/c v
			else
				\$prompted tcplay --map=v --device=/dev/c
			fi
			seq 1 200000 | cmp -n 1000000 - /dev/mapper/v
			dmsetup remove v
			dmsetup ls | grep '^v' | cut -f 1 | xargs -r dmsetup remove"
	done
}

# bytes DIGITS: a pattern for them.
bytes() { fold -w 2 <<<"$1" | sed 's/^/\\x/' | tr -d '\n'; }

daemon_pid() { "$DMUSE" version --no-start | sed -n 's/^Daemon: *running, pid //p'; }

# memory_has PID DIGITS: how often these bytes are in its memory, whatever core dumps leave out.
memory_has() {
	python3 - "$1" "$2" <<'P'
import sys
key, found = bytes.fromhex(sys.argv[2]), 0
with open(f"/proc/{sys.argv[1]}/maps") as maps, open(f"/proc/{sys.argv[1]}/mem", "rb", 0) as memory:
    for line in maps:
        place, rights = line.split()[:2]
        if rights[0] != "r" or line.rstrip().endswith(("[vvar]", "[vsyscall]")):
            continue
        begin, end = (int(x, 16) for x in place.split("-"))
        try:
            memory.seek(begin)
            found += memory.read(end - begin).count(key)
        except (OSError, ValueError):
            pass
print(found)
P
}

# The hexadecimal digits and the bytes of a key: in no core of the daemon, nor in its log and state.
keys() {
	local key=8f3a61c05d927be4163fa8d27c9e04b5d1708e6f2ab94c53e7f01d6829bc5a34 pid
	type -P gcore >/dev/null || { skip "the core has no key" "gdb is not installed"; return; }
	! ldd "$DMUSE" | grep -q 'lib[at]san' || { skip "the core has no key" "a sanitizer's memory is terabytes, all of which are in a core"; return; }
	truncate -s 1M c.img
	echo "0 2048 crypt aes-xts-plain64 $key 0 $PWD/c.img 0" >table
	run create v table
	pid=${err#*pid }
	pid=${pid%%)*}
	is "$who: a table with a key from a file" 0 "$status"
	is "$who: the table without the key" "0 2048 crypt aes-xts-plain64 ${key//?/0} 0 $PWD/c.img 0" "$("$DMUSE" table v)"
	run check --table "$(cat table)"
	like "$who: a key on the command line" "warning: everybody who may list processes can see a key" "$err"
	"$DMUSE" suspend v
	"$DMUSE" message v 0 key wipe
	run message v 0 key set "$key"
	"$DMUSE" resume v
	"$DMUSE" table --showkeys v >seen
	is "$who: the daemon has the key" 1 "$(grep -c "$key" seen)"
	is "$who: which is in its memory" yes "$([ "$(memory_has "$pid" "$key")" -gt 0 ] && echo yes)"
	is "$who: but not in hexadecimal digits" 0 "$(memory_has "$pid" "$(printf %s "$key" | od -An -v -tx1 | tr -d ' \n')")"
	gcore -o core "$pid" >/dev/null 2>&1
	is "$who: there is a core" 1 "$(find . -name 'core.*' | wc -l)"
	is "$who: its digits are not in the core" 0 "$(grep -c "$key" core.*)"
	is "$who: nor are its bytes" 0 "$(LC_ALL=C grep -cUP "$(bytes "$key")" core.*)"
	is "$who: nor half of them" 0 "$(LC_ALL=C grep -cUP "$(bytes "${key:0:32}")" core.*)"
	rm -f core.*
	is "$who: nor in its files" "" "$(grep -rl "$key" "$XDG_RUNTIME_DIR" 2>/dev/null)"
	kill -9 "$pid"
	tail --pid="$pid" -f /dev/null
	run info v
	like "$who: the daemon after a kill has no key, and says so" "keys, which are not recorded" "$out$err"
	like "$who: so the device is suspended" "State: *SUSPENDED" "$out"
	run resume v
	is "$who: and cannot be resumed" 1 "$status"
	run load v table
	run resume v
	is "$who: but with its table" "0:" "$status:$err"
	pid=$(daemon_pid)
	is "$who: the key is in the memory of the next daemon" yes "$([ "$(memory_has "$pid" "$key")" -gt 0 ] && echo yes)"
	"$DMUSE" suspend v
	"$DMUSE" message v 0 key wipe
	is "$who: after the message wipe nowhere any more" 0 "$(memory_has "$pid" "$key")"
	"$DMUSE" load v table
	"$DMUSE" resume v
	is "$who: with the table it is there again" yes "$([ "$(memory_has "$pid" "$key")" -gt 0 ] && echo yes)"
	"$DMUSE" remove v
	is "$who: and when the device is removed nowhere any more" 0 "$(memory_has "$pid" "$key")"
}

if [ -x /sbin/cryptsetup ]; then
	session_test both tags reencrypt plain truecrypt keys
else
	skip "cryptsetup" "it is not installed"
	plan
fi
