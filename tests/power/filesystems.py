# SPDX-License-Identifier: BSD-2-Clause
"""The file systems: how each is made and checked."""
import os
import shutil
import subprocess

MIB = 2048              # sectors


class FileSystem:
    def __init__(self, name, mebibytes, make, check, options="noatime"):
        self.name, self.sectors = name, mebibytes * MIB
        self.make, self.check, self.options = make, check, options

    def lacks(self):
        """Why it cannot be used here, or None."""
        with open("/proc/filesystems", encoding="ascii") as f:
            known = f.read().split()
        if self.name not in known and subprocess.run(["modprobe", "-q", self.name], check=False).returncode:
            return f"this kernel has no {self.name}"
        missing = [words[0] for words in (self.make, self.check) if not shutil.which(words[0])]
        return f"there is no {missing[0]}" if missing else None


ALL = (
    FileSystem("ext4", 48, ["mkfs.ext4", "-qF", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard"], ["e2fsck", "-fn"],
               "noatime,errors=remount-ro"),
    FileSystem("xfs", 304, ["mkfs.xfs", "-qfK"], ["xfs_repair", "-n"]),
    FileSystem("btrfs", 112, ["mkfs.btrfs", "-qfK"], ["btrfs", "check"]),
)


def run(*words, patience=120):
    """What it has said, if it fails; None if it succeeds."""
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=patience, check=False)
    if not done.returncode:
        return None
    return f"{' '.join(words)}: exit status {done.returncode}: {(done.stdout + done.stderr).strip()}"


def can_mount():
    """Why the kernel cannot mount here, or None."""
    if os.geteuid():
        return "the kernel mounts file systems for root only"
    if not os.path.exists("/dev/loop-control"):
        return "there are no loop devices"
    if not os.path.exists("/dev/fuse"):
        return "there is no /dev/fuse"
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        return "root may make no mount namespace"
    return None
