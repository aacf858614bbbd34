#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Runs every scenario of tests/kernel in a session of its own and compares its output with what was recorded on a real
kernel. tests/kernel/differences lists where dmuse differs on purpose; what is listed there must be exactly so.

  tests/tools/scenarios.py [--show] [NAME...]     --show: print the output instead of comparing
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[2]
KERNEL = ROOT / "tests/kernel"
DMUSE = os.environ.get("DMUSE", str(ROOT / "build/dmuse"))
DISK = 16 << 20
LIMIT = "240"           # seconds for a scenario: ten seconds of work take their time where everything is checked
SENTENCE = "dmuse: "    # what a refused ioctl prints besides its errno


def differences():
    """{scenario: [(kernel's lines, our lines)]}; lines "# ..." of the file are the reasons."""
    found, blocks = {}, None
    for line in (KERNEL / "differences").read_text().splitlines():
        if m := re.fullmatch(r"([a-z0-9-]+):", line):
            blocks = found.setdefault(m[1], [])
            blocks.append(([], []))
        elif line[:1] in "+-" and line:
            if line[0] == "-" and blocks[-1][1]:
                blocks.append(([], []))
            blocks[-1][line[0] == "+"].append(line[1:])
        elif line and line[0] != "#":
            raise ValueError(f"differences: what is this line for? {line}")
    return found


def find(lines, block, start):
    for at in range(start, len(lines) - len(block) + 1):
        if lines[at:at + len(block)] == block:
            return at
    return -1


def expected(name, blocks):
    """What was recorded, with our differences; each must apply, in order."""
    lines, at = (KERNEL / "recorded" / (name + ".out")).read_text().splitlines()[1:], 0
    for theirs, ours in blocks:
        at = find(lines, theirs, at)
        if at < 0:
            raise ValueError("the list of differences says that the kernel says:\n" + "\n".join(theirs))
        lines[at:at + len(theirs)] = ours
        at += len(ours)
    return lines


def play(name):
    with tempfile.TemporaryDirectory() as work:
        for disk in ("vda", "vdb"):
            with open(f"{work}/{disk}", "wb") as f:
                f.truncate(DISK)
        os.mkdir(work + "/run", 0o700)
        env = dict(os.environ, A="/dev/vda", B="/dev/vdb", CLEAN="", LIMIT=LIMIT, TMPDIR=work, XDG_RUNTIME_DIR=work + "/run",
                   PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
        env.pop("DMUSE_SOCKET", None)
        done = subprocess.run([DMUSE, "exec", "--disk", f"vda={work}/vda", "--disk", f"vdb={work}/vdb", "--",
                               "sh", KERNEL / "play", KERNEL / "scenarios" / (name + ".sh")],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, cwd=work)
        return [line for line in done.stdout.decode(errors="replace").splitlines() if not line.startswith(SENTENCE)]


def compare(name, blocks):
    """The lines in which the output differs from what is expected, as by diff."""
    seen = play(name)
    try:
        want = expected(name, blocks)
    except (ValueError, OSError) as e:
        return str(e).splitlines()
    if seen == want:
        return []
    with tempfile.TemporaryDirectory() as work:
        for side, lines in (("kernel", want), ("dmuse", seen)):
            pathlib.Path(work, side).write_text("\n".join(lines) + "\n")
        return subprocess.run(["diff", "-a", "-U1", "kernel", "dmuse"], cwd=work, stdout=subprocess.PIPE,
                              check=False).stdout.decode(errors="replace").splitlines()[2:]


def strangers(known):
    """Recordings of scenarios that do not exist, or that do not mention that the older kernel differs."""
    texts = {p.stem: p.read_text() for p in (KERNEL / "scenarios").glob("*.sh")}
    older = {p.name[:-len(".6.1.out")] for p in (KERNEL / "recorded").glob("*.6.1.out")}
    newer = {p.stem for p in (KERNEL / "recorded").glob("*.out")} - {n + ".6.1" for n in older}
    return ([f"differences: there is no scenario {n}" for n in sorted(set(known) - set(texts))] +
            [f"recorded: there is no scenario {n}" for n in sorted(newer - set(texts))] +
            [f"{n}: it does not say how Linux 6.1 differs" for n in sorted(older) if "# Linux 6.1 differs: " not in texts.get(n, "")] +
            [f"{n}: Linux 6.1 does not differ" for n in sorted(set(texts) - older) if "# Linux 6.1 differs: " in texts[n]])


def main():
    names = [w for w in sys.argv[1:] if w != "--show"]
    names = names or sorted(p.stem for p in (KERNEL / "scenarios").glob("*.sh"))
    if "--show" in sys.argv:
        for name in names:
            print("\n".join(play(name)))
        return
    sys.dont_write_bytecode = True
    from session_lacks import session_lacks
    lack = session_lacks()
    if lack:
        print(f"1..1\nok 1 - {len(names)} scenarios # SKIP {lack}")
        return
    known = differences()
    print(f"1..{len(names) + 1}")
    with ThreadPoolExecutor(max(2, os.cpu_count() or 1)) as pool:
        results = pool.map(lambda name: compare(name, known.get(name, [])), names)
        for number, (name, faults) in enumerate(zip(names, results), 1):
            print(f"{'not ok' if faults else 'ok'} {number} - {name}")
            for line in faults:
                print("#   " + line)
    faults = strangers(known)
    print(f"{'not ok' if faults else 'ok'} {len(names) + 1} - every answer and difference belongs to a scenario")
    for line in faults:
        print("#   " + line)


main()
