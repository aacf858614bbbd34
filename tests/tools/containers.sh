#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Sessions in cages like containers (cage.py): what works with which flags, as in doc/containers.md; and that the doctor
# and exec agree in each, name the least flags of that engine, and nothing that a container cannot do.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
cd "$work" || exit 1

cage=$root/tests/tools/cage.py
theirs=$(mktemp -d "$outside/cage-XXXXXX")
trap 'rm -rf "${theirs:?}"; tap_end' EXIT
chmod 0755 "$theirs"
cp "$DMUSE" "$theirs/dmuse"
# shellcheck disable=SC2016
echo 'mkdir -m 0700 /tmp/run && ASAN_OPTIONS=detect_leaks=0 XDG_RUNTIME_DIR=/tmp/run exec '"$theirs"'/dmuse "$@"' >"$theirs/path"
fuse=(--device /dev/fuse)
docker=(--file /.dockerenv)
podman=(--file /run/.containerenv --seccomp podman)
# As required by "restricted", with the profile that RuntimeDefault means.
pod=(--file /run/secrets/kubernetes.io/serviceaccount --user --cap-drop-all --no-new-privs)

if [ "$(id -u)" != 0 ]; then
	lack="only root can make a cage"
elif [ ! -c /dev/fuse ]; then
	lack="there is no /dev/fuse"
else
	lack=$(python3 "$cage" true 2>&1 | tail -n 1)
fi
if [ -n "$lack" ]; then
	skip "sessions in containers" "$lack"
	plan
	exit 0
fi

# What the programs of a session see; "lvm" also uses LVM.
cat >"$theirs/inside" <<'END'
set -e
export XDG_RUNTIME_DIR=/tmp/run
mkdir -m 0700 /tmp/run
export ASAN_OPTIONS=detect_leaks=0	# podman forbids ptrace, which LeakSanitizer needs
"$1/dmuse" doctor >/tmp/doctor 2>&1 && doctor=0 || doctor=$?
truncate -s 64M /tmp/a.img
"$1/dmuse" exec --create 'vd=0 2048 zero' --disk pv0=/tmp/a.img -- sh -ec '
	[ "$(dmsetup table vd)" = "0 2048 zero " ]
	[ "$(stat -c %F - </dev/mapper/vd)" = "block special file" ]
	[ "$(head -c 1M /dev/mapper/vd | wc -c)" = 1048576 ]
	exec 3</dev/mapper/vd
	[ "$(head -c 512 /proc/self/fd/3 | wc -c)" = 512 ]
	[ "$1" != lvm ] || { vgcreate -q vg /dev/pv0; lvcreate -q -L 24M -n lv vg; mkfs.ext4 -q /dev/vg/lv; blkid /dev/vg/lv; } >/tmp/lvm
	dmsetup create bad --table "0 1 nonsense" 2>&1 | cat >/tmp/said
	grep -q "^dmuse: .*nonsense" /tmp/said' sh "$2" 2>/tmp/exec && exec=0 || exec=$?
echo "doctor=$doctor exec=$exec"
cat /tmp/doctor /tmp/exec
END

# in_cage WHAT PLAY OPTION...: leaves the output in $said, and the result in $verdict.
in_cage() {
	said=$(timeout 60 python3 "$cage" --show "$theirs" "${@:3}" sh "$theirs/inside" "$theirs" "$2" 2>&1)
	verdict=$(head -n 1 <<<"$said")
}
# yes WHAT PLAY OPTION...
yes() {
	in_cage "$@"
	is "$1: sessions work" "doctor=0 exec=0" "$verdict" || sed 's/^/#   /' <<<"$said"
}
# no WHAT REGEXP OPTION...: doctor and exec both find that they do not work; exec reports first what the doctor reports
# first, and both print the flags.
no() {
	local lacks
	in_cage "$1" - "${@:3}"
	is "$1: no sessions" "doctor=1 exec=125" "$verdict"
	lacks=$(sed -nE 's/^missing +[^:]*: //p' <<<"$said" | head -n 1)
	ok "$1: exec says what the doctor says" grep -qF "$lacks: \`" <<<"$(grep '^dmuse: ' <<<"$said")"
	like "$1: the doctor names the flags" "^ +(outside|in the pod|in place|as root)[^:]*: $2\$" "$said"
	like "$1: exec, too" "^dmuse: .*\`$2\`" "$said"
	ok "$1: nothing that only a machine can do" sh -c '! grep -q modprobe' <<<"$said"
}
# has WHAT REGEXP OPTION...: in the doctor's output.
has() {
	in_cage "$1" - "${@:3}"
	like "$1" "$2" "$said"
}

