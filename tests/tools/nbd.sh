#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The NBD exports with existing clients: nbdinfo, nbdcopy, nbdsh, qemu-img, qemu-io.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
cd "$work" || exit 1
socket=$XDG_RUNTIME_DIR/dmuse/nbd
uri() { echo "nbd+unix:///$1?socket=$socket"; }

# shell NAME: runs the Python code on stdin in nbdsh, connected to export NAME.
shell() {
	nbdsh --base-allocation -u "$(uri "$1")" -c "$(cat)" 2>&1
}

# The server's messages to the Python code on stdin: the library prints them only in debug mode.
said() {
	LIBNBD_DEBUG=1 nbdsh --base-allocation -u "$(uri "$1")" -c "$(cat)" 2>&1 | sed -n 's/.*error server message: //p'
}

makefile() { dd if=/dev/urandom of="$1" bs=64K count="$2" status=none; }

truncate -s 24M disk.img
makefile data.img 64
dd if=data.img of=disk.img bs=1M seek=8 conv=notrunc status=none
works "a daemon" daemon
works "a disk of a file" create disk --table '0 49152 linear disk.img 0'
works "a disk of pieces and zeros" create pieces --table '0 2048 linear disk.img 16384
2048 100000 zero
102048 6144 linear disk.img 18432'

# --- what is told ---------------------------------------------------------------------------------------------------
run export disk
is "export prints the URI" "$(uri disk)" "$out"
info=$(nbdinfo "$(uri disk)")
for line in 'export-size: 25165824' 'is_read_only: false' 'can_df: true' 'can_fast_zero: true' 'can_flush: true' \
	'can_fua: true' 'can_multi_conn: true' 'can_trim: true' 'can_zero: true' 'base:allocation' 'structured packets' \
	'block_size_minimum: 512' 'block_size_preferred: 4096' 'block_size_maximum: 33554432' 'description: .*252:'; do
	like "nbdinfo: $line" "$line" "$info"
done
is "nbdinfo --list shows both" $'disk\npieces' "$(nbdinfo --list "$(uri '')" | sed -n 's/^export="\(.*\)":$/\1/p')"
is "nbdinfo --size" 55394304 "$(nbdinfo --size "$(uri pieces)")"
like "no such export: a sentence" "no device.*'nope'" "$(qemu-img info "$(uri nope)" 2>&1)"
like "no name, two devices: a sentence" "only device.* 2" "$(qemu-img info "$(uri '')" 2>&1)"

# --- data -----------------------------------------------------------------------------------------------------------
ok "nbdcopy reads the whole disk" cmp <(nbdcopy "$(uri disk)" -) disk.img
{ dd if=disk.img bs=512 skip=16384 count=2048; head -c 51200000 /dev/zero
	dd if=disk.img bs=512 skip=18432 count=6144; } >pieces.img 2>/dev/null
ok "and one of pieces" cmp <(nbdcopy "$(uri pieces)" -) pieces.img
ok "qemu-img compare finds them equal" qemu-img compare -q -f raw -F raw pieces.img "$(uri pieces)"
# In memory, large reads go from the file to the socket directly.
shm=$(mktemp -p /dev/shm dmuse-test-XXXXXX)
trap 'rm -f "$shm"; tap_end' EXIT
makefile "$shm" 256
works "a disk in memory" create shm --table "0 16384 linear $shm 16381"
tail -c +8387073 "$shm" | head -c 8388608 >shm.img
ok "nbdcopy reads it" cmp <(nbdcopy --request-size=131072 --requests=64 --connections=2 "$(uri shm)" -) shm.img
is "reads of all sizes, many at once" "same" "$(shell shm <<'END'
import random
random.seed(3)
model = open("shm.img", "rb").read()
for i in range(40):
    runs = [(512 * random.randrange(8192), 512 * random.choice([1, 8, 100, 128, 129, 256, 777, 2048, 8192])) for i in range(30)]
    asked = [(at, n, nbd.Buffer(n)) for at, n in runs]
    cookies = [h.aio_pread(buffer, at) for at, n, buffer in asked]
    while cookies:
        h.poll(-1)
        cookies = [c for c in cookies if not h.aio_command_completed(c)]
    for at, n, buffer in asked:
        assert buffer.to_bytearray() == model[at:at + n], (at, n)
