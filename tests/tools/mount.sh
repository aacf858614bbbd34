#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# dmuse mount: devices as files, with programs that are used on files: dd, mkfs, debugfs, qemu-img, losetup, fio.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
cd "$work" || exit 1
if [ "$(id -u)" != 0 ] || ! { true <>/dev/fuse; } 2>/dev/null; then
	skip "devices as files" "this needs root and a /dev/fuse that opens"
	plan
	exit 0
fi
m=$work/m
mkdir "$m"
# Mounts that are left after a failure are removed before the directory is.
mount_end() {
	umount -l "$m" 2>/dev/null
	rm -f "${shm:-}"
	tap_end
}
trap mount_end EXIT

# quick COMMAND...: must not take long; a hang is a failure and does not end the tests.
quick() { timeout 60 "$@"; }

# fails REGEXP COMMAND...: fails with this message.
fails() {
	local said
	said=$(LC_ALL=C quick "${@:2}" 2>&1) && return 1
	grep -Eq -- "$1" <<<"$said" || { echo "# it said: $said"; return 1; }
}

opens() { "$DMUSE" info -c --noheadings -o open "$1"; }
mounted() { grep -q " $m fuse" /proc/mounts; }
fresh() { dd if=/dev/urandom of="$1" bs=64K count="$2" status=none; }
nonzero() { tr -d '\0' | wc -c; }

truncate -s 24M disk.img
fresh data.img 96
dd if=data.img of=disk.img bs=1M seek=4 conv=notrunc status=none
works "a daemon" daemon
works "a disk" create disk --table '0 49152 linear disk.img 0'
prints "nothing is mounted yet" "" mount
prints "nor in JSON" "[]" mount --json
works "mount" mount m
prints "mount lists it" "$m" mount
run mount --json
is "in JSON, too" "[\"$m\"]" "$(tr -d ' \n' <<<"$out")"
refuses "the same directory again" 1 "already" mount m
refuses "a directory that is not there" 1 "No such file" mount nowhere
refuses "a file" 1 "Not a directory" mount disk.img
refuses "two directories" 2 "the directory is missing" mount m m
refuses "umount of another directory" 1 "are not mounted on" umount "$work"
is "the file has the size, mode and kind of its own" "25165824 600 regular file" "$(stat -c '%s %a %F' m/disk)"
is "there is nothing else" "disk" "$(ls -A m)"

# --- data -----------------------------------------------------------------------------------------------------------
ok "cmp: the whole disk" quick cmp m/disk disk.img
ok "cat" cmp <(quick cat m/disk) disk.img
ok "dd with O_DIRECT" cmp <(quick dd if=m/disk bs=64K iflag=direct status=none) disk.img
fresh new.img 384
ok "dd writes, O_TRUNC and all" quick dd if=new.img of=m/disk bs=1M conv=fsync status=none
ok "the disk has it" cmp new.img disk.img
fresh new.img 384
ok "dd writes with O_DIRECT" quick dd if=new.img of=m/disk bs=256K oflag=direct conv=fsync,notrunc status=none
ok "the disk has that" cmp new.img disk.img
is "bytes across blocks and pages: as in an ordinary file" "same" "$(quick python3 - m/disk disk.img new.img <<'END'
import os, random, sys
random.seed(7)
a, b = os.open(sys.argv[1], os.O_RDWR), os.open(sys.argv[3], os.O_RDWR)
size = os.fstat(a).st_size
for i in range(3000):
    n = random.choice([1, 7, 511, 512, 513, 4095, 4097, 70000])
    at = random.randrange(size - n)
    data = random.randbytes(n)
    assert os.pwrite(a, data, at) == n and os.pwrite(b, data, at) == n
    at = random.randrange(size - n)
    assert os.pread(a, n, at) == os.pread(b, n, at), (i, at, n)
os.fsync(a)
with open(sys.argv[2], "rb") as disk, open(sys.argv[3], "rb") as model:
    print("same" if disk.read() == model.read() else "different")
