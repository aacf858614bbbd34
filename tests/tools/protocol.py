#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""The protocol of doc/protocol.md, as clients see it: keys, order, errors, NetBSD's own clients, large tables."""
import os
import plistlib
import random
import subprocess

from protocol_client import (ACTIVE, DEFERRED, EBUSY, EEXIST, EINVAL, EIO, ENOENT, EXISTS, INACTIVE, NOFLUSH,
                             QUERY_INACTIVE, READONLY, ROOT, STATUS_TABLE, SUSPEND, fails, lines, run, same, works)

tests = []


def test(f):
    tests.append(f)
    return f


@test
def the_example_works_as_the_documentation_prints_it(d, c):
    path = os.path.join(ROOT, "doc", "example-client.py")
    out = subprocess.run(["/usr/bin/python3", path, d.path], capture_output=True, text=True, check=True).stdout
    same(out, "example has 3048 sectors in 2 lines\n0 2048 zero \n2048 1000 error \n")
    same(works(c.ask("names"))["cmd_data"], [])
    with open(os.path.join(ROOT, "doc", "protocol.md"), encoding="utf-8") as f:
        printed = f.read().split("```python\n")[1].split("```")[0]
    with open(path, encoding="utf-8") as f:
        same(printed, f.read())


@test
def a_client_of_NetBSDs_own_library_is_served(d, c):
    """Exactly its dictionaries: hex numbers, version 4.0.0, an empty cmd_data, flags with EXISTS."""
    def libdm(command, flags="0x4", data="<array/>"):
        return works(c.raw('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC "-//Apple Computer//DTD PLIST '
                           '1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n<plist version="1.0">\n<dict>\n'
                           f"\t<key>cmd_data</key>\n\t{data}\n\t<key>command</key>\n\t<string>{command}</string>\n"
                           f"\t<key>event_nr</key>\n\t<integer>0x0</integer>\n\t<key>flags</key>\n\t<integer>{flags}"
                           "</integer>\n\t<key>name</key>\n\t<string>vg-lv</string>\n\t<key>uuid</key>\n\t<string>LVM-1"
                           "</string>\n\t<key>version</key>\n\t<array>\n\t\t<integer>0x4</integer>\n\t\t<integer>0x0"
                           "</integer>\n\t\t<integer>0x0</integer>\n\t</array>\n</dict>\n</plist>\n\0".rstrip("\0")))
    minor = libdm("create")["minor"]
    libdm("reload", data="<array><dict><key>length</key><integer>0x800</integer><key>params</key><string></string>"
                         "<key>start</key><integer>0x0</integer><key>type</key><string>zero</string></dict></array>")
    libdm("resume")
    reply = libdm("info")
    same((reply["minor"], reply["flags"], reply["target_count"], reply["uuid"]), (minor, EXISTS | ACTIVE, 1, "LVM-1"))
    same(libdm("table", "0x14")["cmd_data"], [{"start": 0, "length": 2048, "type": "zero", "params": "", "status": 0}])
    libdm("suspend", "0x6")
    same(libdm("info")["flags"], EXISTS | ACTIVE | SUSPEND)
    libdm("resume")
    libdm("remove")
    same(works(c.ask("names"))["cmd_data"], [])


@test
def the_reply_is_the_request_edited(d, c):
    mine = {"cookie": 5, "note": "<&>\u00e4\U0001f4be", "deep": [{"a": [True, b"\0\1"]}]}
    reply = works(c.ask("create", name="d", table="0 8 zero", **mine))
    same({k: reply[k] for k in mine}, mine)
    same((reply["command"], reply["name"], "table" in reply, "error" in reply), ("create", "d", False, False))
    reply = fails(c.ask("info", name="e", error="mine", **mine), ENOENT, "'e'")
    same({k: reply[k] for k in mine}, mine)


@test
def versions(d, c):
    for sent, got in ([4, 0, 0], [4, 48, 0]), ([4, 48, 9], [4, 48, 0]), ([4, 16, 0, "tail"], [4, 48, 0, "tail"]):
        same(works(c.ask("version", version=sent))["version"], got)
    same(works(c.ask("version"))["version"], [4, 48, 0])
    for bad in [4, 49, 0], [3, 0, 0], [5, 0, 0]:
        fails(c.ask("version", version=bad), EIO, f"{bad[0]}.{bad[1]}", "4.48")
    for bad in [], ["4", "0", "0"], "4.0.0", 4:
        fails(c.ask("version", version=bad), EINVAL, "version")


@test
def targets_and_stores_tell_their_usage(d, c):
    rows = {r["name"]: r for r in works(c.ask("targets"))["cmd_data"]}
    same({"linear", "striped", "zero", "error"} <= set(rows), True, list(rows))
    same(rows["linear"]["usage"], "<device> <offset>")
    same(all(len(r["ver"]) == 3 and r["about"] for r in rows.values()), True)
    same(all(r["usage"] and r["about"] for r in works(c.ask("stores"))["cmd_data"]), True)


