#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
check.py: after a power cut the database of run.py is whole, and has every row whose commit was reported before the cut. For dmuse crash
--check.
"""
import os
import sqlite3
import sys


def promised():
    """The last row whose commit was reported before the cut."""
    with open(os.environ["DMUSE_MARKS"]) as marks:
        rows = [int(line.split()[1]) for line in marks if line.startswith("committed ")]
    return rows[-1] if rows else 0


def main():
    last = promised()
    if not os.path.exists("test.db"):
        return f"row {last} was committed, and there is no database" if last else None
    db = sqlite3.connect("test.db")
    try:
        whole = db.execute("PRAGMA integrity_check").fetchone()[0]
        if whole != "ok":
            return f"the database is corrupt: {whole}"
        if not db.execute("SELECT count(*) FROM sqlite_master WHERE name = 't'").fetchone()[0]:
            return f"row {last} was committed, and there is no table" if last else None
        rows = [row[0] for row in db.execute("SELECT id FROM t ORDER BY id")]
    except sqlite3.DatabaseError as e:
        return f"the database is corrupt: {e}"
    if rows != list(range(1, len(rows) + 1)):
        return f"rows are missing in between: {rows}"
    if len(rows) < last:
        return f"row {last} was committed, and the last one is {len(rows)}"
    return None


sys.exit(main())
