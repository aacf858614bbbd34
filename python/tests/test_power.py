# SPDX-License-Identifier: BSD-2-Clause
"""Power cuts."""
import errno
import os
import subprocess
import threading

import pytest

import dmuse

A, B, C = (letter * 4096 for letter in (b"a", b"b", b"c"))


def look(disk, n=1):
    with disk.open() as opened:
        return [opened.pread(4096, at * 4096) for at in range(n)]


def write(disk, *pages, flush=False):
    with disk.open() as opened:
        for at, page in enumerate(pages):
            opened.pwrite(page, at * 4096)
        if flush:
            opened.flush()


@pytest.mark.power_cut(mode="lost")
def test_what_is_not_flushed_is_lost(power_cut):
    write(power_cut, A, A, flush=True)
    write(power_cut, B)
    assert look(power_cut, 2) == [B, A]
    assert power_cut.state.requests == 1
    power_cut.cut()
    assert power_cut.state.state == "cut"
    with pytest.raises(dmuse.Error) as failure:
        look(power_cut)
    assert failure.value.errno == errno.EIO
    power_cut.restore()
    assert look(power_cut, 2) == [A, A]
    assert (power_cut.state.state, power_cut.state.epoch) == ("up", 1)


def test_a_cut_may_say_what_survives(power_cut):
    write(power_cut, A)
    power_cut.cut("kept", seed=7)
    assert power_cut.state.seed == 7
    power_cut.restore()
    assert look(power_cut) == [A]


def test_a_seed_plays_again(dmuse_daemon):
    def play(seed):
        disk = dmuse_daemon.new_power_cut("1M", seed=seed, mode="subset")
        write(disk, *[A] * 64)
        disk.cut()
        disk.restore()
        return look(disk, 64)

    states = [play(seed) for seed in (1, 1, 2)]
    assert states[0] == states[1] != states[2]


def test_a_trigger_cuts_by_itself(power_cut):
    power_cut.cut_after_writes(2)
    assert power_cut.state.trigger == "after 2 writes"
    with pytest.raises(dmuse.Error):
        write(power_cut, A, B, C)
    power_cut.wait_for_cut(60)
    power_cut.restore()
    power_cut.cut_after_flushes(1)
    power_cut.cut_never()
    write(power_cut, A, flush=True)
    assert power_cut.state.state == "up" and power_cut.state.trigger == ""


def test_a_mark_cuts_before_it_is_answered(power_cut):
    power_cut.cut_at_mark("ready")
    power_cut.mark("not-yet")
    assert power_cut.state.state == "up"
    power_cut.mark("ready")
    assert power_cut.state.state == "cut"


def test_marks_reach_logs_and_powercuts_of_all_devices(dmuse_daemon, power_cut):
    with pytest.raises(dmuse.Error, match="mark x: no device has a line"):
        dmuse_daemon.mark("x", dmuse_daemon.create("plain", "0 8 zero"))
    log = dmuse_daemon.new_file("1M")
    logged = dmuse_daemon.create("logged", [(0, "1M", "log-writes", dmuse_daemon.new_file("1M"), log)])
    dmuse_daemon.mark("two words")
    assert power_cut.state.state == "up"
    power_cut.cut_at_mark("two words")
    subprocess.run([dmuse_daemon.program, "mark", "two words", "--socket", dmuse_daemon.socket], check=True)
    assert power_cut.state.state == "cut"
    logged.remove()
    listed = subprocess.run([dmuse_daemon.program, "replay", "--log", log], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert listed.count("mark two words") == 2


def test_a_cut_wakes_who_waits(power_cut):
    waiter = threading.Thread(target=power_cut.wait_for_cut, args=(60,))
    waiter.start()
    power_cut.cut()
    waiter.join()
    assert power_cut.state.state == "cut"


def test_several_disks_are_cut_as_one_or_none(dmuse_daemon, power_cut):
    other, plain = dmuse_daemon.new_power_cut("1M", "other"), dmuse_daemon.new_disk("1M", "plain")
    with pytest.raises(dmuse.Error, match="plain"):
        dmuse_daemon.cut(power_cut, other, plain)
    assert power_cut.state.state == other.state.state == "up"
    dmuse_daemon.cut(power_cut, "other", mode="lost")
    assert power_cut.state.state == other.state.state == "cut"
    dmuse_daemon.restore(power_cut, other)
    assert power_cut.state.state == other.state.state == "up"


def test_who_has_it_open_for_writing_keeps_it_from_being_restored(power_cut):
    with power_cut.open():
        power_cut.cut()
        with pytest.raises(dmuse.Error) as failure:
            power_cut.restore()
        assert failure.value.errno == errno.EBUSY
    power_cut.restore()


def test_options_are_checked(dmuse_daemon):
    disk = dmuse_daemon.new_power_cut("1M", seed=3, mode="torn", atomic=512, hang=True)
    assert disk.table()[0].params.endswith(" 0 seed 3 mode torn sector atomic hang")
    with pytest.raises(ValueError, match="1000 bytes"):
        dmuse_daemon.new_power_cut("1M", atomic=1000)
    with pytest.raises(dmuse.Error, match="'half' is not a mode"):
        dmuse_daemon.new_power_cut("1M", mode="half")


def test_a_raw_disk_is_not_recovered_but_restored(power_cut):
    power_cut.cut()
    with pytest.raises(dmuse.Error, match="umount disk1: mount"):
        power_cut.recover()
    assert power_cut.state.state == "cut"


@pytest.mark.skipif(os.geteuid() != 0 or not os.path.exists("/dev/loop-control"), reason="only root has the kernel's ext4, on loop devices")
@pytest.mark.power_cut(seeds=3)
def test_a_mounted_file_system_survives_with_what_was_synced(dmuse_session, power_cut):
    power_cut.mkfs()
    directory = power_cut.mount()
    with open(directory / "file", "w") as file:
        file.write("synced")
        file.flush()
        os.fsync(file.fileno())
    root = os.open(directory, os.O_RDONLY)
    os.fsync(root)
    os.close(root)
    (directory / "other").write_text("not synced")
    power_cut.cut()
    assert power_cut.recover() == directory
    assert (directory / "file").read_text() == "synced"
