# SPDX-License-Identifier: BSD-2-Clause
"""TAP, commands, and what systemd and the journal know of the service."""
import json
import os
import subprocess
import sys
import time
import traceback

SERVICE, SOCKET = "dmuse.service", "dmuse.socket"
PATIENCE = 60 if os.path.exists("/run/systemd/container") else 300      # seconds for anything: a guest is emulated
number = 0


def ok(what, fine, *details):
    global number
    number += 1
    print(f"{'' if fine else 'not '}ok {number} - {what}", flush=True)
    for detail in () if fine else details:
        for line in str(detail).splitlines():
            print("#   " + line, flush=True)
    return fine


def equal(what, wanted, got):
    return ok(what, wanted == got, f"wanted: {wanted!r}", f"got: {got!r}")


def skip(what, why):
    global number
    number += 1
    print(f"ok {number} - {what} # SKIP {why}", flush=True)


def say(text):
    print(f"# {text}", flush=True)


def part(function, *words):
    """A part of the test that dies is one failure, and the others go on."""
    say(f"--- {function.__name__} ({time.monotonic():.0f} s after the boot)")
    try:
        function(*words)
    except Exception:
        ok(f"{function.__name__} came to its end", False, traceback.format_exc(), journal_tail())


def run(*words, text=None):
    """(status, stdout, stderr); a command that hangs is a failure of the part."""
    done = subprocess.run(words, input=text, stdin=None if text else subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE,
                          check=False)
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def out(*words, text=None):
    status, stdout, stderr = run(*words, text=text)
    if status:
        raise RuntimeError(f"{' '.join(words)}: exit status {status}: {stdout} {stderr}")
    return stdout


def dmuse(*words, text=None):
    return out("dmuse", *words, text=text)


def show(name, unit=SERVICE):
    return out("systemctl", "show", "--value", "-p", name, unit)


def main_pid():
    pid = int(show("MainPID"))
    if not pid:
        raise RuntimeError(f"{SERVICE} does not run: {active()}")
    return pid


def active(unit=SERVICE):
    return show("ActiveState", unit)


def die(number):
    """The service's process gets a signal; the time until a command is answered again by another process."""
    out("systemctl", "reset-failed", SERVICE)           # or the third within ten seconds is the last
    pid = main_pid()
    os.kill(pid, number)
    return until("it is started again", lambda: show("MainPID") not in ("0", str(pid)) and active() == "active" and not run("dmuse", "ls")[0])


def until(what, true):
    """Waits for it; the time it took, in seconds."""
    began = time.monotonic()
    while not true():
        if time.monotonic() > began + PATIENCE:
            raise TimeoutError(f"{what}: not within {PATIENCE} seconds")
        time.sleep(0.05)
    return time.monotonic() - began


def journal(*words):
    """The service's entries of this boot, as dictionaries."""
    lines = out("journalctl", "-b", "-o", "json", "-u", SERVICE, *words).splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def journal_tail():
    return out("journalctl", "-b", "-n", "30", "--no-pager", "-u", SERVICE, "-u", SOCKET)


def end():
    print(f"1..{number}", flush=True)
    sys.stdout.flush()
