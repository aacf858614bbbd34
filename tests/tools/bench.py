#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
The benchmark works: a tiny measurement of every family, as a table, as JSON and as a picture. The figures mean nothing.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.dom.minidom

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = os.environ.get("BUILD", str(ROOT / "build"))
FAMILIES = ("nbd", "core", "load", "control", "fuse", "session", "journal")
count = 0


def ok(what, good, why=""):
    global count
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {what}")
    for line in [] if good else str(why).splitlines():
        print("#   " + line)


def run(*words):
    return subprocess.run([ROOT / "bench" / "run", *words], capture_output=True, text=True, stdin=subprocess.DEVNULL)


def results(directory):
    done = run("--tiny", "--out", directory, BUILD)
    ok("it measures and says how it went", done.returncode == 0, done.stdout + done.stderr)
    ok("without a terminal, progress is a line a family", "\r" not in done.stderr and "nbd: about" in done.stderr,
       done.stderr)
    got = json.loads(pathlib.Path(directory, "bench.json").read_text())
    for family in FAMILIES:
        why = [n for n in got["notes"] if n.startswith(family + ": left out")]
        rows = [r for r in got["rows"] if r["id"].startswith(family + ".") and "dmuse" in r["values"]]
        if not why:
            shown = [r["name"] in done.stdout for r in rows if not r["id"].endswith(".cpu")]
            ok(f"figures of family {family}", shown and all(shown), "\n".join(got["notes"]) + done.stdout)
        else:
            ok(f"figures of family {family} # SKIP {why[0]}", True)
    ok("the notes name no failure", not any("FAILED" in n for n in got["notes"]), got["notes"])
    ok("machine, versions and commands are there",
       got["machine"]["cpus"] and got["versions"]["fio"] and "dmuse tmpfs" in got["commands"], got)
    picture = xml.dom.minidom.parse(str(pathlib.Path(directory, "bench.svg"))).documentElement
    ok("the plot is an SVG with a bar for every figure", picture.tagName == "svg" and
       len(picture.getElementsByTagName("rect")) > len([r for r in got["rows"] if r["values"] and ".cpu" not in r["id"]]))
    return got


def judged(got):
    """The code that reads the results, with invented results: a bar that is missed, a figure that became worse."""
    sys.path.insert(0, str(ROOT / "bench"))
    sys.dont_write_bytecode = True
    import bars
    import report
    row = {"id": "nbd.unix.tmpfs.1.randread-4k.1", "group": "G", "name": "N", "unit": "IOPS", "better": "more",
           "values": {"dmuse": {"median": 150.0}, "nbdkit": {"median": 100.0}, "qemu": {"median": 80.0}},
           "ratios": {"nbdkit": 1.5, "qemu": 1.875}}
    verdicts = list(bars.judge({row["id"]: row}))
    ok("a bar looks at the better peer", [(v["got"], v["met"]) for v in verdicts] == [(1.5, False)], verdicts)
    ok("a miss is called a miss", any("MISS" in line for line in report.verdicts(verdicts, {row["id"]: row})))
    limit = {**row, "values": {**row["values"], "zero": {"median": 160.0}}}
    verdicts = list(bars.judge({row["id"]: limit}))
    ok("with what the transport allows beside it", [v["transport"] for v in verdicts] == [1.6] and
       any("behind the transport: 1.60" in line for line in report.verdicts(verdicts, {row["id"]: limit})), verdicts)
    now = {**got, "mode": "full", "rows": [row]}
    slower = {**row, "ratios": {"nbdkit": 1.1, "qemu": 1.8}}
    ok("what became worse is named", [r["id"] for r, _ in report.worse({**now, "rows": [slower]}, now)] == [row["id"]])
    ok("noise is not", not list(report.worse({**now, "rows": [{**row, "ratios": {"nbdkit": 1.4, "qemu": 1.8}}]}, now)))


def rows_of_targets():
    import nbd
    text = (ROOT / "src" / "targets" / "targets.list").read_text()
    targets = {name.replace("_", "-") for name in re.findall(r"^TARGET\((\w+)\)$", text, re.M)}
    measured = {"linear", "zero"} | {row[1] for row in nbd.SOME + nbd.REST}     # those two are beside others
    ok("each target has a row; error has nothing to measure", targets - measured == {"error"}, targets - measured)


def main():
    with tempfile.TemporaryDirectory() as directory:
        judged(results(f"{directory}/not/there/yet"))
        rows_of_targets()
        pathlib.Path(directory, "file").touch()
        done = run("--tiny", "--out", f"{directory}/file", BUILD, "control")
        ok("a place that cannot take the results is refused before anything is measured", done.returncode == 2 and
           done.stderr.endswith(f"error: the results cannot be written to {directory}/file: File exists\n"), done.stderr)
        done = run(directory, "control")
        ok("and a directory without the program", done.returncode == 2 and f"there is no {directory}/dmuse" in done.stderr, done.stderr)
    done = run(BUILD, "nonsense")
    ok("an unknown family is refused with those that there are",
       done.returncode == 2 and "no family nonsense" in done.stderr and "control" in done.stderr, done.stderr)
    print(f"1..{count}")


main()
