# SPDX-License-Identifier: BSD-2-Clause
"""The program dmuse, which starts daemons and enters sessions; the rest goes over the socket (control.py)."""
from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Optional, Sequence, Union

from .errors import Error

Word = Union[str, bytes, "os.PathLike[str]"]    # of a command


def find_program(program: Optional[str] = None) -> str:
    """
    The path of dmuse: PROGRAM, else $DMUSE, else `dmuse` in $PATH, else, if this module lies in the source tree, the one that was
    built there. Error (ENOENT) if there is none.
    """
    wanted = program or os.environ.get("DMUSE")
    if wanted:
        found = shutil.which(wanted)
        if found:
            return os.path.abspath(found)
        raise Error(errno.ENOENT, f"{wanted}: there is no such program" + ("" if program else " ($DMUSE)"))
    found = shutil.which("dmuse")
    built = Path(__file__).resolve().parents[2] / "build" / "dmuse"
    if not found and os.access(built, os.X_OK):
        found = str(built)
    if not found:
        raise Error(errno.ENOENT, "the program dmuse is neither in $PATH nor named by $DMUSE")
    return os.path.abspath(found)


def run_json(program: str, words: Sequence[str]) -> Any:
    """The JSON that `dmuse WORDS` prints; WORDS include --json. Raises Error if it fails."""
    done = subprocess.run([program, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        answer = json.loads(done.stdout or "{}")
    except ValueError:
        raise Error(errno.EIO, f"{program} {' '.join(words)}: {done.stderr.decode(errors='replace').strip() or 'no answer'}") from None
    if isinstance(answer, dict) and "error" in answer:
        raise Error(answer["code"], answer["error"])
    return answer


def session_lacks(program: Optional[str] = None) -> Optional[str]:
    """Why this machine has no sessions, as `dmuse doctor` finds, or None."""
    pieces = run_json(find_program(program), ["doctor", "--json"])
    if pieces["session"]:
        return None
    lacking = [p["piece"] for p in pieces["pieces"] if p["needed"] and p["state"] not in ("ok", "unneeded")]
    return f"no sessions here (dmuse doctor says more): {', '.join(lacking)}"
