#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Bash completion in a real interactive bash: what a tab inserts in the command line. It completes sub-commands, options,
devices, targets and files where they are possible, never starts a daemon, and executes no name as code.
"""
import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DMUSE = os.environ.get("DMUSE", ROOT + "/build/dmuse")
done = failed = 0


def ok(what, good, *why):
    global done, failed
    done += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {done} - {what}", flush=True)
    if not good:
        for line in why:
            print(f"#   {line}")


class Shell:
    """A bash on a terminal. ^X^E clears and prints the typed line without running it."""

    def __init__(self, env):
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], env)
        self.run(f"PS1= PS2=; cd {shlex.quote(env['WORK'])}; PATH={os.path.dirname(DMUSE)}:$PATH; "
                 f"source {ROOT}/completions/bash/dmuse; bind 'set bell-style none'; bind 'set page-completions off'; "
                 "bind 'set completion-query-items 0'; bind 'set enable-bracketed-paste off'; "
                 r"""bind -x '"\C-x\C-e": printf "<<<%s>>>" "$READLINE_LINE"; READLINE_LINE='; """
                 r"""bind '"\C-x\C-a": insert-completions'""")

    def until(self, pattern):
        seen, deadline = "", time.monotonic() + 30
        while not (m := re.search(pattern, seen, re.S)):
            if not select.select([self.fd], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TimeoutError(f"waited for {pattern}, got {seen!r}")
            seen += os.read(self.fd, 65536).decode(errors="replace")
        return m

    def type(self, text):
        os.write(self.fd, text.encode())

    def run(self, command):
        """The output of a command."""
        self.type(command + "; printf '%s' $? END; echo\n")
        return self.until(r"\n?(.*)\d+END\r?\n")[1]

    def line(self, typed, key):
        """The command line after KEY."""
        self.type(typed + key + "\x18\x05")
        return self.until(r"<<<(.*?)>>>")[1].replace("\r", "")

    def tab(self, typed):
        return self.line(typed, "\t")

    def all(self, typed):
        """All words that are possible there, as the shell would read them."""
        line = self.line(typed, "\x18\x01")
        if line == typed:
            return []
        words = shlex.split(line)
        return words[len(shlex.split(typed)) - (not typed.endswith((" ", "="))):]


def offers(what, wanted, typed):
    got = sorted(shell.all("dmuse " + typed))
    ok(what, got == sorted(wanted), f"wanted {wanted}", f"got {got}")


def becomes(what, wanted, typed):
    got = shell.tab("dmuse " + typed)
    ok(what, got == "dmuse " + wanted, f"wanted dmuse {wanted!r}", f"got {got!r}")


def dmuse(*words, **more):
    return subprocess.run([DMUSE, *words], env=env, cwd=work, check=True, capture_output=True, text=True, **more).stdout


def beginning(name, names):
    """The shortest prefix of NAME that distinguishes it from the others."""
    return next(name[:n] for n in range(1, len(name) + 1) if sum(m.startswith(name[:n]) for m in names) == 1)


def quoted(text, quote):
    """TEXT as typed by somebody who has opened QUOTE, and not closed it."""
    if quote == "'":
        return "'" + text.replace("'", "'\\''")
    if quote == '"':
        return '"' + re.sub(r'([$`"\\])', r"\\\1", text).replace("!", '"\\!"')
    return re.sub(r"([^\w/.-])", r"\\\1", text)


HOSTILE = ["$(touch RAN)", "`touch RAN`", "a b", "it's", 'say "hi"', "back\\slash", "star*", "what?", "[ab]", "~root", "!!", "ah!",
           "c:d", "e=f", "g;touch RAN", "i&touch RAN", "k|l", "m>RAN", "<n", "ümlaut", "#hash", "-dash", "{o,p}", "$HOME",
           "two  blanks", "(q)", "ends'"]
work = tempfile.mkdtemp()
env = dict(os.environ, XDG_RUNTIME_DIR=work + "/run", TERM="dumb", INPUTRC="/dev/null", HISTFILE="", WORK=work + "/cwd",
           HOME=work, LC_ALL="C.UTF-8")
for name in ("DMUSE_SOCKET", "DMUSE_NO_START", "PROMPT_COMMAND", "COLUMNS"):
    env.pop(name, None)
os.makedirs(work + "/run", 0o700)
os.makedirs(work + "/cwd/directory")
for name in ("table.txt", "$(touch RAN).txt", "other"):
    open(f"{work}/cwd/{name}", "w").close()
shell = Shell(env)
try:
    offers("sub-commands", ["remove", "remove_all"], "rem")
    offers("sub-commands behind an option", ["suspend"], "--no-start sus")
    offers("sub-commands to help", ["wipe_table"], "help wi")
    offers("long options of the sub-command", ["--setuuid", "--socket"], "rename --s")
    offers("and none that means nothing there", [], "create --ret")
    offers("options of the daemon", ["--tls-certificates", "--tls-psk", "--tls-verify-peer"], "daemon --tls")
    offers("arguments of options", ["uring"], "daemon --engine u")
    becomes("arguments behind an equals sign", "daemon --log-level=warn ", "daemon --log-level=w")
    becomes("files for create", "create name table.txt ", "create name tab")
    offers("but none for the name that is to be", [], "create ")
    becomes("files for load", "load name table.txt ", "load name tab")
    becomes("files behind --tables", "daemon --tables table.txt ", "daemon --tables ta")
    becomes("directories for mount", "mount directory/", "mount ")
    offers("targets, without a daemon", ["striped"], "ls --target st")
    offers("fields", ["name", "name_all", "names_using_dev"], "info -c -o nam")
    offers("more fields", ["uuid,major"], "info -c -o uuid,maj")
    offers("styles", ["devname", "devno"], "ls -o devn")
    offers("nothing where nothing fits", [], "version ")
    offers("no devices without a daemon", [], "info ")
    ok("and none was started", not os.path.exists(work + "/run/dmuse"))
    offers("options of exec", ["--disk"], "exec --di")
    offers("programs for exec", ["lsblk"], "exec --disk a=table.txt -- lsbl")
    becomes("files for its program", "exec lsblk table.txt ", "exec lsblk tab")
    becomes("files for --disk", "exec --disk name=table.txt ", "exec --disk name=tab")
    becomes("a file's name is quoted", r"create n \$\(touch\ RAN\).txt ", r"create n \$")

    dmuse("daemon")
    for name in ["one", "other", *HOSTILE]:
        dmuse("create", "-n", "--", name)
    shown = ["/dev/mapper/-dash" if n == "-dash" else n for n in HOSTILE]
    offers("devices", ["one", "other"], "info o")
    offers("more devices, but none again", ["one"], "remove other on")
    offers("and not where none is wanted", [], "rename one ")
    offers("all of them, each as one word", ["one", "other", *shown], "info ")
    offers("with their paths", ["/dev/mapper/one", "/dev/mapper/other"], "info /dev/mapper/o")
    for name in shown:
        for quote in ("", "'") if name[0] == "!" else ("", "'", '"'):
            typed = "info " + quoted(beginning(name, shown + ["one", "other"]), quote)
            line = shell.tab("dmuse " + typed)
            got = shell.run(line)
            ok(f"{quote}{name}: completed, it means that device", re.search(r"^Name: +" + re.escape(name.split("/")[-1])
               + r"\r?$", got, re.M), f"typed {typed!r}", f"line {line!r}", f"ran {got!r}")
    becomes("as far as it is clear", "info s", "info s")
    becomes("behind a colon", "info c:d ", "info c:")
    becomes("behind an equals sign", "info e=f ", "info e=")
    ok("nothing ran", not os.path.exists(work + "/cwd/RAN") and not os.path.exists(work + "/RAN"))
    dmuse("rename", "one", "--setuuid", "U $(touch RAN)")
    becomes("uuids", r"info -u U\ \$\(touch\ RAN\) ", "info -u U")
    refused = subprocess.run([DMUSE, "create", "-n", "a\nb"], env=env, capture_output=True, text=True)
    ok("a name with a line break cannot be", "control character" in refused.stderr, refused.stderr)
    dmuse("shutdown")
    os.makedirs(work + "/cwd/a $(touch RAN) b")
    own = work + "/cwd/a $(touch RAN) b/control"
    dmuse("daemon", "--socket", own)
    dmuse("create", "--socket", own, "there", "-n")
    offers("devices of the daemon that is meant", ["there"], f"--socket {shlex.quote(own)} info ")
    offers("also behind an equals sign", ["there"], f"--socket={shlex.quote(own)} info ")
    dmuse("shutdown", "--socket", own)
    ok("and still nothing ran", not os.path.exists(work + "/cwd/RAN") and not os.path.exists(work + "/RAN"))
finally:
    os.close(shell.fd)
    os.waitpid(shell.pid, 0)
    subprocess.run([DMUSE, "shutdown"], env=env, capture_output=True)
    shutil.rmtree(work)
print(f"1..{done}")
sys.exit(bool(failed))
