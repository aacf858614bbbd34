# SPDX-License-Identifier: BSD-2-Clause
"""
FUSE: the session's block device compared with qemu-storage-daemon's FUSE export, nbdfuse and the raw file, all
O_DIRECT.
"""
import contextlib
import os
import subprocess

import fio
import servers
from measure import Absent, Failed, call

KEY = ["randread-4k 1", "randread-4k 32", "read-128k 8"]
REST = ["randwrite-4k 1", "randwrite-4k 32", "write-128k 8", "read-1m 8", "flush-4k 1", "randread-4k 1 8"]     # 8 threads


def mounted(path):
    """A FUSE file is another file than the one that was there before."""
    before = os.stat(path).st_dev
    return lambda: os.stat(path).st_dev != before


def empty_file(path):
    open(path, "w").close()
    return path


def unmount(path):
    """Unmounts what is left if its server died; does nothing if it ended normally."""
    subprocess.run(["fusermount3", "-q", "-u", "-z", path], capture_output=True)


def dmuse_files(stack, place):
    """
    (daemon, directory, command around fio): block devices of a session, or mounted files if there are no sessions.
    """
    daemon = servers.Dmuse(place.dmuse, f"{place.directory}/fuse")
    stack.callback(daemon.stop)
    daemon.create("disk", f"0 {place.size // 512} linear {place.image('tmpfs')} {servers.OFFSET // 512}")
    daemon.create("zero", f"0 {place.size // 512} zero")        # only the transport
    try:
        return daemon, "/dev/mapper", daemon.session()
    except Absent as e:
        place.notes.append(f"no session, so FUSE figures are of a file of dmuse mount: {e}")
    directory = f"{place.directory}/mnt"
    os.makedirs(directory)
    try:
        daemon.do("mount", directory)
    except Failed as e:
        raise Absent(str(e)) from None
    stack.callback(unmount, directory)
    return daemon, directory, ()


def qemu_file(stack, place):
    path = empty_file(f"{place.directory}/qemu-fuse")
    stack.callback(unmount, path)
    command = ["qemu-storage-daemon", *servers.qemu_disk(place.image("tmpfs"), place.size),
               "--export", f"type=fuse,id=fuse,node-name=disk,mountpoint={path},writable=on"]
    server = servers.Server("qemu over FUSE", command, mounted(path))
    stack.callback(server.stop)
    return server.cpu, path


def nbdfuse_file(stack, place):
    """nbdfuse is a client of nbdkit, and both cost."""
    path = empty_file(f"{place.directory}/nbdfuse")
    behind = servers.nbdkit(str(place.directory), "nbdfuse", place.image("tmpfs"), place.size, "unix")
    stack.callback(behind.stop)
    stack.callback(unmount, path)
    server = servers.Server("nbdfuse", ["nbdfuse", path, behind.uri], mounted(path))
    stack.callback(server.stop)
    return lambda: server.cpu() + behind.cpu(), path


@contextlib.contextmanager
def tasks(plan, place):
    if not os.path.exists("/dev/fuse"):
        raise Absent("there is no /dev/fuse")
    with contextlib.ExitStack() as stack:
        daemon, directory, around = dmuse_files(stack, place)
        them = {"dmuse": ([f"--filename={directory}/disk"], daemon.cpu, around)}
        for name, start in (("qemu", qemu_file), ("nbdfuse", nbdfuse_file)):
            try:
                cpu, path = start(stack, place)
                them[name] = [f"--filename={path}"], cpu, ()
            except (Absent, Failed) as e:
                place.notes.append(f"{name} is left out of the FUSE figures: {e}")
        them["raw"] = [f"--filename={place.image('tmpfs')}", f"--offset={servers.OFFSET}"], None, ()
        for name, (target, _, inside) in them.items():
            same_bytes(place, name, target[0].partition("=")[2], inside)
        limits = {"zero": ([f"--filename={directory}/zero"], daemon.cpu, around)}
        yield [task(plan, place, {**them, **(limits if job in KEY else {})}, job in KEY, *job.split())
               for job in plan.pick(KEY + REST, KEY, KEY[:1])]


def same_bytes(place, name, path, inside):
    """Otherwise the figures mean nothing."""
    if name != "raw":
        call(*inside, "cmp", f"--bytes={place.size}", f"--ignore-initial=0:{servers.OFFSET}", path,
             place.image("tmpfs"))


def task(plan, place, them, key, job, depth, jobs="1"):
    engine = "--ioengine=psync" if depth == "1" else "--ioengine=libaio"
    group = "FUSE, tmpfs, O_DIRECT" + ("" if jobs == "1" else f", {jobs} threads")
    return fio.task(f"fuse.tmpfs.{jobs}.{job}.{depth}", group, job, int(depth), int(jobs),
                    {c: ([*t[0], engine, "--direct=1", f"--size={place.size}"], *t[1:]) for c, t in them.items()},
                    plan.key_rounds if key else plan.rounds, plan.key_seconds if key else plan.seconds,
                    place.images["tmpfs"])
