# SPDX-License-Identifier: BSD-2-Clause
"""One run of fio: requests (or bytes) per second, and the CPU time of the server's processes meanwhile."""
import json
import os

from measure import Failed, Row, Task, call

COMMON = ["--name=job", "--thread", "--time_based", "--norandommap", "--randrepeat=0", "--gtod_reduce=1",
          "--group_reporting", "--output-format=json"]

# First word of an id -> its name, fio's options, the unit.
JOBS = {
    "randread-4k": ("random read 4 KiB", "--rw=randread --bs=4k", "IOPS"),
    "randwrite-4k": ("random write 4 KiB", "--rw=randwrite --bs=4k", "IOPS"),
    "read-128k": ("sequential read 128 KiB", "--rw=read --bs=128k", "MB/s"),
    "write-128k": ("sequential write 128 KiB", "--rw=write --bs=128k", "MB/s"),
    "read-1m": ("sequential read 1 MiB", "--rw=read --bs=1m", "MB/s"),
    "write-1m": ("sequential write 1 MiB", "--rw=write --bs=1m", "MB/s"),
    # Once to each block, so that a chunk is never written to twice.
    "first-16k": ("random first write 16 KiB", "--rw=randwrite --bs=16k --time_based=0 --norandommap=0", "IOPS"),
    "flush-4k": ("write 4 KiB, then flush", "--rw=randwrite --bs=4k --fsync=1", "IOPS"),
}


def words_of(job, depth, connections):
    return [*JOBS[job][1].split(), f"--iodepth={depth}", f"--numjobs={connections}"]


def run(words, seconds, cpu=None, around=()):
    """(IOPS, bytes per second, CPU seconds of the server per million requests). AROUND: command in which fio is run."""
    before = cpu() if cpu else 0
    out = call(*around, "fio", *COMMON, f"--runtime={round(seconds * 1000)}ms", *words)
    spent = (cpu() if cpu else 0) - before
    job = json.loads(out[out.index("{"):])["jobs"][0]       # it first prints that it is connected
    side = max((job["read"], job["write"]), key=lambda s: s["total_ios"])
    if not side["total_ios"]:
        raise Failed(f"fio {' '.join(words)} did nothing: {job.get('error')}")
    return side["iops"], side["bw_bytes"], spent / side["total_ios"] * 1e6


def settle(image):
    """What one has written must not be left for the next one's flush."""
    fd = os.open(image, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


def task(id, group, job, depth, connections, contestants, rounds, seconds, image, before=lambda contestant: None):
    """CONTESTANTS: name -> (other options of fio, function for CPU seconds or None, command around). BEFORE each measurement."""
    name, _, unit = JOBS[job]
    words = words_of(job, depth, connections)
    rows = [Row(id, group, f"{name}, depth {depth}", unit),
            Row(id + ".cpu", group, f"{name}, depth {depth}: server CPU", "s per million", "less")]

    def measure(name, target, cpu, around):
        before(name)
        settle(image)
        iops, speed, spent = run([*target, *words], seconds, cpu, around)
        return {id: iops if unit == "IOPS" else speed / 1e6, **({id + ".cpu": spent} if cpu else {})}

    return Task(id, {c: lambda c=c, t=t: measure(c, *t) for c, t in contestants.items()}, rows, rounds, seconds,
                " ".join(["fio", *COMMON[1:], *contestants["dmuse"][0], *words]))
