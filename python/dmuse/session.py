# SPDX-License-Identifier: BSD-2-Clause
"""Programs in a daemon's session, where its devices are block devices: `dmuse exec` with the interface of subprocess."""
from __future__ import annotations

import os
import subprocess
import weakref
from typing import TYPE_CHECKING, Any, List, Mapping, Optional, Sequence

from .program import run_json

if TYPE_CHECKING:
    from .program import Word

EXEC_FAILED = 125   # dmuse's exit status if it could not run the program, which may exit with 125 itself


class Session:
    """The session of the daemon at SOCKET. It starts with the first program and lasts as long as the daemon."""

    def __init__(self, program: str, socket: str) -> None:
        self._program = program
        self._socket = socket
        self._running: "weakref.WeakSet[subprocess.Popen[Any]]" = weakref.WeakSet()

    def _words(self, disks: Optional[Mapping[str, "Word"]]) -> List[str]:
        words = ["exec", "--socket", self._socket]
        for name, file in (disks or {}).items():
            words += ["--disk", f"{name}={os.fsdecode(file)}"]
        return words

    def popen(self, args: Sequence["Word"], disks: Optional[Mapping[str, "Word"]] = None, **options: Any) -> "subprocess.Popen[Any]":
        """subprocess.Popen() in the session. The process is dmuse; kill() also kills the program."""
        words = [self._program, *self._words(disks), "--", *map(os.fsdecode, args)]
        process: "subprocess.Popen[Any]" = subprocess.Popen(words, **options)
        self._running.add(process)
        return process

    def check(self, disks: Optional[Mapping[str, "Word"]] = None) -> None:
        """Raises Error if no program can be run with these disks."""
        run_json(self._program, [*self._words(disks), "--json", "--", "true"])

    def run(self, args: Sequence["Word"], disks: Optional[Mapping[str, "Word"]] = None, **options: Any) -> "subprocess.CompletedProcess[Any]":
        """
        subprocess.run() in the session, with the options `check`, `capture_output`, `text`, `input`, `timeout` and those of
        Popen. Error, if there can be no session.
        """
        words = [self._program, *self._words(disks), "--", *map(os.fsdecode, args)]
        must = options.pop("check", False)
        done: "subprocess.CompletedProcess[Any]" = subprocess.run(words, **options)
        if done.returncode == EXEC_FAILED:
            self.check(disks)
        done.args = list(args)
        if must:
            done.check_returncode()
        return done

    def end(self) -> None:
        """Kills the programs of popen() that still run."""
        for process in list(self._running):
            if process.poll() is None:
                process.kill()
                process.wait()
