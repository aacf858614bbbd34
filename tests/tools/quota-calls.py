# SPDX-License-Identifier: BSD-2-Clause
"""quota-calls.py DEVICE DIRECTORY: what quotactl(2) returns for a mounted file system, to root and to another user."""
import ctypes
import errno
import os
import platform
import sys

CALL = {"x86_64": 179}.get(platform.machine(), 60)
USER, OTHER = 0, 61234
SYNC, ON, OFF, FORMAT, INFO, SET_INFO, QUOTA, SET_QUOTA, NEXT = (
    0x800001, 0x800002, 0x800003, 0x800004, 0x800005, 0x800006, 0x800007, 0x800008, 0x800009)
X_STATE, X_QUOTA = 0x5805, 0x5803
FORMAT_V2 = 4
libc = ctypes.CDLL(None, use_errno=True)
device, directory = (os.fsencode(a) for a in sys.argv[1:3])


def ask(name, command, uid, data):
    buffer = ctypes.create_string_buffer(data, 512)
    failed = libc.syscall(CALL, ctypes.c_uint(command << 8 | USER), device, ctypes.c_uint(uid), buffer)
    said = errno.errorcode[ctypes.get_errno()] if failed else bytes(buffer)[:24].hex() if data[:1] != b"/" else "done"
    print(name, uid, said)


def ask_all():
    ask("sync", SYNC, 0, b"")
    ask("format", FORMAT, 0, b"")
    ask("info", INFO, 0, b"")
    ask("set info", SET_INFO, 0, b"")
    ask("state", X_STATE, 0, b"")
    for uid in 0, OTHER:
        ask("quota", QUOTA, uid, b"")
        ask("next", NEXT, uid, b"")
        ask("set", SET_QUOTA, uid, b"")
        ask("x", X_QUOTA, uid, b"")
    ask("on", ON, FORMAT_V2, directory + b"/aquota.user")
    ask("on nothing", ON, FORMAT_V2, directory + b"/nothing")
    ask("off", OFF, 0, b"")
    ask("unknown", 0x123456, 0, b"")


ask_all()
os.seteuid(OTHER)
ask_all()
