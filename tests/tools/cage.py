# SPDX-License-Identifier: BSD-2-Clause
"""
A cage: the environment of a program in a container, without an engine. Namespaces, a root directory of its own (writes go
to memory), /dev, masked /proc, a read-only /sys, the engine's capabilities and its seccomp profile. Only root can
create one; it is gone with the program.

  cage.py [OPTION...] PROGRAM [WORD...]     (a variable named container is in the environment of process 1 alone)

  --device NODE       also a node of the machine's /dev, as with `--device` of docker and podman
  --cap-add NAME      SYS_ADMIN, ...: beyond docker's fourteen
  --cap-drop-all      as `--cap-drop ALL`, and Kubernetes' capabilities: {drop: [ALL]}
  --seccomp PROFILE   docker (the default), podman, dmuse (ours for docker), or unconfined
  --deny CALL         a system call that this profile allows; "memory": no access to another process's memory
  --user              user 1000, who has no capabilities
  --no-new-privs      as `--security-opt no-new-privileges`, and Kubernetes' allowPrivilegeEscalation: false
  --file PATH         an empty file at PATH
  --hosts PATH        /etc/hosts is mounted from there, as engines do
  --show PATH         this directory of the machine's can be written to
"""
import argparse
import ctypes
import errno
import json
import os
import pathlib
import platform
import signal
import stat
import sys

PROFILE = pathlib.Path(__file__).resolve().parents[2] / "contrib" / "seccomp.json"
CAPABILITIES = ("chown dac_override fsetid fowner mknod net_raw setgid setuid setfcap setpcap net_bind_service sys_chroot kill "
                "audit_write").split()
# The differences of podman's default profile from docker's that matter here.
PODMAN_ALLOWS = ("mount umount umount2 unshare setns clone clone3 pivot_root fsopen fsconfig fsmount fspick move_mount open_tree "
                 "mount_setattr pidfd_getfd kcmp").split()
