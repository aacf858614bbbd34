# SPDX-License-Identifier: BSD-2-Clause
"""
What the journal does when its disk is full, fails, has a bad sector or hangs. `pytest test_journal.py` runs it, as root or as an
ordinary user.
"""
import errno
import os
import subprocess
import threading

import pytest
from journal import Journal


@pytest.fixture
def directory(dmuse_session, dmuse_disk):
    """A directory on a file system of its own."""
    dmuse_disk.mkfs("ext4")
    return dmuse_disk.mount()


def read_again(disk):
    """What a new process would find: the file system is mounted anew, so nothing comes from a cache."""
    disk.umount()
    journal = Journal(disk.mount() / "journal")
    try:
        return journal.entries()
    finally:
        journal.close()


@pytest.mark.dmuse_disk(size="8M")
def test_a_full_disk_loses_nothing_that_was_promised(dmuse_disk, directory):
    journal, promised = Journal(directory / "journal"), []
    with pytest.raises(OSError) as failure:
        while True:
            journal.append(b"%d " % len(promised) * 10000)
            promised.append(b"%d " % len(promised) * 10000)
    assert failure.value.errno == errno.ENOSPC
    journal.close()
    assert read_again(dmuse_disk) == promised


def test_a_failed_write_is_reported_and_not_retried(dmuse_disk, directory):
    journal = Journal(directory / "journal")
    journal.append(b"one")
    good = dmuse_disk.table()
    dmuse_disk.swap([f"0 {dmuse_disk.info().sectors} error"], nolockfs=True)
    with pytest.raises(OSError):
        journal.append(b"two")
    dmuse_disk.swap(map(str, good), nolockfs=True)
    with pytest.raises(OSError, match="earlier write failed"):
        journal.append(b"three")
    journal.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has the kernel's ext4; fuse2fs 1.47 reads zeros where a block is bad")
@pytest.mark.dmuse_disk(target="dust", options=[1024])
def test_a_bad_sector_is_reported(dmuse_session, dmuse_disk, directory):
    journal = Journal(directory / "journal")
    journal.append(b"one")
    journal.close()
    dmuse_disk.umount()
    block = dmuse_session.run(["debugfs", "-R", "blocks /journal", dmuse_disk.path], capture_output=True, check=True).stdout.split()[0]
    dmuse_disk.message("addbadblock", block.decode())
    dmuse_disk.message("enable")
    path = dmuse_disk.mount() / "journal"
    with pytest.raises(OSError) as failure:
        Journal(path)
    assert failure.value.errno == errno.EIO
    assert any("dust" in sentence for sentence in dmuse_disk.faults())


def test_a_disk_that_hangs_only_delays(dmuse_disk, directory):
    journal = Journal(directory / "journal")
    dmuse_disk.suspend(nolockfs=True)
    thread = threading.Thread(target=journal.append, args=(b"one",))
    thread.start()
    thread.join(0.2)
    assert thread.is_alive(), "append() returned, and nothing was written"
    dmuse_disk.resume()
    thread.join()
    journal.close()
    assert read_again(dmuse_disk) == [b"one"]


def test_another_program_has_the_disk_too(dmuse_session, dmuse_disk, directory):
    journal = Journal(directory / "journal")
    journal.append(b"one")
    journal.close()
    seen = dmuse_session.run(["cat", directory / "journal"], stdout=subprocess.PIPE, check=True).stdout
    assert seen.endswith(b"one")