admin='docker run --device /dev/fuse --cap-add SYS_ADMIN IMAGE'
no "docker, no flags" "$admin" "${docker[@]}"
no "docker, /dev/fuse" "$admin" "${docker[@]}" "${fuse[@]}"
no "docker, SYS_ADMIN" "$admin" "${docker[@]}" --cap-add SYS_ADMIN
no "docker, no seccomp" "$admin" "${docker[@]}" --seccomp unconfined
no "docker, a user" "$admin" "${docker[@]}" "${fuse[@]}" --user
yes "docker, /dev/fuse and SYS_ADMIN" lvm "${docker[@]}" "${fuse[@]}" --cap-add SYS_ADMIN
yes "the same with SYS_PTRACE" - "${docker[@]}" "${fuse[@]}" --cap-add SYS_ADMIN --cap-add SYS_PTRACE
yes "the same, a user" - "${docker[@]}" "${fuse[@]}" --cap-add SYS_ADMIN --user
yes "docker, /dev/fuse and our profile" lvm "${docker[@]}" "${fuse[@]}" --seccomp dmuse
yes "the same, a user" - "${docker[@]}" "${fuse[@]}" --seccomp dmuse --user
yes "docker, /dev/fuse and no seccomp" - "${docker[@]}" "${fuse[@]}" --seccomp unconfined
yes "the same, a user who gains nothing" - "${docker[@]}" "${fuse[@]}" --seccomp unconfined --user --no-new-privs
no "podman, no flags" 'podman run --device /dev/fuse IMAGE' "${podman[@]}"
yes "podman, /dev/fuse" lvm "${podman[@]}" "${fuse[@]}"
yes "the same, a user" - "${podman[@]}" "${fuse[@]}" --user
localhost='securityContext: \{seccompProfile: \{type: Localhost, localhostProfile: dmuse.json\}\}, with .*/seccomp.json as dmuse.json, and /dev/fuse from a device plugin'
no "a pod" "$localhost" "${pod[@]}"
no "a pod without a profile" "/dev/fuse from a device plugin" "${pod[@]}" --seccomp unconfined
yes "a pod with our profile" - "${pod[@]}" "${fuse[@]}" --seccomp dmuse
yes "a pod without a profile, /dev/fuse" - "${pod[@]}" "${fuse[@]}" --seccomp unconfined
like "no_new_privs: fusermount3 is of no use" "missing +dmuse mount: fusermount3 gets no privileges here.*no_new_privs" "$said"

# The commands of doc/containers.md: the cage has the same flags as the engines.
n=0
while read -r engine _ words; do
	n=$((n + 1))
	said=$(sed -E 's/--rm //; s/--user 1000/--user/; s/--security-opt seccomp=[^ ]*seccomp.json/--seccomp dmuse/; s/ IMAGE dmuse/ sh DMUSE/' <<<"$words")
	[ "$engine" = docker ] || said="--seccomp podman $said"
	read -ra words <<<"${said/DMUSE/$theirs/path}"
	like "as the page says: $engine run $said" "^Driver version:" "$(timeout 60 python3 "$cage" --show "$theirs" "${words[@]}" 2>&1)"
done < <(grep -E '^    (docker|podman) run ' "$root/doc/containers.md")
is "the page has commands" 4 $n

# One call less than our profile: each of them is needed, and reported as missing. (umount2 and chroot are for programs
# inside.)
for call in mount move_mount open_tree setns unshare; do
	no "without $call" "$admin" "${docker[@]}" "${fuse[@]}" --seccomp dmuse --deny $call
done
no "without memory" "docker run --device /dev/fuse --cap-add SYS_ADMIN --cap-add SYS_PTRACE IMAGE" "${docker[@]}" "${fuse[@]}" --seccomp dmuse \
	--deny memory
yes "without the calls for memory and descriptors" - "${docker[@]}" "${fuse[@]}" --seccomp dmuse --deny process_vm_readv --deny process_vm_writev \
	--deny pidfd_getfd
yes "without chroot" - "${docker[@]}" "${fuse[@]}" --seccomp dmuse --deny chroot

# Engines are recognized by other signs as well.
has "a pod by its environment" "in the pod's manifest" env KUBERNETES_SERVICE_HOST=10.0.0.1
has "docker by what is mounted" "$admin" --hosts /var/lib/docker/containers/0123/hosts
has "Kubernetes by what is mounted" "in the pod's manifest" --hosts /var/lib/kubelet/pods/0123/etc-hosts
container=podman has "podman by the word of process 1" "podman run"
has "loop devices" "missing +loop devices: .*" "${docker[@]}" "${fuse[@]}" --cap-add SYS_ADMIN
like "loop devices: the flags for them" "docker run .*--device /dev/loop-control --device-cgroup-rule 'b 7:\* rmw'.*--cap-add SYS_ADMIN" "$said"
ok "loop devices: no modprobe" sh -c '! grep -q modprobe' <<<"$said"
plan