PODMAN_FORBIDS = "ptrace process_vm_readv process_vm_writev".split()
NODES = {"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9}
LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx"}
MASKED = ("/proc/acpi /proc/asound /proc/kcore /proc/keys /proc/scsi /proc/timer_list /sys/firmware").split()
READ_ONLY = "/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger".split()

SIGNS = "/.dockerenv /run/.containerenv /run/systemd/container".split()

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x4000000, 0x8000000, 0x20000000, 0x40000000
MNT_DETACH, PIVOT_ROOT = 2, {"x86_64": 155, "aarch64": 41}
PR_SET_PDEATHSIG = 1
COMPARE = {"SCMP_CMP_NE": 1, "SCMP_CMP_LT": 2, "SCMP_CMP_LE": 3, "SCMP_CMP_EQ": 4, "SCMP_CMP_GE": 5, "SCMP_CMP_GT": 6, "SCMP_CMP_MASKED_EQ": 7}
ALLOW, FAIL = 0x7FFF0000, 0x00050000

libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result < 0:
        error = ctypes.get_errno()
        sys.exit(f"cage: {what}: {os.strerror(error)}")


def mount(source, target, kind=None, flags=0, data=None):
    words = [w.encode() if w else None for w in (source, target, kind)]
    check(libc.mount(*words, ctypes.c_ulong(flags), data.encode() if data else None), f"mount {target}")


class Compare(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def rules(profile, caps):
    """(call, action, arguments) of a profile in docker's format."""
    for block in profile["syscalls"]:
        names = {c.removeprefix("CAP_").lower() for c in block.get("includes", {}).get("caps", [])}
        not_names = {c.removeprefix("CAP_").lower() for c in block.get("excludes", {}).get("caps", [])}
        if names <= caps and not not_names & caps:
            action = ALLOW if block["action"] == "SCMP_ACT_ALLOW" else FAIL | block.get("errnoRet", 1)
            for name in block["names"]:
                yield name, action, block.get("args", [])


def profile_of(name):
    """Ours is docker's plus a block of seven calls."""
    profile = json.loads(PROFILE.read_text())
    if name != "dmuse":
        profile["syscalls"] = [b for b in profile["syscalls"] if "dmuse" not in b.get("comment", "")]
    if name == "podman":
        profile["syscalls"].append({"names": PODMAN_ALLOWS, "action": "SCMP_ACT_ALLOW"})
    return profile


def load_filter(name, profile, caps, denied):
    if name == "podman" and "sys_ptrace" not in caps:
        denied = denied | set(PODMAN_FORBIDS)
    if "memory" in denied:
        denied = denied | {"process_vm_readv"}
    lib = ctypes.CDLL("libseccomp.so.2")
    lib.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(lib.seccomp_init(FAIL | errno.EPERM))
    lib.seccomp_attr_set(context, 3, 0)     # no_new_privs is not changed
    done = set()
    for call, action, args in rules(profile, caps):
        if call == "pread64" and "memory" in denied:    # /proc/PID/mem is read at offsets that no file has
            args = [{"index": 3, "op": "SCMP_CMP_LT", "value": 1 << 32}]
        number = lib.seccomp_syscall_resolve_name(call.encode())
        rule = (number, action, json.dumps(args))
        if number == -1 or call in denied or rule in done:
            continue
        done.add(rule)
        array = (Compare * len(args))(*(Compare(a["index"], COMPARE[a["op"]], a["value"], a.get("valueTwo", 0)) for a in args))
        lib.seccomp_rule_add_array(context, ctypes.c_uint32(action), number, len(args), array)  # contradictory rules are left out
    if lib.seccomp_load(context):
        sys.exit("cage: the filter cannot be loaded")


def make_dev(dev, devices):
    mask = os.umask(0)
    mount("tmpfs", dev, "tmpfs", MS_NOSUID, "mode=755,size=64k")
    for name, minor in NODES.items():
        os.mknod(f"{dev}/{name}", stat.S_IFCHR | 0o666, os.makedev(1, minor))
    os.mknod(f"{dev}/tty", stat.S_IFCHR | 0o666, os.makedev(5, 0))
    for node in devices:
        there = os.stat(node)
        os.mknod(dev + node.removeprefix("/dev"), stat.S_IFMT(there.st_mode) | 0o666, there.st_rdev)
    os.umask(mask)
    for name, target in LINKS.items():
        os.symlink(target, f"{dev}/{name}")
    for name, kind, data in (("pts", "devpts", "newinstance,ptmxmode=0666"), ("shm", "tmpfs", "mode=1777"), ("mqueue", "mqueue", None)):
        os.mkdir(f"{dev}/{name}")
        mount(kind, f"{dev}/{name}", kind, MS_NOSUID | MS_NOEXEC, data)


def mask(root):
    for path in (root + p for p in MASKED):
        if os.path.isdir(path):
            mount("tmpfs", path, "tmpfs", MS_RDONLY)
        elif os.path.exists(path):
            mount(root + "/dev/null", path, flags=MS_BIND)
    for path in (root + p for p in READ_ONLY):
        if os.path.exists(path):
            mount(path, path, flags=MS_BIND | MS_REC)
            mount(None, path, flags=MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)


def make_root(o):
    """At /tmp, which is only visible here; what is there elsewhere is reached through descriptors."""
    shown = [(path, os.open(path, os.O_PATH)) for path in o.show]
    mount("tmpfs", "/tmp", "tmpfs")
    for name in ("up", "work", "root"):
        os.mkdir(f"/tmp/{name}", 0o755)
    root = "/tmp/root"
    mount("overlay", root, "overlay", 0, "lowerdir=/,upperdir=/tmp/up,workdir=/tmp/work")
    mount("proc", root + "/proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV)
    mount("sysfs", root + "/sys", "sysfs", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY)
    mount("tmpfs", root + "/tmp", "tmpfs", 0, "mode=1777")
    make_dev(root + "/dev", o.device)
    for path in SIGNS:      # the machine may be a container itself
        if os.path.exists(root + path):
            os.unlink(root + path)
    for path in o.file:
        os.makedirs(root + os.path.dirname(path), exist_ok=True)
        pathlib.Path(root + path).touch()
    if o.hosts:
        os.makedirs(f"/tmp/up.hosts{os.path.dirname(o.hosts)}")
        pathlib.Path(f"/tmp/up.hosts{o.hosts}").touch()
        pathlib.Path(root + "/etc/hosts").touch()       # a bare system has none
        mount(f"/tmp/up.hosts{o.hosts}", root + "/etc/hosts", flags=MS_BIND)
    for path, fd in shown:
        os.makedirs(root + path, exist_ok=True)
        mount(f"/proc/self/fd/{fd}", root + path, flags=MS_BIND | MS_REC)
        os.close(fd)
    mask(root)
    os.chdir(root)
    check(libc.syscall(PIVOT_ROOT[platform.machine()], b".", b"."), "pivot_root")
    check(libc.umount2(b".", MNT_DETACH), "umount")
    os.chdir("/tmp")


def become(o):
    """setpriv(1) does the rest: the program has what it leaves."""
    caps = ({c.lower() for c in o.cap_add} if o.cap_drop_all else set(CAPABILITIES) | {c.lower() for c in o.cap_add})
    if o.seccomp != "unconfined":
        load_filter(o.seccomp, o.profile, caps, set(o.deny))
    words = ["setpriv", "--pdeathsig", "KILL", "--bounding-set", ",".join(["-all"] + [f"+{c}" for c in caps]), "--inh-caps", "-all"]
    if o.no_new_privs:
        words += ["--no-new-privs"]
    if o.user:
        words += ["--reuid", "1000", "--regid", "1000", "--clear-groups"]
    os.environ.update(TMPDIR="/tmp", HOME="/tmp")
    # Process 1 only waits, as with `docker run --init`.
    os.execvp("setpriv", words + ["sh", "-c", 'unset container; "$@"; exit $?', "sh"] + o.program)


def inside(o):
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    mount(None, "/", flags=MS_REC | MS_PRIVATE)
    make_root(o)
    become(o)


def main():
    p = argparse.ArgumentParser(usage=__doc__)
    for name in ("--device", "--cap-add", "--deny", "--file", "--show"):
        p.add_argument(name, action="append", default=[])
    p.add_argument("--seccomp", default="docker", choices=("docker", "podman", "dmuse", "unconfined"))
    p.add_argument("--hosts")
    p.add_argument("--cap-drop-all", action="store_true")
    p.add_argument("--user", action="store_true")
    p.add_argument("--no-new-privs", action="store_true")
    p.add_argument("program", nargs=argparse.REMAINDER)
    o = p.parse_args()
    o.profile = profile_of(o.seccomp)   # inside, a checkout below /tmp cannot be seen
    check(libc.unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET), "unshare")
    child = os.fork()
    if not child:
        inside(o)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 255)


if __name__ == "__main__":
    main()
