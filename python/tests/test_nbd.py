# SPDX-License-Identifier: BSD-2-Clause
"""Reading and writing over NBD."""
import errno

import pytest

import dmuse


def test_what_is_written_is_read(dmuse_disk):
    data = bytes(range(256)) * 8192     # 2 MiB: several requests
    with dmuse_disk.open() as disk:
        assert disk.size == 64 << 20
        assert disk.pwrite(data, 4096) == len(data)
        disk.pwrite(b"y" * 512, 0, fua=True)
        disk.flush()
        assert disk.pread(len(data) + 4096, 0) == b"y" * 512 + bytes(3584) + data
        disk.zero(1024, 4096)
        disk.discard(1 << 20, 32 << 20)
        assert disk.pread(2048, 4096) == bytes(1024) + data[1024:2048]
    assert dmuse_disk.stats()["write"]["sectors"] == len(data) // 512 + 1


def test_a_bad_region_is_an_error_that_says_where(dmuse_daemon):
    vd = dmuse_daemon.create("vd", "0 8 zero\n8 8 error")
    with vd.open() as disk:
        assert disk.pread(4096, 0) == bytes(4096)
        with pytest.raises(dmuse.Error) as failure:
            disk.pread(512, 4096)
        assert failure.value.errno == errno.EIO and "read of 512 bytes at 4096" in str(failure.value)
    assert any("sector 8 failed" in sentence for sentence in vd.faults())


def test_a_disk_that_hangs_is_noticed(dmuse_disk):
    with dmuse_disk.open(timeout=0.05) as disk:
        dmuse_disk.suspend()
        with pytest.raises(TimeoutError, match="read was not answered"):
            disk.pread(512, 0)
        dmuse_disk.resume()
    with dmuse_disk.open() as disk:
        assert disk.pread(512, 0) == bytes(512)


def test_a_device_that_is_missing_cannot_be_opened(dmuse_disk):
    uri = dmuse_disk.uri
    dmuse_disk.remove()
    with pytest.raises(dmuse.Error, match="disk1"):
        dmuse.NbdConnection(uri)
    with pytest.raises(dmuse.Error, match="only nbd"):
        dmuse.NbdConnection("nbds://host/x")


def test_a_connection_that_is_closed_has_let_go_of_the_device(dmuse_daemon):
    for _ in range(300):
        vd = dmuse_daemon.create("vd", "0 8 zero")
        with vd.open():
            pass
        vd.remove()
