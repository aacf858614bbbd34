#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""
Property lists as other programs write and read them: Python's plistlib, and plistutil of libplist. Random ones, the
same each time.
"""
import os
import plistlib
import random
import shutil
import subprocess
import tempfile

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(os.environ["DMUSE"])), "tests", "programs", "plist_copy")
COUNT = 40
dice = random.Random(20260101)
count = failures = 0


def ok(what, good, why=""):
    global count, failures
    count += 1
    failures += not good
    print(f"{'ok' if good else 'not ok'} {count} - {what}", flush=True)
    if not good:
        print("# " + str(why)[:2000].replace("\n", "\n# "))


def text():
    """What XML can contain, except a carriage return, which an XML parser may take for the end of a line."""
    signs = "ab zZ09<>&'\"\t\n/äß€😀]]>;#x" + "\u0100\ufffd\U0010fffd"
    return "".join(dice.choice(signs) for _ in range(dice.choice((0, 1, 3, 20, 200))))


def value(depth):
    kind = dice.randrange(6 if depth else 4)
    if kind == 0:
        return text()
    if kind == 1:
        return dice.choice((0, 1, -1, dice.randrange(-2**63, 2**63), 2**63 - 1, -2**63, dice.randrange(2**64)))
    if kind == 2:
        return dice.random() < 0.5
    if kind == 3:
        return dice.randbytes(dice.choice((0, 1, 2, 3, 50, 51, 52, 300)))
    if kind == 4:
        return [value(depth - 1) for _ in range(dice.randrange(5))]
    return {text() or "k": value(depth - 1) for _ in range(dice.randrange(5))}


def ours(message):
    done = subprocess.run([PROGRAM], input=message, capture_output=True)
    return done.stdout if done.returncode == 0 else done.stderr


def plistutil(message, form):
    """MESSAGE in another form, as written by libplist."""
    with tempfile.NamedTemporaryFile() as a, tempfile.NamedTemporaryFile() as b:
        a.write(message)
        a.flush()
        done = subprocess.run(["plistutil", "-i", a.name, "-o", b.name, "-f", form], capture_output=True)
        return b.read() if done.returncode == 0 else done.stderr


def same(message, want):
    """Is MESSAGE equal to WANT, including the type of each value?"""
    try:
        return plistlib.dumps(plistlib.loads(message)) == plistlib.dumps(want)
    except Exception:           # whatever it is, the message is wrong
        return False


def by_hand():
    """What may be missing in random lists."""
    yield {}
    yield {"k" * 5000: "v" * 100000}
    yield {f"k{i}": i for i in range(256)}
    yield {"deep": [[[[[[[[[[[[[b"x" * 100]]]]]]]]]]]]]}
    yield {"long": list(range(5000))}


def compare(lists):
    wrong = []
    for want in lists:
        for theirs in (plistlib.dumps(want), plistlib.dumps(want, sort_keys=False)):
            out = ours(theirs)
            if not same(out, want) or list(plistlib.loads(out)) != list(plistlib.loads(theirs)):
                wrong.append((theirs, out))
    ok(f"{len(lists)} lists that plistlib writes are read, and it reads what is written", not wrong, wrong[:1])


def compare_plistutil(lists):
    wrong = []
    for want in lists:
        out = ours(plistlib.dumps(want))
        binary, xml = plistutil(out, "bin"), plistutil(plistlib.dumps(want, fmt=plistlib.FMT_BINARY), "xml")
        if not same(binary, want):
            wrong.append((out, "as plistutil reads it", binary))
        if not same(ours(xml), want):
            wrong.append((xml, "as we read it", ours(xml)))
    ok(f"{len(lists)} lists: plistutil reads what is written, and what it writes is read", not wrong, wrong[:1])


def main():
    lists = [{text() or "k": value(4) for _ in range(dice.randrange(8))} for _ in range(COUNT)]
    lists += list(by_hand())
    compare(lists)
    if shutil.which("plistutil"):
        compare_plistutil(lists)
    else:
        ok("plistutil # SKIP package libplist-utils is not installed", True)
    print(f"1..{count}")
    return failures > 0


if __name__ == "__main__":
    raise SystemExit(main())
