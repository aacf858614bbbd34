# SPDX-License-Identifier: BSD-2-Clause
"""LUKS1: dmuse, qemu-storage-daemon's luks driver and nbdkit's luks filter on the same file; crypt beside its library."""
import contextlib
import os

import fio
import servers
from measure import Absent, Failed, Row, Task, call, name_values

KEY = bytes(range(64))
PASSPHRASE = "not a secret"
GROUP = "LUKS1 (aes-xts-plain64) over NBD, Unix socket, tmpfs"
CORE = "Crypt in process, 128 KiB, beside libgcrypt alone"
JOBS = (("randread-4k", 1), ("randread-4k", 32), ("randwrite-4k", 32), ("read-128k", 8), ("write-128k", 8))


def core_rows():
    got = []
    for threads in (1, 2):
        for sector in (512, 4096):
            for what in ("write", "read"):
                id = f"crypt.core.{threads}.{sector}.{what}"
                name = f"{what}, sectors of {sector}, {threads} thread{'s' * (threads > 1)}"
                got.append(Row(id, CORE, name, "MB/s"))
                got.append(Row(f"{id}.beyond", CORE, f"{name}: beyond zeroes, to the library", "times"))
    return got


def core(plan, place):
    command = [f"{place.build}/bench/bench_crypt", *plan.pick([], ["--quick"], ["--tiny"])]
    rows = core_rows()
    measured = {}

    def measure():
        measured.update(name_values(call(*command)))
        return {row.id: measured[key] for row in rows if (key := mine(row.id, ".dmuse")) in measured}

    def library():
        return {row.id: measured[key] for row in rows if (key := mine(row.id, ".library")) in measured and "beyond" not in row.id}

    def mine(id, side):
        name = id.removeprefix("crypt.core.")
        return name if name.endswith(".beyond") else name + side

    # The library's figures are of the same run: it comes second.
    return Task("crypt.core", {"dmuse": measure, "library": library}, rows, 1, plan.pick(15, 6, 1), " ".join(command))


def luks_file(place, dmuse):
    """(file, first sector of the data): LUKS1 with a key that is known here."""
    path, key, phrase = place.fast / "luks.img", place.directory / "key", place.directory / "phrase"
    key.write_bytes(KEY)
    phrase.write_text(PASSPHRASE)
    call("truncate", "-s", str(place.size + (4 << 20)), str(path))
    call(*dmuse.session(), "cryptsetup", "luksFormat", "-q", "--type", "luks1", "--cipher", "aes-xts-plain64", "--key-size", "512",
         "--hash", "sha256", "--pbkdf-force-iterations", "1000", "--volume-key-file", str(key), str(path), str(phrase))
    said = call("cryptsetup", "luksDump", str(path))
    start = int(next(line.split()[-1] for line in said.splitlines() if line.startswith("Payload offset")))
    return path, phrase, start


def nbdkit(place, path, phrase):
    address, uri = servers.nbd_address(str(place.directory), "nbdkit-luks", "unix")
    server = servers.Server("nbdkit luks", ["nbdkit", "-f", "-U", address, "--filter=luks", "file", str(path), f"passphrase=+{phrase}"],
                            servers.listens(address))
    server.uri = uri.format("")
    return server


def qemu(place, path, phrase):
    address, uri = servers.nbd_address(str(place.directory), "qemu-luks", "unix")
    server = servers.Server("qemu luks", [
        "qemu-storage-daemon", "--object", f"secret,id=phrase,file={phrase}",
        "--blockdev", f"driver=file,node-name=file,filename={path},aio=io_uring",
        "--blockdev", "driver=luks,node-name=disk,file=file,key-secret=phrase",
        "--nbd-server", f"addr.type=unix,addr.path={address}",
        "--export", "type=nbd,id=export,node-name=disk,name=disk,writable=on"], servers.listens(address))
    server.uri = uri.format("disk")
    return server


def contestants(stack, place, dmuse, path, phrase, start, sectors):
    """All of them show the same plain text."""
    dmuse.create("luks", f"0 {sectors} crypt aes-xts-plain64 {KEY.hex()} 0 {path} {start}")
    dmuse.create("linear", f"0 {sectors} linear {path} {start}")
    got = {"dmuse": (dmuse.uri("luks", "unix"), dmuse.cpu), "linear": (dmuse.uri("linear", "unix"), dmuse.cpu)}
    head = call("sh", "-c", 'nbdcopy "$1" - | head -c 1048576 | sha256sum', "sh", got["dmuse"][0])
    for name, make in (("nbdkit", nbdkit), ("qemu", qemu)):
        try:
            server = make(place, path, phrase)
            stack.callback(server.stop)
            if call("sh", "-c", 'nbdcopy "$1" - | head -c 1048576 | sha256sum', "sh", server.uri) != head:
                raise Failed("it shows other bytes")
            got[name] = server.uri, server.cpu
        except (Absent, Failed) as e:
            place.notes.append(f"{name} is left out over LUKS: {e}")
    return {name: (["--ioengine=nbd", "--uri=" + uri, f"--size={sectors * 512}"], cpu, ()) for name, (uri, cpu) in got.items()}


@contextlib.contextmanager
def tasks(plan, place):
    with contextlib.ExitStack() as stack:
        dmuse = servers.Dmuse(place.dmuse, f"{place.directory}/luks")
        stack.callback(dmuse.stop)
        todo = [core(plan, place)]
        try:
            path, phrase, start = luks_file(place, dmuse)
            sectors = os.path.getsize(path) // 512 - start
            them = contestants(stack, place, dmuse, path, phrase, start, sectors)
            for job, depth in JOBS[:1] if plan.mode == "tiny" else JOBS:
                todo.append(fio.task(f"crypt.luks.{job}.{depth}", GROUP, job, depth, 1, them, plan.key_rounds, plan.key_seconds, path))
        except Absent as e:
            place.notes.append(f"crypt over NBD is left out: {e}")
        yield todo