END
)"
# In memory, large reads go from the file to the reader directly.
shm=$(mktemp -p /dev/shm dmuse-test-XXXXXX)
fresh "$shm" 96
run create shm --table "0 8192 linear $shm 4096
8192 4096 linear $shm 0"
cat <(dd if="$shm" bs=2M skip=1 status=none) <(dd if="$shm" bs=2M count=1 status=none) >shm.img
ok "a file in memory, two lines" quick cmp m/shm shm.img
ok "with O_DIRECT, 1 MiB at a time" cmp <(quick dd if=m/shm bs=1M iflag=direct status=none) shm.img
ok "with O_DIRECT, from sector 3 on" cmp <(quick dd if=m/shm bs=96K skip=1536 iflag=direct,skip_bytes status=none) \
	<(tail -c +1537 shm.img)
truncate -s 64K "$shm"
ok "cut short, it fails its readers" fails "Input/output error" dd if=m/shm of=/dev/null bs=1M iflag=direct
works "it goes" remove shm
rm -f "$shm"
is "the end is a disk's" "short 3, errno 28, part 100, errno 1, same size, eof 0" "$(quick python3 - m/disk <<'END'
import os, sys
f = os.open(sys.argv[1], os.O_RDWR)
size = os.fstat(f).st_size
said = [f"short {len(os.pread(f, 4096, size - 3))}"]
try:
    os.pwrite(f, b"x", size)
except OSError as e:
    said.append(f"errno {e.errno}")
said.append(f"part {os.pwrite(f, bytes(4096), size - 100)}")
try:
    os.ftruncate(f, 4096)
except OSError as e:
    said.append(f"errno {e.errno}")
os.ftruncate(f, size)
said.append("same size" if os.fstat(f).st_size == size else "another size")
said.append(f"eof {len(os.pread(f, 10, size + 5))}")
print(*said, sep=", ")
END
)"
is "mmap, shared and written" "same" "$(quick python3 - m/disk disk.img <<'END'
import mmap, os, sys
f = os.open(sys.argv[1], os.O_RDWR)
p = mmap.mmap(f, 1 << 20, offset=1 << 20)
p[5:10] = b"hello"
p[4095:4097] = b"!!"
p.flush()
with open(sys.argv[2], "rb") as disk:
    disk.seek(1 << 20)
    print("same" if disk.read(1 << 20) == p[:] and p[5:10] == b"hello" else "different")
END
)"

# --- holes ----------------------------------------------------------------------------------------------------------
ok "fallocate punches" quick fallocate -p -o 1000 -l 3000000 m/disk
is "zeros, also at ends that are no blocks" 0 "$(dd if=disk.img bs=1000 skip=1 count=3000 status=none | nonzero)"
cp disk.img model.img
ok "fallocate zeroes" quick fallocate -z -n -o 8388609 -l 100001 m/disk
is "all of it" 0 "$(tail -c +8388610 disk.img | head -c 100001 | nonzero)"
ok "but nothing before" cmp -n 8388609 disk.img model.img
ok "nor behind" cmp <(tail -c +8488611 disk.img) <(tail -c +8488611 model.img)
ok "there is nothing to allocate" fails "not supported" fallocate -l 4096 m/disk
works "a sparse disk" create sparse --table '0 2048 linear disk.img 20480
2048 102400 zero
104448 2048 linear disk.img 22528'
is "SEEK_DATA and SEEK_HOLE" "0 1048576 53477376 54525952 errno 6" "$(quick python3 - m/sparse <<'END'
import os, sys
f = os.open(sys.argv[1], os.O_RDONLY)
said = [os.lseek(f, 0, os.SEEK_DATA), os.lseek(f, 0, os.SEEK_HOLE), os.lseek(f, 1048576, os.SEEK_DATA),
        os.lseek(f, 53477376, os.SEEK_HOLE)]
try:
    os.lseek(f, 54525952, os.SEEK_DATA)
except OSError as e:
    said.append(f"errno {e.errno}")
print(*said)
END
)"
ok "cp --sparse=always" quick cp --sparse=always m/sparse copy.img
ok "copies all" cmp copy.img m/sparse
works "it goes" remove sparse

