#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# dmuse doctor on machines that lack features, each in namespaces that end with the command; exec prints the same as the
# doctor.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
cd "$work" || exit 1

run doctor
sessions=$status
like "a doctor's last line is the result" "^Sessions .*work here\.$" "$(tail -n 1 <<<"$out" | sed 's/do not //')"
like "ciphers have their speed" "aes-xts, 512 bits: [1-9][0-9]*, [1-9]" "$out"
like "each piece has a line" "^(ok|missing|unneeded) +/dev/fuse" "$out"
like "so has what a killed daemon needs" "^(ok|missing) +restart after a crash" "$out"
DMUSE_RESTART=0 run doctor
like "without a keeper it says so" "^missing +restart after a crash: DMUSE_RESTART=0: no keeper starts a daemon again" "$out"
is "which sessions do not need" "$sessions" "$status"
run doctor --json
is "the same as JSON" "$sessions" "$status"
ok "which is some" python3 -c '
import json, sys
d = json.loads(sys.argv[1])
assert d["session"] == (sys.argv[2] == "0") and len(d["pieces"]) >= 9 and d["ciphers"][0]["encrypts"] > 0
for p in d["pieces"]:
    assert p["state"] in ("ok", "missing", "unneeded") and isinstance(p["needed"], bool)
    assert p["state"] != "missing" or p["what"] and p["without"] and "fix" in p' "$out" "$sessions"
refuses "it takes no words" 2 "unexpected word 'now'" doctor now

if [ "$(id -u)" != 0 ] || [ ! -c /dev/fuse ] || [ $sessions != 0 ]; then
	skip "machines that lack pieces" "this needs root and a machine with all of them"
	plan
	exit 0
fi

theirs=$(mktemp -d "$outside/doctor-XXXXXX")
trap 'rm -rf "${theirs:?}"; tap_end' EXIT
chmod 0755 "$theirs"
cp "$DMUSE" "$theirs/dmuse"
mknod -m 0666 "$theirs/fuse" c 10 229
mknod -m 0600 "$theirs/closed" c 10 229
export DMUSE_NO_START=

# lacks WHAT REGEXP COMMAND...: below COMMAND the doctor prints this, and that there are no sessions; so does exec.
lacks() {
	local what=$1 wanted=$2
	shift 2
	out=$("$@" "$theirs/dmuse" doctor 2>&1)
	is "$what: no sessions" 1 $?
	like "$what: it says so" "$wanted" "$out"
	like "$what: and how it is mended" "^ +(as root|outside.*|no command).*" "$out"
	like "$what: exec says the same" "$wanted" "$("$@" "$theirs/dmuse" exec -- true 2>&1)"
	is "$what: and fails" 125 "$("$@" "$theirs/dmuse" exec -- true >/dev/null 2>&1; echo $?)"
}
# has WHAT REGEXP COMMAND...: the doctor prints this, and that there are sessions all the same.
has() {
	local what=$1 wanted=$2
	shift 2
	out=$("$@" "$theirs/dmuse" doctor 2>&1)
	is "$what: sessions all the same" 0 $?
	like "$what: it says so" "$wanted" "$out"
}
user() {
	XDG_RUNTIME_DIR=$theirs/run TMPDIR=$theirs/run setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}
install -d -o 65534 -g 65534 -m 0700 "$theirs/run"

# shellcheck disable=SC2016
lacks "no /dev/fuse" "/dev/fuse" unshare -m bash -c \
	'mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && mkdir /dev/shm && "$@"' sh
# shellcheck disable=SC2016
has "no loop devices" "missing +loop devices: .*/dev/loop-control" unshare -m bash -c \
	'mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && mknod /dev/fuse c 10 229 && "$@"' sh
has "no /sys" "missing +/sys: /sys is not mounted" unshare -m bash -c 'mount -t tmpfs none /sys && "$@"' sh
lacks "another one's /dev/fuse" "/closed may not be opened by user 65534" user env "DMUSE_FUSE_DEVICE=$theirs/closed"
has "an ordinary user" "unneeded +loop devices" user env "DMUSE_FUSE_DEVICE=$theirs/fuse"
has "no fusermount3" "missing +dmuse mount: fusermount3 is not installed" user env "DMUSE_FUSE_DEVICE=$theirs/fuse" PATH=/none
# shellcheck disable=SC2016
lacks "no more user namespaces" "max_user_namespaces is 0" user env "DMUSE_FUSE_DEVICE=$theirs/fuse" \
	unshare -U --map-user=1000 --keep-caps bash -c \
	'echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --inh-caps=-all --ambient-caps=-all "$@"' sh
# Another process listens to system calls, and lets all of them pass.
cat >listens.py <<'END'
import ctypes, os, platform, struct, sys
allow = struct.pack("HBBI", 6, 0, 0, 0x7fff0000)
room = ctypes.create_string_buffer(allow)
program = ctypes.create_string_buffer(struct.pack("H6xP", 1, ctypes.addressof(room)))
fd = ctypes.CDLL(None).syscall(277 if platform.machine() == "aarch64" else 317, 1, 8, program)
os.set_inheritable(fd, True)
os.execvp(sys.argv[1], sys.argv[1:])
END
lacks "another listener" "another seccomp listener .* is already attached" python3 listens.py
# A chroot, as a user and as root; as root it is a mount point in a namespace of its own, which makes no difference.
in_chroot() {
	# shellcheck disable=SC2016
	unshare -m --propagation private bash -c '
		mkdir -p "$0"/{proc,dev,tmp} && mount --bind /proc "$0/proc" && mount --bind /dev "$0/dev" &&
		if [ "$1" = point ]; then mount --rbind "$0" "$0"; fi && chmod 1777 "$0/tmp" && shift && exec chroot "$@"' \
		"$theirs/chroot" "$@"
}
# Inside it the program is /dmuse, whatever precedes it.
as_user() {
	in_chroot no --userspec 65534:65534 "$theirs/chroot" env DMUSE_FUSE_DEVICE=/fuse XDG_RUNTIME_DIR=/tmp TMPDIR=/tmp /dmuse "${@:2}"
}
as_root() {
	in_chroot no "$theirs/chroot" env XDG_RUNTIME_DIR=/tmp TMPDIR=/tmp /dmuse "${@:2}"
}
at_mount_point() {
	in_chroot point "$theirs/chroot" env XDG_RUNTIME_DIR=/tmp TMPDIR=/tmp /dmuse "${@:2}"
}
mkdir "$theirs/chroot"
mknod -m 0666 "$theirs/chroot/fuse" c 10 229
cp "$DMUSE" "$theirs/chroot/dmuse"
ldd "$DMUSE" | grep -o '/[^ ]*' | xargs -I{} cp -L --parents {} "$theirs/chroot"
cp -L --parents "$(command -v env)" "$theirs/chroot"
lacks "a user's chroot" "this is a chroot, in which the kernel does not allow the namespaces" as_user
lacks "root's chroot" "this is a chroot, in which the kernel does not allow the namespaces" as_root
lacks "root's chroot on a mount point" "this is a chroot, in which the kernel does not allow the namespaces" at_mount_point
is "in a session it says so" "This process is already in a session." "$("$DMUSE" exec -- "$DMUSE" doctor 2>&1)"
plan
