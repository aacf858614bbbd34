#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
run.py JOURNAL SYNCHRONOUS [N]: commits N rows, one after the other, to a SQLite database in the working directory, and marks each
commit that SQLite has reported. For dmuse crash --run.
"""
import os
import sqlite3
import subprocess
import sys

DMUSE = os.environ.get("DMUSE", "dmuse")


def main(journal, synchronous, n="30"):
    db = sqlite3.connect("test.db", isolation_level=None)
    db.execute(f"PRAGMA journal_mode={journal}")
    db.execute(f"PRAGMA synchronous={synchronous}")
    db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, words TEXT)")
    for i in range(1, int(n) + 1):
        db.execute("BEGIN")
        db.execute("INSERT INTO t VALUES (?, ?)", (i, f"row {i} " * 100))
        db.execute("UPDATE t SET words = words || '.' WHERE id = ?", (i // 2,))
        db.execute("COMMIT")
        subprocess.run([DMUSE, "mark", f"committed {i}"], check=True)
    # Not closed: that would be an orderly end.
    sys.stdout.flush()
    os._exit(0)


main(*sys.argv[1:])
