# SPDX-License-Identifier: BSD-2-Clause
"""Devices and their commands."""
import errno
import os
import threading

import pytest

import dmuse


class fails:
    """The body raises dmuse.Error with this number, and a sentence that says all PARTS."""

    def __init__(self, code, *parts):
        self.code, self.parts = code, parts

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        assert isinstance(error, dmuse.Error), f"{error!r} is not a dmuse.Error"
        assert errno.errorcode[error.errno] == errno.errorcode[self.code]
        for part in self.parts:
            assert part in str(error)
        return True


def test_a_table_is_text_or_lines(dmuse_daemon, tmp_path):
    image = tmp_path / "two words.img"
    image.write_bytes(bytes(1 << 20))
    vd = dmuse_daemon.create("vd", [(0, "512K", "linear", image, 8), "1024 8 error"])
    assert [tuple(line)[:3] for line in vd.table()] == [(0, 1024, "linear"), (1024, 8, "error")]
    assert vd.table()[0].params == f"{dmuse.quote(image)} 8"
    assert vd.size == 1032 * 512
    dmuse_daemon.create("again", vd.table() and [str(line) for line in vd.table()])
    assert dmuse_daemon["again"].table() == vd.table()
    assert vd.status() == [dmuse.Line(0, 1024, "linear", ""), dmuse.Line(1024, 8, "error", "")]


def test_a_path_may_have_any_bytes(dmuse_daemon, tmp_path):
    image = os.path.join(os.fsencode(tmp_path), b"\xff\x01 \n'")
    with open(image, "wb") as f:
        f.truncate(8192)
    vd = dmuse_daemon.create("v\xe4 d", [(0, 8, "linear", image, 0)])
    assert os.fsencode(vd.table()[0].params).startswith(os.fsencode(tmp_path))
    dmuse_daemon.create("same", [str(vd.table()[0])])
    assert [d.name for d in dmuse_daemon.devices()] == ["v\xe4 d", "same"]


def test_a_relative_path_is_below_the_current_directory(dmuse_daemon, tmp_path, monkeypatch):
    (tmp_path / "disk.img").write_bytes(bytes(4096))
    monkeypatch.chdir(tmp_path)
    assert str(tmp_path) in dmuse_daemon.create("vd", "0 8 linear disk.img 0").table()[0].params


def test_a_table_is_loaded_and_activated(dmuse_daemon):
    vd = dmuse_daemon.create("vd", "0 8 zero")
    vd.load("0 16 zero")
    assert (vd.info().inactive, vd.size, vd.table(inactive=True)[0].length) == (True, 8 * 512, 16)
    vd.resume()
    assert (vd.info().inactive, vd.size) == (False, 16 * 512)
    vd.load("0 8 error")
    vd.clear()
    assert not vd.info().inactive
    vd.swap("0 8 error")
    assert vd.table()[0].target == "error"


def test_errors_have_the_sentence_and_the_number(dmuse_daemon):
    vd = dmuse_daemon.create("vd", "0 8 zero")
    with fails(errno.EEXIST, "'vd'"):
        dmuse_daemon.create("vd", "0 8 zero")
    with fails(errno.EINVAL, "line 2", "8x"):
        dmuse_daemon.create("x", "0 8 zero\n8 8x zero")
    with fails(errno.ENOENT, "nosuch"):
        vd.load("0 8 nosuch")
    with fails(errno.EINVAL, "message vd: target zero"):
        vd.message("hello")
    with fails(errno.EINVAL, "rename vd", "127"):
        vd.rename("x" * 200)
    with fails(errno.ENOENT, "'gone'"):
        dmuse.Device(dmuse_daemon, "gone").remove()
    with pytest.raises(KeyError):
        dmuse_daemon["gone"]
    assert [d.name for d in dmuse_daemon.devices()] == ["vd"] and "vd" in dmuse_daemon and "x" not in dmuse_daemon


def test_a_device_has_a_name_a_uuid_and_a_number(dmuse_daemon):
    vd = dmuse_daemon.create("vd", "0 8 zero", uuid="U-1", readonly=True, minor=77)
    info = vd.info()
    assert (info.name, info.uuid, info.minor, info.readonly, info.sectors, info.target_count) == ("vd", "U-1", 77, True, 8, 1)
    vd.rename("wd")
    assert vd.info().minor == 77 and [d.name for d in dmuse_daemon.devices()] == ["wd"]
    empty = dmuse_daemon.create("empty")
    assert not empty.info().active
    top = dmuse_daemon.create("top", "0 8 linear wd 0", readonly=True)
    assert top.deps() == ["wd"]
    with fails(errno.EBUSY, "remove wd: "):
        vd.remove()
    dmuse_daemon.remove_all(force=True)
    assert dmuse_daemon.devices() == []


def test_several_devices_are_suspended_as_one_or_not_at_all(dmuse_daemon):
    a, b = dmuse_daemon.create("a", "0 8 zero"), dmuse_daemon.create("b", "0 8 zero")
    with dmuse_daemon.suspended(a, "b"):
        assert a.info().suspended and b.info().suspended
    with fails(errno.ENOENT, "'c'"):
        dmuse_daemon.suspend(a, b, "c")
    assert not a.info().suspended and not b.info().suspended


def test_several_tables_are_loaded_as_one_or_not_at_all(dmuse_daemon):
    a, b = dmuse_daemon.create("a", "0 8 zero"), dmuse_daemon.create("b", "0 8 zero")
    with fails(errno.EINVAL, "reload a b", "8x"):
        dmuse_daemon.load({a: "0 4K error", "b": [(0, "8x", "error")]})
    assert not a.info().inactive and not b.info().inactive
    dmuse_daemon.load({a: "0 4K error", "b": [(0, "8K", "error")]})
    assert a.table(inactive=True)[0].length == 8 and b.table(inactive=True)[0].length == 16


def test_wait_ends_with_an_event_and_with_its_time(dmuse_daemon):
    vd = dmuse_daemon.create("vd", "0 8 zero")
    nr = vd.event_nr
    with pytest.raises(TimeoutError):
        vd.wait(nr, timeout=0.01)
    seen = []
    waiter = threading.Thread(target=lambda: seen.append(vd.wait(nr, 60)))
    waiter.start()
    vd.set_uuid("U-1")
    waiter.join()
    assert seen == [vd.event_nr] and seen != [nr]


def test_a_table_is_checked_without_a_device(dmuse_daemon):
    assert [line.length for line in dmuse_daemon.check("0 8 zero\n8 1K error")] == [8, 2]
    with fails(errno.EINVAL, "line 1"):
        dmuse_daemon.check("1 8 zero")
    assert dmuse_daemon.targets()["linear"] == "<device> <offset>"


def test_warnings_of_the_daemon_are_warnings(dmuse_daemon, tmp_path):
    (tmp_path / "disk.qcow2").write_bytes(b"QFI\xfb" + bytes(1 << 20))
    table = [(0, 8, "linear", tmp_path / "disk.qcow2", 0)]
    with pytest.warns(dmuse.DmuseWarning, match="disk.qcow2' is"):
        vd = dmuse_daemon.create("vd", table)
    with pytest.warns(dmuse.DmuseWarning, match="table line 1"):
        vd.load(table)


def test_threads_share_a_client(dmuse_daemon):
    wrong = []

    def work(n):
        vd = dmuse_daemon.create(f"vd{n}", f"0 {n + 1} zero")
        for _ in range(50):
            if vd.info().sectors != n + 1:
                wrong.append(n)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong and len(dmuse_daemon.devices()) == 8
