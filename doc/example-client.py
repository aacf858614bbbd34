#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Talks to a dmuse daemon using only Python's standard library: example-client.py SOCKET"""
import os
import plistlib
import socket
import struct
import sys


def ask(stream, **request):
    message = plistlib.dumps(request)
    stream.write(len(message).to_bytes(4, "big") + message)
    stream.flush()
    length = int.from_bytes(stream.read(4), "big")
    reply = plistlib.loads(stream.read(length))
    if reply["errno"]:
        raise OSError(reply["errno"], os.fsdecode(reply["error"]))
    return reply


control = socket.socket(socket.AF_UNIX)
control.connect(sys.argv[1])
owner = struct.unpack("3i", control.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1]
if owner not in (0, os.getuid()):  # do not talk to another user's daemon
    sys.exit(f"the daemon on {sys.argv[1]} is user {owner}'s")
stream = control.makefile("rwb")
table = "0 2048 zero\n2048 1000 error"
ask(stream, command="create", name="example", table=table)
info = ask(stream, command="info", name="example")
print(f"{info['name']} has {info['sectors']} sectors in {info['target_count']} lines")
for line in ask(stream, command="table", name="example")["cmd_data"]:
    print(line["start"], line["length"], line["type"], os.fsdecode(line["params"]))  # bytes if it is not text
ask(stream, command="remove", name="example")