# --- programs -------------------------------------------------------------------------------------------------------
check() { quick e2fsck -fn m/disk >e2fsck.out 2>&1; }
ok "mkfs.ext4" quick mkfs.ext4 -qF m/disk
ok "e2fsck" check
echo "write $work/data.img data" >debugfs.txt
change() { quick debugfs -w -f debugfs.txt m/disk >debugfs.out 2>&1; }
ok "debugfs writes a file" change
ok "debugfs has it" cmp <(quick debugfs -R 'cat data' m/disk 2>/dev/null) data.img
ok "e2fsck after that" check
if command -v qemu-img >/dev/null; then
	like "qemu-img info" "virtual size: 24 MiB" "$(quick qemu-img info -f raw m/disk 2>&1)"
	ok "qemu-img convert reads" quick qemu-img convert -f raw -O raw m/disk copy.img
	ok "all of it" cmp copy.img disk.img
	fresh copy.img 384
	ok "qemu-img convert writes, without the cache" quick qemu-img convert -n -t none -f raw -O raw copy.img m/disk
	ok "all of that" cmp copy.img disk.img
else
	skip "qemu-img" "it is not installed"
fi
loop=
if [ -c /dev/loop-control ]; then
	exec 8</dev/loop-control
	flock 8		# only one test at a time uses loop devices
	loop=$(losetup -f --show m/disk 2>/dev/null)
fi
if [ -n "$loop" ]; then
	is "losetup: the device is open" 1 "$(opens disk)"
	ok "losetup: a loop device reads it" quick cmp "$loop" disk.img
	losetup -d "$loop"
	exec 8<&-
else
	skip "losetup" "no loop device can be made here"
fi

# --- control --------------------------------------------------------------------------------------------------------
exec 7<m/disk
is "open count" 1 "$(opens disk)"
refuses "what is open is not removed" 1 "in use" remove disk
refuses "what is in use is not unmounted" 1 "in use" umount m
exec 7<&-
is "and closed" 0 "$(opens disk)"
is "an open count is right when close returns, every time" "2000 right" "$(quick python3 - \
	"$XDG_RUNTIME_DIR/dmuse/control" m/disk <<'END'
import re, socket, struct, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
m = (b'<?xml version="1.0"?><plist version="1.0"><dict><key>command</key><string>info</string>'
     b'<key>name</key><string>disk</string></dict></plist>')
right = 0
for i in range(2000):
    open(sys.argv[2], "rb").close()
    s.sendall(struct.pack(">I", len(m)) + m)
    n, = struct.unpack(">I", s.recv(4, socket.MSG_WAITALL))
    right += re.search(rb"open_count</key>\s*<integer>0<", s.recv(n, socket.MSG_WAITALL)) is not None
print(right, "right")
END
)"
for what in "touch m/new" "mkdir m/new" "rm -f m/disk" "mv m/disk m/other" "ln -s x m/new" "ln m/disk m/new" \
	"chmod 666 m/disk" "truncate -s 1M m/disk"; do
	# shellcheck disable=SC2086
	ok "$what is refused" fails "not permitted" $what
done
works "rename" rename disk other
is "is seen at once" "other" "$(ls m)"
ok "the old name is gone" fails "No such file" cat m/disk
works "and back" rename other disk
works "a read-only disk" create ro --readonly --table '0 2048 linear disk.img 0'
is "has its mode" 400 "$(stat -c %a m/ro)"
ok "and refuses writers" fails "Read-only" dd if=/dev/zero of=m/ro count=1 conv=notrunc
ok "but not readers" quick cmp -n 1048576 m/ro disk.img
works "removed" remove ro
is "is seen at once, too" "disk" "$(ls m)"
ok "a table that leads back to its own files is refused" fails "deadlock" "$DMUSE" create loop --table "0 8 linear $m/disk 0"
works "a disk of errors" create bad --table '0 2048 error'
ok "fails to read" fails "Input/output" dd if=m/bad of=/dev/null count=1
ok "and to write" fails "Input/output" dd if=/dev/zero of=m/bad count=1 conv=notrunc
works "it goes, too" remove bad

