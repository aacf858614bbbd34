#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""
A daemon whose state was cut off or damaged has the devices of an earlier moment, each of them whole, or does not start, says
why and changes nothing. Bytes are drawn; the tests of the journal change every one.
"""
import os
import pathlib
import random
import shutil
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "kill"))
from control import Control     # noqa: E402
from manager import Died, Manager       # noqa: E402
from model import asked     # noqa: E402

DMUSE = os.environ.get("DMUSE", str(ROOT / "build" / "dmuse"))
CUTS, FLIPS = 25, 25
LOGS = 12288            # where the log begins in the file
REFUSALS = ("is damaged at byte", "is not a file in which dmuse keeps its state", "was written by a newer dmuse")


class Broken(Exception):
    pass


def commands(image):
    for i in range(4):
        table = f"0 8 linear {image} {8 * i}\n8 {8 + i} zero"
        yield {"command": "create", "name": f"d{i}", "uuid": f"uuid-{i}", "table": table}
    yield {"command": "reload", "name": "d1", "table": "0 16 zero"}
    yield {"command": "resume", "name": "d1"}
    yield {"command": "rename", "name": "d2", "cmd_data": ["other"]}
    yield {"command": "reload", "name": "d0", "table": "0 16 error"}
    yield {"command": "suspend", "name": "d3"}
    yield {"command": "remove", "name": "other"}


def write_state(manager, image):
    """What the daemon had after each command."""
    manager.start()
    manager.wait_until_ready()
    control = Control(manager.control)
    moments = [asked(control)]
    for request in commands(image):
        reply = control.ask(**request)
        if reply["errno"]:
            raise Broken(f"{request}: {reply.get('error')}")
        moments.append(asked(control))
    control.close()
    manager.kill()
    manager.forget()
    return moments


def damages(good, rng):
    for at in [rng.randrange(LOGS) for _ in range(3)] + [rng.randrange(LOGS, len(good)) for _ in range(CUTS)]:
        yield f"cut at byte {at}", good[:at]
    for at in [rng.randrange(128), 4096 + rng.randrange(48)] + [rng.randrange(LOGS, len(good)) for _ in range(FLIPS)]:
        bit = 1 << rng.randrange(8)
        yield f"byte {at} changed by {bit:#x}", good[:at] + bytes([good[at] ^ bit]) + good[at + 1:]


def try_one(manager, path, what, bytes_, moments):
    """Was it refused?"""
    path.write_bytes(bytes_)
    open(manager.log, "w", encoding="utf-8").close()
    manager.start()
    try:
        manager.wait_until_ready()
    except Died:
        said = " ".join(manager.last_words())
        if not any(r in said for r in REFUSALS):
            raise Broken(f"{what}: {said}") from None
        if path.read_bytes() != bytes_:
            raise Broken(f"{what}: what was refused was changed") from None
        return True
    control = Control(manager.control)
    got = asked(control)
    control.close()
    manager.kill()
    manager.forget()
    if got not in moments:
        raise Broken(f"{what}: {got}")
    return False


def main():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="dmuse-damage-"))
    seed = os.environ.get("SEED", "1")
    try:
        image = directory / "image"
        image.write_bytes(bytes(1 << 20))
        manager = Manager(DMUSE, str(directory), ["--state", f"{directory}/kept", "--nbd-socket", "none"])
        moments = write_state(manager, image)
        path = directory / "kept" / "state"
        refused = [try_one(manager, path, what, data, moments)
                   for what, data in damages(path.read_bytes(), random.Random(seed))]
        print(f"ok 1 - {len(refused)} damaged states give an earlier one, or a sentence ({sum(refused)} times)")
        good = 0 < sum(refused) < len(refused)
        print(f"{'ok' if good else 'not ok'} 2 - both happens")
    except Broken as e:
        print(f"not ok 1 - a damaged state, seed {seed}\n# {e}")
        print("ok 2 - nothing else was tried")
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    print("1..2")


main()
