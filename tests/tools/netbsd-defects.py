#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""
Defects of NetBSD's driver as of 2016, each with what has to happen instead. The letter and number in a name identify
the defect: A crashed or corrupted memory, B gave wrong results. What needs I/O is tested elsewhere, with requests.
"""
import os

from protocol_client import (ACTIVE, EBUSY, EEXIST, EINVAL, EIO, ENOENT, EXISTS, INACTIVE, PERSISTENT_DEV, READONLY,
                             QUERY_INACTIVE, STATUS_TABLE, SUSPEND, fails, lines, run, same, works)

tests = []


def test(f):
    tests.append(f)
    return f


def row(start, length, target, params=""):
    return {"start": start, "length": length, "type": target, "params": params}


def load(c, *rows, name="d", command="reload"):
    return c.ask(command, name=name, cmd_data=list(rows))


@test
def A2_overlapping_lines_are_refused(d, c):
    works(c.ask("create", name="d"))
    fails(load(c, row(0, 100, "zero"), row(50, 100, "zero")), EINVAL, "line 2", "50", "100")


@test
def A3_a_line_without_params_is_refused(d, c):
    works(c.ask("create", name="d"))
    for target in "linear", "striped", "zero", "error":
        line = row(0, 8, target)
        del line["params"]
        fails(load(c, line), EINVAL, "line 1", "params")
        fails(load(c, row(0, 8, "zero"), line), EINVAL, "line 2", "params")


@test
def A4_linear_without_an_offset_is_refused(d, c):
    image = d.image("a4", 100)
    works(c.ask("create", name="d"))
    fails(load(c, row(0, 8, "linear", image)), EINVAL, "line 1", "<offset>")
    fails(load(c, row(0, 8, "linear", "")), EINVAL, "line 1", "<device>")
    fails(load(c, row(0, 8, "linear", " \t ")), EINVAL, "line 1", "<device>")
    fails(load(c, row(0, 8, "linear", f"{image} 0 more")), EINVAL, "line 1", "more")


@test
def A5_striped_with_any_word_missing_is_refused(d, c):
    image = d.image("a5", 100)
    words = ["2", "8", image, "0", image, "48"]
    works(c.ask("create", name="d"))
    for n in range(len(words)):
        fails(load(c, row(0, 32, "striped", " ".join(words[:n]))), EINVAL, "line 1", "striped")
    works(load(c, row(0, 32, "striped", " ".join(words))))


@test
def A6_striped_takes_more_than_four_stripes(d, c):
    image = d.image("a6", 800)
    params = "8 8 " + " ".join(f"{image} {100 * i}" for i in range(8))
    works(load(c, row(0, 64, "striped", params), command="create"))
    same(lines(c, "d"), [(0, 64, "striped", params)])


@test
def A7_no_stripes_and_no_chunk_are_refused(d, c):
    image = d.image("a7", 100)
    works(c.ask("create", name="d"))
    fails(load(c, row(0, 16, "striped", f"0 8 {image} 0")), EINVAL, "<#stripes>")
    fails(load(c, row(0, 16, "striped", f"1 0 {image} 0")), EINVAL, "<chunk>")
    fails(load(c, row(0, 16, "striped", f"1 -8 {image} 0")), EINVAL, "-8")


@test
def A8_B19_zero_and_error_resume_and_have_a_size(d, c):
    works(c.ask("create", name="d"))
    works(load(c, row(0, 10, "zero"), row(10, 20, "error")))
    works(c.ask("resume", name="d"))
    same(works(c.ask("info", name="d"))["sectors"], 30)


@test
def A9_reload_without_an_array_of_dictionaries_is_refused(d, c):
    works(c.ask("create", name="d"))
    fails(c.ask("reload", name="d"), EINVAL, "cmd_data")
    for data in "0 8 zero", 8, {"start": 0}, True, b"data":
        fails(c.ask("reload", name="d", cmd_data=data), EINVAL, "cmd_data", "array")
    for element in "0 8 zero", 8, [], False, b"data":
        fails(c.ask("reload", name="d", cmd_data=[element]), EINVAL, "line 1", "dictionary")
        fails(c.ask("reload", name="d", cmd_data=[row(0, 8, "zero"), element]), EINVAL, "line 2")
    fails(c.ask("reload", name="d", cmd_data=[]), EINVAL)


@test
def A10_a_device_mapped_onto_itself_is_refused(d, c):
    works(load(c, row(0, 8, "zero"), name="x", command="create"))
    fails(load(c, row(0, 8, "linear", "/dev/mapper/x 0"), name="x"), EINVAL, "x")
    works(load(c, row(0, 8, "linear", "/dev/mapper/x 0"), name="y", command="create"))
    works(load(c, row(0, 8, "linear", "/dev/mapper/y 0"), name="z", command="create"))
    fails(load(c, row(0, 8, "linear", "/dev/mapper/z 0"), name="x"), EINVAL, "x")
    same(lines(c, "x"), [(0, 8, "zero", "")])


@test
def A11_what_is_missing_is_never_made_up(d, c):
    works(c.ask("create", name="d"))
    for key in "start", "length", "type":
        line = row(0, 8, "zero")
        del line[key]
        fails(load(c, line), EINVAL, "line 1", f"`{key}`")
        fails(load(c, {**row(0, 8, "zero"), key: [1]}), EINVAL, "line 1", f"`{key}`")
    for data in [], [5], [["new"]], ["a", "b"]:
        fails(c.ask("rename", name="d", cmd_data=data), EINVAL, "cmd_data")
    fails(c.ask("rename", name="d"), EINVAL, "cmd_data")
    for command in "info", "remove", "resume", "table", "deps", "clear":
        fails(c.ask(command), EINVAL, "name")
        fails(c.ask(command, minor=0), EINVAL, "name")
        fails(c.ask(command, name=["d"]), EINVAL, "name", "string")
    same([n["name"] for n in works(c.ask("names"))["cmd_data"]], ["d"])


@test
def A13_a_failed_create_leaves_nothing(d, c):
    minor = works(c.ask("create", name="d", uuid="U"))["minor"]
    same("minor" in fails(c.ask("create", name="d"), EEXIST, "'d'"), False)
    fails(c.ask("create", name="other", uuid="U"), EEXIST, "'U'", "'d'")
    fails(c.ask("create", name="other", table="0 8 nothing"), ENOENT, "nothing")
    same(len(works(c.ask("names"))["cmd_data"]), 1)
    works(c.ask("remove", name="d"))
    same(works(c.ask("create", name="d", uuid="U"))["minor"] <= minor + 1, True, "minors are not used up")


@test
def B1_every_failure_is_told(d, c):
    for command, keys in (("info", {}), ("mknodes", {}), ("suspend", {}), ("resume", {}), ("clear", {}), ("status", {}),
                          ("table", {}), ("deps", {}), ("remove", {}), ("stats", {}), ("message", {"message": "x"}),
                          ("rename", {"cmd_data": ["n"]}), ("set_uuid", {"cmd_data": ["n"]}),
                          ("reload", {"cmd_data": [row(0, 8, "zero")]}), ("wait", {"event_nr": 0})):
        reply = fails(c.ask(command, name="nobody", flags=EXISTS, **keys), ENOENT, "nobody")
        same(reply["flags"] & EXISTS, 0, command)
    fails(c.ask("frobnicate"), EINVAL, "frobnicate", "create", "remove_all")
    fails(c.ask("info", version=[5, 0, 0]), EIO, "5.0")
    fails(c.ask(["info"]), EINVAL, "command")
    works(c.ask("create", name="d"))
    fails(load(c, row(0, 8, "linear", "/nowhere/at/all 0")), ENOENT, "/nowhere/at/all")


@test
def B2_suspend_and_resume_keep_the_live_table(d, c):
    works(load(c, row(0, 8, "zero"), command="create"))
    for command, flags in (("suspend", EXISTS | ACTIVE | SUSPEND), ("resume", EXISTS | ACTIVE), ("resume", EXISTS | ACTIVE)):
        same(works(c.ask(command, name="d"))["flags"], flags, command)
    same(lines(c, "d"), [(0, 8, "zero", "")])


@test
def B4_a_failed_reload_leaves_both_tables(d, c):
    works(load(c, row(0, 8, "zero"), command="create"))
    works(load(c, row(0, 16, "error")))
    fails(load(c, row(0, 4, "zero"), row(4, 4, "nothing")), ENOENT, "line 2", "nothing")
    fails(load(c, row(0, 4, "zero"), row(4, 4, "linear", "")), EINVAL, "line 2")
    same(lines(c, "d"), [(0, 8, "zero", "")])
    same(lines(c, "d", flags=QUERY_INACTIVE), [(0, 16, "error", "")])
    works(c.ask("resume", name="d"))
    same(lines(c, "d"), [(0, 16, "error", "")])


@test
def B5_failures_do_not_pile_up(d, c):
    image = d.image("b5", 8)
    works(c.ask("create", name="d"))
    for _ in range(500):
        fails(load(c, row(0, 8, "linear", f"{image} 0"), row(8, 8, "linear", f"{image} 1")), EINVAL, "line 2")
    same([f for f in os.listdir(f"/proc/{d.process.pid}/fd") if link(d, f) == str(image)], [])


def link(d, fd):
    try:
        return os.readlink(f"/proc/{d.process.pid}/fd/{fd}")
    except OSError:
        return ""


@test
def B6_rename_to_a_name_in_use_is_refused(d, c):
    works(c.ask("create", name="d"))
    works(c.ask("create", name="e"))
    fails(c.ask("rename", name="d", cmd_data=["e"]), EEXIST, "'e'")
    works(c.ask("rename", name="d", cmd_data=["d"]))
    for name in "d", "e":
        works(c.ask("info", name=name))
        works(c.ask("remove", name=name))


@test
def B7_rename_by_uuid_works(d, c):
    minor = works(c.ask("create", name="d", uuid="U-1"))["minor"]
    works(c.ask("rename", uuid="U-1", cmd_data=["e"]))
    same(works(c.ask("info", name="e"))["minor"], minor)


@test
def B8_B10_a_device_in_use_is_counted_and_not_removed(d, c):
    works(load(c, row(0, 8, "zero"), command="create"))
    works(load(c, row(0, 8, "linear", "/dev/mapper/d 0"), name="top", command="create"))
    same(works(c.ask("info", name="d"))["open_count"], 1)
    fails(c.ask("remove", name="d"), EBUSY, "'d'", "'top'")
    same(lines(c, "d"), [(0, 8, "zero", "")])
    works(c.ask("remove", name="top"))
    same(works(c.ask("info", name="d"))["open_count"], 0)
    works(c.ask("remove", name="d"))


@test
def B9_a_read_only_device_says_so(d, c):
    works(load(c, row(0, 8, "zero"), name="rw", command="create"))
    works(c.ask("create", name="ro", table="0 8 zero", flags=READONLY))
    same(works(c.ask("info", name="ro"))["flags"], READONLY | EXISTS | ACTIVE)
    same(works(c.ask("info", name="rw", flags=READONLY))["flags"], EXISTS | ACTIVE)


@test
def B11_events_are_counted_and_minors_pinned(d, c):
    same(works(c.ask("create", name="d", minor=77, flags=PERSISTENT_DEV))["minor"], 77)
    fails(c.ask("create", name="e", minor=77, flags=PERSISTENT_DEV), EBUSY, "77", "'d'")
    fails(c.ask("create", name="e", flags=PERSISTENT_DEV), EINVAL, "minor")
    event = works(c.ask("info", name="d"))["event_nr"]
    works(c.ask("rename", name="d", cmd_data=["e"]))
    reply = works(c.ask("waitevent", name="e", event_nr=event))
    same(reply["event_nr"], event + 1)


@test
def B12_B13_a_table_is_checked_whole(d, c):
    image = d.image("b13", 100)
    works(c.ask("create", name="d"))
    for rows, part in (([row(1, 8, "zero")], "line 1"), ([row(0, 0, "zero")], "line 1"),
                       ([row(0, 8, "zero"), row(9, 8, "zero")], "line 2"),
                       ([row(0, 8, "zero"), row(7, 8, "zero")], "line 2"),
                       ([row(8, 8, "zero"), row(0, 8, "zero")], "line"),
                       ([row(0, 2 ** 63 - 1, "zero"), row(2 ** 63 - 1, 2 ** 63 - 1, "zero")], "line"),
                       ([row(0, 101, "linear", f"{image} 0")], "line 1"),
                       ([row(0, 8, "zero"), row(8, 8, "linear", f"{image} 93")], "line 2")):
        fails(load(c, *rows), EINVAL, part)
    works(load(c, row(0, 92, "zero"), row(92, 8, "linear", f"{image} 92")))
    works(c.ask("resume", name="d"))
    same(works(c.ask("info", name="d"))["sectors"], 100)


@test
def B14_names_are_whole_or_refused(d, c):
    longest = "n" * 127
    same(works(c.ask("create", name=longest))["name"], longest)
    works(c.ask("info", name=longest))
    fails(c.ask("create", name="n" * 128), EINVAL, "127")
    works(c.ask("create", name="d"))
    for name in "", "a/b", "control", ".", "..", "n" * 128, "n" * 100000:
        fails(c.ask("create", name=name), EINVAL, "name")
        fails(c.ask("rename", name="d", cmd_data=[name]), EINVAL, "name")
    fails(c.ask("create"), EINVAL, "name")
    same(len(works(c.ask("names"))["cmd_data"]), 2)


@test
def B15_uuids_are_whole_or_refused(d, c):
    longest = "u" * 128
    works(c.ask("create", name="d", uuid=longest))
    same(works(c.ask("info", uuid=longest))["uuid"], longest)
    fails(c.ask("create", name="e", uuid="u" * 129), EINVAL, "128")


@test
def B16_long_paths_are_whole_and_used_twice(d, c):
    directory = os.path.join(d.directory.name, "p" * 200)
    os.mkdir(directory)
    image = d.image(os.path.join("p" * 200, "q" * 200), 16)
    works(load(c, row(0, 8, "linear", f"{image} 8"), row(8, 8, "linear", f"{image} 0"), command="create"))
    same(lines(c, "d"), [(0, 8, "linear", f"{image} 8"), (8, 8, "linear", f"{image} 0")])
    same([x["name"] for x in works(c.ask("deps", name="d"))["deps"]], [image])


@test
def B20_status_and_table_have_their_text(d, c):
    image = d.image("b20", 8)
    works(load(c, row(0, 8, "linear", f"{image} 0"), command="create"))
    same(lines(c, "d", "table"), [(0, 8, "linear", f"{image} 0")])
    same(lines(c, "d", "status", flags=STATUS_TABLE), [(0, 8, "linear", f"{image} 0")])
    same(lines(c, "d", "status"), [(0, 8, "linear", "")])


@test
def B21_numbers_are_numbers(d, c):
    image = d.image("b21", 100)
    works(c.ask("create", name="d"))
    for number in "-5", "12abc", "0x10", "+1", "1.5", "18446744073709551616", "99999999999999999999999", "''":
        fails(load(c, row(0, 8, "linear", f"{image} {number}")), EINVAL, "line 1", number.strip("'"))
    for key in "start", "length":
        fails(load(c, {**row(0, 8, "zero"), key: -1}), EINVAL, "line 1", f"`{key}`", -1)


@test
def B22_B23_flags_are_the_truth_whatever_was_sent(d, c):
    lies = READONLY | SUSPEND | EXISTS | ACTIVE | INACTIVE
    works(c.ask("create", name="d"))
    for sent in 0, lies:
        for command in "info", "mknodes", "status", "table", "deps":
            same(works(c.ask(command, name="d", flags=sent))["flags"], EXISTS, command)
    works(load(c, row(0, 8, "zero")))
    works(c.ask("resume", name="d"))
    works(load(c, row(0, 8, "error")))
    for sent in 0, lies:
        for command in "info", "status", "table":
            same(works(c.ask(command, name="d", flags=sent))["flags"], EXISTS | ACTIVE | INACTIVE, command)
    same(works(c.ask("clear", name="d"))["flags"], EXISTS | ACTIVE)


@test
def B24_the_log_is_quiet(d, c):
    size = d.log_size()
    for target in "zero", "error":
        works(load(c, row(0, 8, target), command="create", name=target))
        fails(load(c, row(0, 8, "nothing"), name=target), ENOENT)
    same(d.log_size(), size)


@test
def B25_every_dependency_is_right_and_there_once(d, c):
    minors = [works(load(c, row(0, 8, "zero"), name=n, command="create"))["minor"] for n in ("a", "b")]
    works(load(c, *(row(8 * i, 8, "linear", f"/dev/mapper/{n} 0") for i, n in enumerate("abab")), command="create"))
    reply = works(c.ask("deps", name="d"))
    wanted = {(reply["major"] << 8 & 0xFFF00) | (m << 12 & 0xFFF00000) | (m & 0xFF) for m in minors}
    same(sorted(reply["cmd_data"]), sorted(wanted))
    same(sorted((x["name"], x["minor"]) for x in reply["deps"]), sorted(zip("ab", minors)))


@test
def B27_what_is_written_can_be_read(d, c):
    for value in "<data/>", "<data></data>", "<string/>", "<array/>", "<dict/>", "<integer>0x10</integer>":
        reply = works(c.raw(f"<plist><dict><key>command</key><string>names</string><key>x</key>{value}</dict></plist>"))
        wanted = {"<data": b"", "<stri": "", "<arra": [], "<dict": {}, "<inte": 16}[value[:5]]
        same(reply["x"], wanted, value)
    works(c.raw("<!-- first --><plist><!-- second --><dict><key>command</key><string>names</string></dict></plist>"))


run(tests)