print("same")
END
)"
truncate -s 9M "$shm"
is "cut short, it fails its readers, and goes on" "Input/output error 131072" "$(shell shm <<'END'
try:
    h.pread(131072, 4 << 20)
except nbd.Error as e:
    print(e.errno and __import__("os").strerror(5) if e.errno == "EIO" else e, end=" ")
print(len(h.pread(131072, 0)))
END
)"
run remove shm
makefile new.img 384
ok "nbdcopy writes with many connections and requests" nbdcopy --connections=4 --requests=64 new.img "$(uri disk)"
ok "the file has it" cmp new.img disk.img
makefile new.img 384
ok "qemu-img convert writes" qemu-img convert -n -f raw -O raw -W -m 8 new.img "$(uri disk)"
ok "the file has it too" cmp new.img disk.img
io() { qemu-io -f raw "${@:2}" "$(uri "$1")" 2>&1 | sed -n 's/[;,] .*//; /^\(Pattern\|.*failed\|.*rror\)/p'; }
is "qemu-io writes, and reads with other sizes" "" "$(io disk -c 'write -P 7 512 1M' -c 'aio_read -P 7 512 512' \
	-c 'aio_read -P 7 1024 500k' -c 'aio_flush' -c 'read -P 7 1048576 512')"
ok "the file has the pattern" cmp <(head -c 1048576 /dev/zero | tr '\0' '\7') <(tail -c +513 disk.img | head -c 1048576)
is "two connections see each other's writes" $'True\nTrue' "$(shell disk <<END
a = nbd.NBD(); a.connect_uri("$(uri disk)")
h.pwrite(b"x" * 65536, 65536)
print(a.pread(65536, 65536) == b"x" * 65536)
a.pwrite(b"y" * 512, 65536)
print(h.pread(1024, 65536) == b"y" * 512 + b"x" * 512)
END
)"
is "the longest request goes through" True "$(shell pieces <<'END'
print(h.pread(32 << 20, 1 << 20) == bytes(32 << 20))
END
)"

# --- holes ----------------------------------------------------------------------------------------------------------
map() { nbdinfo --map "$(uri "$1")" | awk '{ print $1, $2, $3 }'; }
cp --sparse=always /dev/null holes.img
truncate -s 24M holes.img
dd if=data.img of=holes.img bs=1M seek=8 conv=notrunc status=none
"$DMUSE" create holes --table '0 49152 linear holes.img 0'
is "holes of a file" $'0 8388608 3\n8388608 4194304 0\n12582912 12582912 3' "$(map holes)"
is "zero targets" $'0 1048576 0\n1048576 51200000 3\n52248576 3145728 0' "$(map pieces)"
is "qemu-img map shows the same" "8388608 4194304 true" \
	"$(qemu-img map --output=json "$(uri holes)" | python3 -c '
import json, sys
for e in json.load(sys.stdin):
    if e["data"]: print(e["start"], e["length"], "true")')"
extents='
got = []
def extents(offset, count, flags=0):
    del got[:]
    h.block_status(count, offset, lambda context, at, entries, err: got.append((context, entries)), flags)
    return got'
is "one extent when only one is wanted, to its end" "[('base:allocation', [51199488, 3])]" "$(shell pieces <<END
$extents
print(extents(1049088, 54345216, nbd.CMD_FLAG_REQ_ONE))
END
)"
is "extents of a part of one" "[('base:allocation', [512, 3])]" "$(shell pieces <<END
$extents
print(extents(1 << 20, 512))
END
)"

