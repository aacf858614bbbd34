# SPDX-License-Identifier: BSD-2-Clause
"""
dmuse from Python: virtual disks that fail on command, for tests. It needs the program dmuse and the standard library.

    import dmuse

    with dmuse.Daemon() as daemon:                  # a daemon of one's own, gone at the end
        disk = daemon.new_disk("64M")               # a device on a sparse file
        disk.mkfs("ext4")
        directory = disk.mount()
        (directory / "file").write_text("hello")
        disk.suspend()                              # now it hangs
        disk.resume()
        daemon.run(["lsblk", disk.path])            # a program in a session sees /dev/mapper/disk1

What fails raises `dmuse.Error`, an OSError with the daemon's sentence. The pytest plug-in is dmuse.pytest_plugin; the guide
is doc/fault-testing.md.
"""
from .client import Client, file_table
from .daemon import Daemon
from .device import Device, Info
from .errors import DmuseWarning, Error
from .filesystem import CommandFailed
from .nbd import NbdConnection
from .power import PowerCut, PowerState
from .program import find_program, session_lacks
from .table import Line, parse_size, quote

__all__ = ["Client", "CommandFailed", "Daemon", "Device", "DmuseWarning", "Error", "Info", "Line", "NbdConnection", "PowerCut",
           "PowerState", "file_table", "find_program", "parse_size", "quote", "session_lacks"]
