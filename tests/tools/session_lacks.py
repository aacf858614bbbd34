# SPDX-License-Identifier: BSD-2-Clause
"""Why there can be no sessions here: the same checks as session_lacks in session.bash, without dmuse itself."""
import os
import subprocess


def said(command):
    return subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True).stdout


def session_lacks():
    """A sentence, or an empty string."""
    if not os.path.exists(os.environ.get("DMUSE_FUSE_DEVICE", "/dev/fuse")):
        return "there is no /dev/fuse"
    there = ["stat", "-c", "%d:%i", "/"]
    if os.geteuid() == 0 and said(there) != said(["nsenter", "--mount=/proc/self/ns/mnt", *there]):
        return "this is a chroot"       # entering a mount namespace leads to its root directory
    options, who = ("-m", "root may make no mount namespace") if os.geteuid() == 0 else ("-Urm", "users may make no user namespace")
    tried = subprocess.run(["unshare", options, "true"], check=False, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return who if tried.returncode else ""