# --- commands -------------------------------------------------------------------------------------------------------
blocks() { stat -c %b "$1"; }
# count NAME OPERATION: requests of that kind so far.
count() { "$DMUSE" stats --json "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["stats"][sys.argv[1]]["ios"])' "$2"; }

works "a fresh disk" create fresh --table '0 49152 linear new.img 0'
is "flush reaches the disk" "0 1" "$(count fresh flush) $(echo 'h.flush()' | shell fresh; count fresh flush)"
is "FUA writes, zeroes and trims" "" "$(shell fresh <<'END'
h.pwrite(b"f" * 4096, 4096, nbd.CMD_FLAG_FUA)
h.zero(4096, 8192, nbd.CMD_FLAG_FUA)
h.trim(4096, 12288, nbd.CMD_FLAG_FUA)
END
)"
is "zero, with and without a hole" "True True" "$(shell fresh <<'END'
h.zero(1 << 20, 1 << 20)
h.zero(1 << 20, 4 << 20, nbd.CMD_FLAG_NO_HOLE)
print(h.pread(1 << 20, 1 << 20) == bytes(1 << 20), h.pread(1 << 20, 4 << 20) == bytes(1 << 20))
END
)"
ok "the file has zeros there" cmp <(head -c 1M /dev/zero) <(tail -c +1048577 new.img | head -c 1M)
is "and holes where they were allowed" "1 0" "$(shell fresh <<END
$extents
print(extents(1 << 20, 512)[0][1][1] & 1, extents(4 << 20, 512)[0][1][1] & 1)
END
)"
before=$(blocks new.img)
is "trim" "" "$(echo 'h.trim(8 << 20, 8 << 20)' | shell fresh)"
ok "gives the space back" [ "$(blocks new.img)" -le $((before - 16384)) ]
is "fast zero, where zeroing is fast" "" "$(echo 'h.zero(65536, 0, nbd.CMD_FLAG_FAST_ZERO)' | shell fresh)"
is "zero to the end of a device longer than a transfer" "" "$(echo 'h.zero(54345216, 1049088)' | shell pieces)"
is "qemu-io zeroes, discards, reads zeros" "" "$(io fresh -c 'write -P 1 0 1M' -c 'write -z 64k 128k' -c 'write -zu 256k 64k' \
	-c 'read -P 0 64k 128k' -c 'read -P 0 256k 64k' -c 'read -P 1 0 64k' -c 'discard 512k 64k' -c 'flush')"
is "trim of a disk that is zeros anyway" "" "$(echo 'h.trim(1 << 20, 2 << 20)' | shell pieces)"

# --- refusals -------------------------------------------------------------------------------------------------------
strict='h.set_strict_mode(0)'
try() { printf '%s\ntry:\n    %s\nexcept nbd.Error as e: print(e.errnum or e.string)\n' "$strict" "$2" | shell "$1"; }
why() { printf '%s\ntry:\n    %s\nexcept nbd.Error: pass\n' "$strict" "$2" | said "$1"; }
is "beyond the end: EINVAL of a read" 22 "$(try disk 'h.pread(4096, 24 << 20)')"
is "ENOSPC of a write" 28 "$(try disk 'h.pwrite(bytes(4096), (24 << 20) - 512)')"
is "ENOSPC of zeroes" 28 "$(try disk 'h.zero(4096, (24 << 20) - 512)')"
is "EINVAL of a trim" 22 "$(try disk 'h.trim(4096, (24 << 20) - 512)')"
like "with a sentence" "4096 bytes at 25165824: the device ends at 25165824" "$(why disk 'h.pread(4096, 24 << 20)')"
is "misaligned: EINVAL" 22 "$(try disk 'h.pread(512, 100)')"
like "with a sentence" "512 bytes at .*100.*multiples.*512" "$(why disk 'h.pread(512, 100)')"
is "too long: EINVAL" 22 "$(try pieces 'h.pread((32 << 20) + 512, 0)')"
like "with a sentence" "33554944.*33554432" "$(why pieces 'h.pread((32 << 20) + 512, 0)')"
is "a write that is too long, and life goes on" "22
True" "$(shell pieces <<'END'
h.set_strict_mode(0)
try: h.pwrite(bytes((32 << 20) + 512), 0)
except nbd.Error as e: print(e.errnum)
print(h.pread(512, 2 << 20) == bytes(512))
END
)"
is "unknown flags: EINVAL" 22 "$(try disk 'h.pread(512, 0, 0x80)')"

