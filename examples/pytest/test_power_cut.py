# SPDX-License-Identifier: BSD-2-Clause
"""
What is left of the journal after a power cut. Each seed cuts at another write, and another part of what was not flushed survives.
`pytest test_power_cut.py` runs it, as root: fuse2fs, which an ordinary user has, keeps no journal of its own.
"""
import os
import random

import pytest
from journal import Journal

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has the kernel's ext4, which survives power cuts")


def after_the_cut(disk, directory):
    """The entries that are there when the power is back."""
    disk.recover()
    journal = Journal(directory / "journal")
    try:
        return journal.entries()
    finally:
        journal.close()


def entry(n):
    return b"entry %d " % n * 100


@pytest.mark.power_cut(seeds=3)
def test_what_was_appended_survives_a_cut_right_after_it(dmuse_session, power_cut):
    power_cut.mkfs("ext4")
    directory = power_cut.mount()
    journal = Journal(directory / "journal")
    for n in range(3):
        journal.append(entry(n))
    power_cut.cut()
    journal.close()
    assert after_the_cut(power_cut, directory) == [entry(0), entry(1), entry(2)]


@pytest.mark.power_cut(seeds=5)
def test_a_cut_in_the_middle_of_a_write_loses_at_most_that_entry(dmuse_session, power_cut, dmuse_seed):
    power_cut.mkfs("ext4")
    directory = power_cut.mount()
    journal, promised = Journal(directory / "journal"), 0
    power_cut.cut_after_writes(random.Random(dmuse_seed).randrange(1, 60))
    with pytest.raises(OSError):
        while True:
            journal.append(entry(promised))
            promised += 1
    journal.close()
    found = after_the_cut(power_cut, directory)
    assert len(found) in (promised, promised + 1)
    assert found == [entry(n) for n in range(len(found))]
