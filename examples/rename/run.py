#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
run.py [sync]: replaces the file "settings" by a new version: writes a new file and renames it over the old one. Without "sync" it does
not sync the new version, as many programs do not. What it syncs is its log. For dmuse crash --run.
"""
import os
import sys


def write(name, text, sync):
    with open(name, "w") as f:
        f.write(text)
        f.flush()
        if sync:
            os.fsync(f.fileno())


def replace(text, sync):
    write("settings.new", text, sync)
    os.rename("settings.new", "settings")
    if sync:
        directory = os.open(".", os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)


replace("version 1\n" * 500, True)
replace("version 2\n" * 500, sys.argv[1:2] == ["sync"])
write("log", "version 2\n", True)