works "a disk that is read-only" create -r ro --table '0 2048 linear data.img 0'
like "says so" "is_read_only: true" "$(nbdinfo "$(uri ro)")"
is "a write to it: EPERM" 1 "$(try ro 'h.pwrite(bytes(512), 0)')"
is "zeroes: EPERM" 1 "$(try ro 'h.zero(512, 0)')"
like "with a sentence" "read-only" "$(why ro 'h.pwrite(bytes(512), 0)')"
is "it can be flushed" "" "$(echo 'h.flush()' | shell ro)"

works "a disk that fails in the middle" create bad --table '0 8 zero
8 8 error
16 8 zero'
is "a read there: EIO" 5 "$(try bad 'h.pread(8192, 0)')"
like "with a sentence" "8192 bytes at .*0.*Input/output error" "$(why bad 'h.pread(8192, 0)')"
is "beside it: fine" "" "$(try bad 'h.pread(4096, 8192)')"

works "a 4Kn disk" create large --table '0 2048 linear file,logical=4096:new.img 0'
like "says its block size" "block_size_minimum: 4096" "$(nbdinfo "$(uri large)")"
is "half a block of it: EINVAL" 22 "$(try large 'h.pread(512, 0)')"
ok "nbdcopy and qemu-img get along with it" cmp <(nbdcopy "$(uri large)" -) <(head -c 1048576 new.img)
ok "both" qemu-img convert -f raw -O raw "$(uri large)" large.img

# --- names and lives ------------------------------------------------------------------------------------------------
works "a device for one" create only --table '0 2048 zero'
coproc CLIENT { nbdsh -u "$(uri only)" -c 'print("open", flush=True)
import sys
for line in sys.stdin: print(h.pread(512, 0) == bytes(512), flush=True)' 2>&1; }
read -r -u "${CLIENT[0]}" line
is "a client opens it" open "$line"
run info -c --noheadings -o open only
is "that counts" 1 "$out"
refuses "it cannot be removed meanwhile" 1 "use|open" remove only
works "it can be renamed" rename only other
echo >&"${CLIENT[1]}"
read -r -u "${CLIENT[0]}" line
is "its client does not mind" True "$line"
is "the export has the new name" 1048576 "$(nbdinfo --size "$(uri other)")"
like "and not the old one" "no device.*'only'" "$(qemu-img info "$(uri only)" 2>&1)"
works "deferred removal waits for the client" remove --deferred other
pid=$CLIENT_PID
eval "exec ${CLIENT[1]}>&-"
wait "$pid"
"$DMUSE" wait other >wait.out 2>&1	# ends with the device, which ends with the client
refuses "then it is gone" 1 "other" info other
like "and so is the export" "no device.*'other'" "$(qemu-img info "$(uri other)" 2>&1)"

works "a device without a table" create --notable bare
like "is no export: a sentence" "'bare' has no .*table" "$(qemu-img info "$(uri bare)" 2>&1)"
is "and is not listed" "" "$(nbdinfo --list "$(uri '')" | grep bare)"
works "a strange name" create 'a%b c' --table '0 8 zero'
is "is a URI all the same" 4096 "$(nbdinfo --size "$("$DMUSE" export 'a%b c')")"

plan