@test
def names_tell_all_that_info_tells(d, c):
    works(c.ask("create", name="b", uuid="U", table="0 8 zero\n8 8 error", flags=READONLY))
    works(c.ask("create", name="a"))
    b, a = works(c.ask("names"))["cmd_data"]
    for name, row in ("a", a), ("b", b):
        info = works(c.ask("info", name=name))
        same(row["dev"], info["minor"])
        for key in "name", "uuid", "major", "minor", "flags", "open_count", "event_nr", "target_count", "sectors":
            same(row[key], info[key], key)
    same((b["sectors"], b["target_count"], b["flags"]), (16, 2, READONLY | EXISTS | ACTIVE))


@test
def names_tell_what_all_devices_use_if_asked(d, c):
    image = d.image("img", 16)
    works(c.ask("create", name="low", table=f"0 8 linear {image} 0"))
    works(c.ask("create", name="high", table=f"0 8 linear low 0\n8 8 linear {image} 8"))
    works(c.ask("create", name="none"))
    works(c.ask("reload", name="none", table="0 8 linear low 0"))
    same(any("deps" in row for row in works(c.ask("names"))["cmd_data"]), False)
    for flags in 0, QUERY_INACTIVE:
        for row in works(c.ask("names", with_deps=True, flags=flags))["cmd_data"]:
            same(row["deps"], works(c.ask("deps", name=row["name"], flags=flags))["deps"], row["name"])
    fails(c.ask("names", with_deps=1), EINVAL, "with_deps", "boolean")


@test
def create_with_a_table_is_all_or_nothing(d, c):
    for bad in "", "0 8", "0 8 zero\n9 8 zero", "0 8 zero x y\n0 8", "nonsense":
        fails(c.ask("create", name="d", table=bad), EINVAL)
        same(works(c.ask("names"))["cmd_data"], [], bad)
    fails(c.ask("create", name="d", table="0 8 zero", cmd_data=[{}]), EINVAL, "mutually exclusive")
    same(works(c.ask("create", name="d", table="# a comment\n\n 0 8 zero\n"))["flags"], EXISTS | ACTIVE)
    fails(c.ask("create", name="d", table="0 8 zero"), EEXIST, "'d'")


@test
def paths_are_the_clients(d, c):
    d.image("some disk", 16)
    table = "0 8 linear some\\ disk 8"
    fails(c.ask("create", name="d", table=table), ENOENT, "some disk")
    fails(c.ask("create", name="d", table=table, cwd="relative"), EINVAL, "cwd")
    works(c.ask("create", name="d", table=table, cwd=d.directory.name))
    printed = lines(c, "d")
    works(c.ask("create", name="e", table=" ".join(map(str, printed[0]))))
    same(lines(c, "e"), printed)


@test
def sizes_only_where_they_are_asked_for(d, c):
    fails(c.ask("create", name="d", table="0 64K zero"), EINVAL, "64K")
    same(works(c.ask("create", name="d", table="0 64K zero", sizes=True))["sectors"], 128)
    fails(c.ask("create", name="e", table="0 8 zero", sizes=1), EINVAL, "sizes", "boolean")


@test
def two_tables_and_the_way_between_them(d, c):
    works(c.ask("create", name="d", table="0 8 zero"))
    same(works(c.ask("reload", name="d", table="0 16 error"))["flags"], EXISTS | ACTIVE | INACTIVE)
    same(works(c.ask("info", name="d", flags=QUERY_INACTIVE))["target_count"], 1)
    same(lines(c, "d", flags=QUERY_INACTIVE | STATUS_TABLE), [(0, 16, "error", "")])
    works(c.ask("clear", name="d"))
    same(lines(c, "d", flags=QUERY_INACTIVE), [])
    works(c.ask("reload", name="d", table="0 24 zero"))
    same(works(c.ask("suspend", name="d", flags=NOFLUSH))["flags"] & ~NOFLUSH, EXISTS | ACTIVE | INACTIVE | SUSPEND)
    same(works(c.ask("resume", name="d"))["flags"], EXISTS | ACTIVE)
    same(works(c.ask("info", name="d"))["sectors"], 24)


@test
def the_minor_goes_before_the_name_and_the_name_before_the_uuid(d, c):
    a = works(c.ask("create", name="a", uuid="UA"))["minor"]
    works(c.ask("create", name="b", uuid="UB"))
    same(works(c.ask("info", name="b", uuid="UB", minor=a))["name"], "a")
    same(works(c.ask("info", name="b", uuid="UA"))["name"], "b")
    same(works(c.ask("info", name="", uuid="UA"))["name"], "a")
    same(works(c.ask("info", name="b", minor=0))["name"], "b")
    fails(c.ask("info", name="b", minor=4711), ENOENT, "4711")


