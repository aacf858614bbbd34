#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""
A path is bytes: files and directories of any name can be used in tables, are printed so that they can be loaded again,
and shown as they are.
"""
import json
import os
import plistlib
import subprocess
import tempfile

from protocol_client import DMUSE, Client
from session_lacks import session_lacks

# Every byte that a name can have, alone and inside; what is special to tables, the concise format, XML, terminals and
# shells.
BYTES = [bytes([b]) for b in range(1, 256) if b not in b"/.\n"] + [b"a%cz" % b for b in range(1, 256) if b not in b"/"]
NASTY = [b"caf\xe9", b"a\nb", b"\n", b"a\r", b"\r\n", b"end\\", b"\\\n", b"it's", b'"q"', b" blanks ", b"#no comment", b"a,b;c",
         b"file,direct", b"252:0", b"\x1b[31m", "ä€😀".encode(), b"\xef\xbf\xbe", b"\xed\xa0\x80", b"\xff\xfe", b"$(id)", b"&#13;<>&",
         b"%s%n", b"-x", b"..."]
count = failures = 0


def same(what, wanted, got):
    global count, failures
    count += 1
    failures += wanted != got
    print(f"{'ok' if wanted == got else 'not ok'} {count} - {what}", flush=True)
    if wanted != got:
        print(f"# wanted: {wanted!r:.800}\n# got:    {got!r:.800}")


def skip(what, why):
    global count
    count += 1
    print(f"ok {count} - {what} # SKIP {why}")


def run(*words, given=None, cwd=None):
    done = subprocess.run([DMUSE, *words], input=given, capture_output=True, cwd=cwd)
    return done.stdout if done.returncode == 0 else b"failed: " + done.stderr


def word(path):
    """PATH as one word of a table: a backslash takes the next character literally."""
    return b"".join(b"\\" + path[i:i + 1] if path[i] in b" \t\n\v\f\r\\'\"" else path[i:i + 1] for i in range(len(path)))


def table_of(files):
    return b"".join(b"%d 1 linear %s 0\n" % (i, word(f)) for i, f in enumerate(files))


def make(directory, name):
    """A file of one sector, called NAME in a directory called NAME, which contains its name."""
    os.makedirs(os.path.join(directory, name), exist_ok=True)
    path = os.path.join(directory, name, name)
    with open(path, "wb") as f:
        f.write(name.ljust(512, b"\0"))
    return path


def all_in_one_table(directory):
    files = [make(directory, name) for name in BYTES + NASTY]
    table = table_of(files)
    with open(os.path.join(directory, b"table"), "wb") as f:
        f.write(table)
    same("a file of a table with every name", b"", run("create", "all", os.path.join(directory, b"table")))
    same("table prints every one, so that it loads again", table, run("table", "all"))
    same("that is loaded", b"", run("load", "all", given=run("table", "all")))
    same("and is the same", table, run("table", "--inactive", "all"))
    rows = json.loads(run("table", "--json", "all"))[0]["targets"]
    same("in JSON, too, for os.fsencode()", [word(f) + b" 0" for f in files], [os.fsencode(r["params"]) for r in rows])
    deps = json.loads(run("deps", "--json", "all"))[0]["deps"]
    same("deps in JSON has the paths", sorted(files), sorted(os.fsencode(d["name"]) for d in deps))
    same("deps prints them as they are", True, all(b" (%s)" % f in run("deps", "all") for f in files[::37]))
    checked = json.loads(run("check", "--json", os.path.join(directory, b"table")))["lines"]
    same("what check says for programs", files, [os.fsencode(line["uses"][0]["name"]) for line in checked])
    same("and for people, a line each", len(files), run("check", os.path.join(directory, b"table")).count(b"\n"))
    concise = run("table", "--concise", "all")
    run("remove", "all")
    same("the concise format", b"", run("create", "--concise", given=concise))
    same("is the same table", table, run("table", "all"))
    with open(os.path.join(directory, b"tables"), "wb") as f:
        f.write(b"# a comment \\\n" + concise)
    return table


def one_by_one(directory):
    """As relative paths, from the directory itself."""
    wrong = []
    for name in NASTY:
        inside = os.path.dirname(make(directory, name))
        made = run("create", "one", "--table", b"0 1 linear ./%s 0" % word(name), cwd=inside)
        if made or run("table", "one") != b"0 1 linear %s 0\n" % word(os.path.join(inside, name)):
            wrong.append((name, made, run("table", "one")))
        run("remove", "one")
    same("a relative path, in a directory of such a name", [], wrong)


def tables_file(directory, table):
    os.mkdir(os.path.join(directory, b"run\xe9"), 0o700)
    control = os.path.join(directory, b"run\xe9", b"control")
    said = subprocess.run([DMUSE, "daemon", "--socket", control, "--tables", os.path.join(directory, b"tables")], capture_output=True)
    same("a tables file with all of them", (0, True), (said.returncode, b"1 device created, 0 failed" in said.stderr))
    same("on a socket in a directory of Latin-1", table, run("table", "--socket", control, "all"))
    uri = run("export", "--socket", control, "all").decode().strip()
    same("its address says the path", True, uri.endswith("run%E9/nbd"))
    copied = subprocess.run(["nbdcopy", uri, "-"], capture_output=True).stdout
    same("and what is read is what the files hold", BYTES + NASTY,
         [copied[i:i + 512].rstrip(b"\0") for i in range(0, len(copied), 512)])
    run("shutdown", "--socket", control)


def protocol(directory):
    client = Client(os.path.join(os.environ["XDG_RUNTIME_DIR"], "dmuse", "control"))
    for name in (b"caf\xe9", b"a\nb", b"\r\n", b"plain"):
        inside = os.path.dirname(make(directory, name))
        reply = client.ask("create", name="p", table=b"0 1 linear ./%s 0" % word(name), cwd=inside)
        same(f"{name}: data in a request", 0, reply["errno"])
        line = client.ask("table", name="p")["cmd_data"][0]["params"]
        text = client.ask("table", name="p", text=True)["table"]
        path = os.path.join(inside, name)
        same(f"{name}: a line", word(path) + b" 0", os.fsencode(line))
        same(f"{name}: the text", b"0 1 linear %s 0\n" % word(path), os.fsencode(text))
        same(f"{name}: a string where XML can carry it", name != b"caf\xe9", isinstance(line, str))
        client.ask("remove", name="p")
    reply = client.ask("create", name="p", table=b"0 1 zero\0")
    same("a NUL is none", (22, "key `table` is data with a NUL in it; it must be a string"), (reply["errno"], reply["error"]))
    client.close()


def sentences(directory):
    """Bytes are unchanged; control characters are made visible, so that one sentence is one line."""
    for name, shown in ((b"no caf\xe9", b"no caf\xe9"), ("ä €".encode(), "ä €".encode()), (b"a\nb\x1b[31m\t", rb"a\nb\033[31m\t")):
        said = run("create", "x", "--table", b"0 1 linear ./%s 0" % word(name), cwd=directory)
        same(f"{name} in a sentence", (True, 1), (b"/./" + shown + b"'" in said, said.count(b"\n")))
    failed = subprocess.run([DMUSE, "create", "x", "--json", "--table", b"0 1 linear ./no\xe9 0"], capture_output=True, cwd=directory)
    same("and in JSON", True, b"no\xe9" in os.fsencode(json.loads(failed.stdout)["error"]))
    label = os.path.join(directory, b"label\n\xe9")
    with open(label, "wb") as f:
        f.write(b"QFI\xfb\0\0\0\3".ljust(65536, b"\0"))
    warned = subprocess.run([DMUSE, "create", "x", "--table", b"0 8 linear %s 0" % word(label)], capture_output=True).stderr
    same("a warning", (True, 1), (rb"label\n" + b"\xe9'" in warned, warned.count(b"\n")))
    same("in JSON the warnings of check are as many", 1,
         len(json.loads(run("check", "--json", "--table", b"0 8 linear %s 0" % word(label)))["warnings"]))
    run("remove", "x")


def mounts(directory):
    wrong, made = [], []
    for name in (b"caf\xe9", b"a\nb", b"\r", b"end\\", b" blanks ", b"plain"):
        place = os.path.join(directory, b"mount" + name)
        os.mkdir(place)
        said = run("mount", place)
        wrong += [said] if said else []
        made.append(place)
    same("mounting", [], wrong)
    same("the mounts in JSON", sorted(made), sorted(os.fsencode(p) for p in json.loads(run("mount", "--json"))))
    same("the devices are files there", [["all", "zero"]] * len(made), [sorted(os.listdir(os.fsdecode(place))) for place in made])
    same("unmounting", [], [said for said in (run("umount", place) for place in made) if said])


def sessions(directory):
    for name in (b"caf\xe9", b"a\nb", b" \\'"):
        path = make(directory, name)
        said = run("exec", "--disk", b"d=" + path, "--create", b"v=0 1 linear " + word(path) + b" 0", "--", "head", "-c", "512", "/dev/d",
                   "/dev/mapper/v", "-q")
        same(f"{name}: --disk and --create", name.ljust(512, b"\0") * 2, said)
        run("remove", "v")
    inside = os.path.dirname(make(directory, b"caf\xe9"))
    same("a directory of Latin-1", inside + b"\n", run("exec", "--", "pwd", cwd=inside))


def main():
    with tempfile.TemporaryDirectory(prefix="paths") as path:
        directory = os.path.realpath(os.fsencode(path))
        os.environ["XDG_RUNTIME_DIR"] = os.path.join(path, "run")
        os.mkdir(os.environ["XDG_RUNTIME_DIR"], 0o700)
        run("daemon")
        table = all_in_one_table(directory)
        one_by_one(directory)
        tables_file(directory, table)
        protocol(directory)
        sentences(directory)
        run("create", "zero", "--table", "0 1 zero")
        if session_lacks():
            skip("mounts and sessions", session_lacks())
        else:
            mounts(directory)
            sessions(directory)
        run("shutdown")
    print(f"1..{count}")
    return failures > 0


if __name__ == "__main__":
    raise SystemExit(main())