# --- swap -----------------------------------------------------------------------------------------------------------
fresh old.img 32
fresh next.img 48
works "a disk to be swapped" create swap --table '0 4096 linear old.img 0'
exec 7<m/swap
ok "what is read of the old one" quick cmp m/swap old.img
works "another table" load swap --table '0 6144 linear next.img 0'
works "is swapped in" resume swap
is "who has it open sees the new size" 3145728 "$(stat -L -c %s /proc/$$/fd/7)"
ok "and the new data, all of it" quick cmp - next.img <&7
exec 7<&-
works "a smaller one" load swap --table '0 2048 linear old.img 0'
works "goes in, too" resume swap
is "with its size" 1048576 "$(stat -c %s m/swap)"
works "that was that" remove swap
swapping() {
	while [ ! -e stop ]; do
		"$DMUSE" load disk --table '0 49152 linear disk.img 0' || touch broken
		"$DMUSE" resume disk || touch broken
		"$DMUSE" suspend disk || touch broken
		"$DMUSE" resume disk || touch broken
	done
}
if command -v fio >/dev/null; then
	swapping 2>/dev/null &
	swapper=$!
	ok "fio writes and verifies, while tables are swapped" quick fio --name=x --filename="$m/disk" --rw=randwrite \
		--bs=4k --ioengine=psync --size=24M --verify=crc32c --output=fio.out
	ok "and with O_DIRECT" quick fio --name=x --filename="$m/disk" --rw=randwrite --bs=4k --ioengine=libaio --direct=1 \
		--iodepth=32 --size=24M --verify=crc32c --output=fio.out
	touch stop
	wait "$swapper"
	ok "no swap failed" [ ! -e broken ]
else
	skip "fio" "it is not installed"
fi

# --- suspend --------------------------------------------------------------------------------------------------------
works "suspend" suspend disk
dd if=m/disk of=held.img bs=1M count=1 iflag=direct status=none &
reader=$!
is "commands go on meanwhile" "disk" "$(quick ls m)"
works "resume" resume disk
ok "the reader has its data" wait "$reader"
ok "and it is right" cmp -n 1048576 held.img disk.img
works "suspend again" suspend disk
dd if=m/disk of=/dev/null bs=4k count=1 status=none &
reader=$!
until_true eval '[ "$(opens disk)" != 0 ]'
kill -9 "$reader"
{ wait "$reader"; } 2>/dev/null
is "a killed reader does not wait for the resume" 137 $?
ok "its file is closed, or waits for its page" [ "$(opens disk)" -le 1 ]
works "resume again" resume disk
ok "then it holds nothing open" until_true eval '[ "$(opens disk)" = 0 ]'

# A swap above while what is below is suspended: the kernel waits for pages that are being read, the command does not.
works "a disk above" create top --table '0 49152 linear /dev/mapper/disk 0'
works "it is suspended" suspend top
cat m/top >above.img &
reader=$!
until_true eval '[ "$(opens top)" != 0 ]'
works "and so is what is below" suspend disk
works "it has another table" load top --table '0 49152 linear /dev/mapper/disk 0'
ok "which goes in although the reader waits below" quick "$DMUSE" resume top
is "names are still answered" "disk top" "$(quick ls m | xargs)"
works "below goes on" resume disk
ok "and so does the reader" wait "$reader"
ok "with the right data" cmp above.img disk.img
works "the disk above goes" remove top

# --- the end --------------------------------------------------------------------------------------------------------
works "umount" umount m
is "nothing is there any more" "" "$(ls -A m)"
ok "no mount is left" eval "! mounted"
works "mount again" mount m
ok "a plain umount will do, too" quick umount m
for _ in {1..100}; do [ -z "$("$DMUSE" mount)" ] && break; done
prints "the daemon has noticed" "" mount
works "and mounts again" mount m
ok "the disk is there" quick cmp m/disk disk.img
exec 7<m/disk
run shutdown
like "the daemon ends, although a file is open, and says who had it open" "^0:warning: cut off: .*has the file 'disk' open in" "$status:$err"
ok "its mount is gone" eval "! mounted"
ok "who has it open learns that" fails "not connected" cat <&7
exec 7<&-
plan
