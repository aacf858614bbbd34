# SPDX-License-Identifier: BSD-2-Clause
"""Programs in a session, and file systems that are mounted there and used here."""
import errno
import os
import shutil
import subprocess

import pytest

import dmuse

mounts_ext4 = pytest.mark.skipif(not shutil.which("mkfs.ext4", path="/usr/sbin:/sbin") or os.geteuid() != 0 and not shutil.which("fuse2fs"),
                                 reason="there is no mkfs.ext4, or no fuse2fs for ordinary users")


def test_a_program_sees_the_devices(dmuse_session, tmp_path):
    vd = dmuse_session.create("v d", "0 1M zero")
    assert vd.path == "/dev/mapper/v\\x20d"
    (tmp_path / "a.img").write_bytes(b"hello" + bytes(4091))
    done = dmuse_session.run(["sh", "-c", 'blockdev --getsize64 "$0"; head -c5 /dev/sdx; cat', vd.path], {"sdx": tmp_path / "a.img"},
                             input=" world", capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout == "1048576\nhello world"
    assert done.args[0] == "sh"


def test_a_program_that_fails_is_told_from_a_session_that_does(dmuse_session):
    assert dmuse_session.run(["sh", "-c", "exit 125"]).returncode == 125
    with pytest.raises(subprocess.CalledProcessError, match="exit 3"):
        dmuse_session.run(["sh", "-c", "exit 3"], check=True)
    with pytest.raises(dmuse.Error, match="nofile") as failure:
        dmuse_session.run(["true"], {"sdx": "nofile"})
    assert failure.value.errno == errno.ENOENT


def test_a_program_ends_with_its_popen_and_with_the_daemon(dmuse_session):
    with dmuse_session.popen(["sh", "-c", "echo $$; exec sleep 600"], stdout=subprocess.PIPE, text=True) as process:
        pid = int(process.stdout.readline())
        process.kill()
        assert process.stdout.read() == ""      # whoever had it open is gone
    assert process.returncode == -9 and not os.path.exists(f"/proc/{pid}/fd/1")
    left = dmuse_session.popen(["cat"], stdin=subprocess.PIPE)
    dmuse_session.close()
    assert left.returncode == -9
    left.stdin.close()


@mounts_ext4
def test_a_file_system_is_used_from_outside(dmuse_session, dmuse_disk):
    dmuse_disk.mkfs()
    directory = dmuse_disk.mount()
    (directory / "file").write_text("hello")
    assert dmuse_session.run(["cat", directory / "file"], capture_output=True).stdout == b"hello"
    dmuse_disk.umount()
    dmuse_disk.fsck()
    assert (dmuse_disk.mount() / "file").read_text() == "hello"
    dmuse_disk.umount()
    with pytest.raises(dmuse.Error, match="umount disk1: mount.. has not"):
        dmuse_disk.umount()


@mounts_ext4
def test_a_device_that_was_unmounted_is_released(dmuse_session, dmuse_disk):
    dmuse_disk.mkfs()
    dmuse_disk.mount()
    dmuse_disk.umount()
    dmuse_disk.remove()


@mounts_ext4
@pytest.mark.dmuse_disk(size="4M")
def test_a_full_disk_is_enospc(dmuse_session, dmuse_disk):
    dmuse_disk.mkfs()
    directory = dmuse_disk.mount()
    with pytest.raises(OSError) as failure:
        (directory / "file").write_bytes(bytes(8 << 20))
    assert failure.value.errno == errno.ENOSPC
    dmuse_disk.umount()


def test_a_command_that_fails_has_its_output(dmuse_session, dmuse_disk):
    with pytest.raises(dmuse.CommandFailed, match="(?is)exit status.*(wrong fs type|bad magic)") as failure:
        dmuse_disk.mount()
    assert dmuse_disk.path in str(failure.value)