@test
def removal_by_force_and_later(d, c):
    works(c.ask("create", name="d", table="0 8 zero"))
    works(c.ask("create", name="top", table="0 8 linear /dev/mapper/d 0"))
    fails(c.ask("remove", name="d"), EBUSY, "'d'")
    same(works(c.ask("remove", name="d", flags=DEFERRED))["flags"] & DEFERRED, DEFERRED)
    same(works(c.ask("info", name="d"))["flags"], EXISTS | ACTIVE | DEFERRED)
    works(c.ask("remove", name="top"))
    fails(c.ask("info", name="d"), ENOENT)
    works(c.ask("create", name="d", table="0 8 zero"))
    works(c.ask("create", name="top", table="0 8 linear /dev/mapper/d 0"))
    works(c.ask("remove_all"))
    same(works(c.ask("names"))["cmd_data"], [])


@test
def a_uuid_is_set_once(d, c):
    works(c.ask("create", name="d"))
    same(works(c.ask("set_uuid", name="d", cmd_data=["U"]))["uuid"], "U")
    fails(c.ask("set_uuid", name="d", cmd_data=["V"]), EINVAL, "'U'")
    same(works(c.ask("info", uuid="U"))["name"], "d")


@test
def messages_reach_the_target_of_their_sector(d, c):
    works(c.ask("create", name="d", table="0 8 zero\n8 8 error"))
    fails(c.ask("message", name="d", message="hello"), EINVAL, "zero")
    fails(c.ask("message", name="d", message="hello", sector=8), EINVAL, "error")
    fails(c.ask("message", name="d", message="hello", sector=16), EINVAL, "16")
    fails(c.ask("message", name="d"), EINVAL, "`message`")


@test
def counters(d, c):
    works(c.ask("create", name="d", table="0 8 zero"))
    stats = works(c.ask("stats", name="d", reset=True))["stats"]
    same(sorted(stats), ["discard", "flush", "read", "write", "zeroes"])
    for row in stats.values():
        same(sorted(row), ["errors", "ios", "latency", "ns", "sectors"])
        same((row["ios"], set(row["latency"])), (0, {0}))


@test
def check_explains_and_touches_nothing(d, c):
    image = d.image("check", 16)
    reply = works(c.ask("check", table=f"0 8 zero\n8 8 linear {image} 8"))
    same([(r["start"], r["length"], r["type"]) for r in reply["cmd_data"]], [(0, 8, "zero"), (8, 8, "linear")])
    same(image in reply["cmd_data"][1]["params"], True)
    fails(c.ask("check", table=f"0 8 linear {image} 38x"), EINVAL, "line 1", "word 2", "'38x'")
    fails(c.ask("check"), EINVAL, "table")
    same(works(c.ask("names"))["cmd_data"], [])


@test
def export_without_a_server_says_so(d, c):
    works(c.ask("create", name="d"))
    fails(c.ask("export", name="d"), 45, "NBD")


@test
def wait_ends_with_the_event_and_others_go_on(d, c):
    works(c.ask("create", name="d"))
    info = works(c.ask("info", name="d"))
    event = info["event_nr"]
    waiter = d.client()     # by minor: the rename may be faster than the wait
    waiter.send(plistlib.dumps({"command": "wait", "minor": info["minor"], "event_nr": event}))
    works(c.ask("rename", name="d", cmd_data=["e"]))
    same(plistlib.loads(waiter.receive())["event_nr"], event + 1)
    waiter.close()


@test
def a_million_lines_are_one_string(d, c):
    table = "".join(f"{8 * i} 8 {'zero' if i % 2 else 'error'}\n" for i in range(1000000))
    same(works(c.ask("create", name="d", table=table))["target_count"], 1000000)
    same(works(c.ask("table", name="d", text=True))["table"].replace(" \n", "\n") == table, True, "the table comes back")
    fails(c.ask("table", name="d"), 40, "1000000", "`text`")
    with open(f"/proc/{d.process.pid}/maps", encoding="utf-8") as maps:
        sanitized = "asan" in maps.read()
    with open(f"/proc/{d.process.pid}/status", encoding="utf-8") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    same(sanitized or peak < 250 << 10, True, f"peak of {peak} KiB")


@test
def mutilated_messages_get_a_sentence(d, c):
    chance = random.Random(1)
    whole = plistlib.dumps({"command": "reload", "name": "d", "version": [4, 0, 0], "flags": 4, "x": [b"data", True],
                            "cmd_data": [{"start": 0, "length": 8, "type": "zero", "params": "&"}]})
    for _ in range(2000):
        message = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(message))
            message[at:at + chance.randint(0, 4)] = chance.randbytes(chance.randint(0, 2))
        c.send(bytes(message))
        got = c.receive()
        reply = plistlib.loads(got)
        same(reply["errno"] == 0 or len(reply["error"]) > 8, True, reply)
        if not message.startswith(b"<?xml "):
            c.close()
            c.__init__(d.path)
    fails(c.ask("info", name="d"), ENOENT)


@test
def bytes_that_are_no_message_end_the_connection(d, c):
    fails(c.raw(b"bplist00"), EIO, "binary")
    same(c.receive(), b"")


run(tests)
