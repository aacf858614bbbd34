#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""
Runs the tables in tests/netbsd, row by row, and compares every key of the replies; tests/netbsd/README.md explains the
rows. All requests are sent as NetBSD's clients send them, with version 4.0.0.
"""
import glob
import json
import os
import plistlib
import re

from protocol_client import ROOT, Wrong, Client, run

NAMED = {"READONLY": 1 << 0, "SUSPEND": 1 << 1, "EXISTS": 1 << 2, "PERSISTENT_DEV": 1 << 3, "STATUS_TABLE": 1 << 4,
         "ACTIVE_PRESENT": 1 << 5, "INACTIVE_PRESENT": 1 << 6, "BUFFER_FULL": 1 << 8, "SKIP_BDGET": 1 << 9,
         "SKIP_LOCKFS": 1 << 10, "NOFLUSH": 1 << 11, "QUERY_INACTIVE": 1 << 12, "DEFERRED_REMOVE": 1 << 17,
         "OK": 0, "EPERM": 1, "ENOENT": 2, "EIO": 5, "EBUSY": 16, "EEXIST": 17, "EINVAL": 22, "EOPNOTSUPP": 45}
INFO = ["name", "uuid", "major", "minor", "open_count", "event_nr", "target_count", "sectors"]
PERHAPS = {"read_ahead", "active_since", "last_event"}        # of devices that have had a table, or an event
ASK = "<plist><dict><key>command</key><string>version</string><key>x</key>%s</dict></plist>"
ANY = object()


class Words:
    """The words of one side of a row: bare ones, "sentences", and KEY=VALUE."""

    def __init__(self, text, names):
        self.text, self.at, self.names = text, 0, names

    def __iter__(self):
        while m := re.compile(r"\s*(?:(\w+)(=)|(?=\S))").match(self.text, self.at):
            self.at = m.end()
            yield (m[1], self.value()) if m[2] else (None, self.value())

    def value(self):
        if self.text[self.at] in '"[{':
            value, self.at = json.JSONDecoder().raw_decode(self.text, self.at)
            return self.fill(value)
        m = re.compile(r"\S+").match(self.text, self.at)
        self.at = m.end()
        return self.bare(m[0])

    def bare(self, word):
        if word.startswith("data:"):
            return word[5:].encode()
        if re.fullmatch(r"-?\d+|0x[0-9a-f]+", word):
            return int(word, 0)
        if all(w in NAMED for w in word.split("|")):
            return sum(NAMED[w] for w in word.split("|"))
        return {"true": True, "false": False}[word] if word in ("true", "false") else self.fill(word)

    def fill(self, value):
        """Replaces $NAME by its value; a string that is nothing else becomes the value itself."""
        if isinstance(value, list):
            return [self.fill(v) for v in value]
        if isinstance(value, dict):
            return {k: self.fill(v) for k, v in value.items()}
        if isinstance(value, str) and value[1:] in self.names and value[:1] == "$":
            return self.names[value[1:]]
        return re.sub(r"\$(\w+)", lambda m: str(self.names[m[1]]), value) if isinstance(value, str) else value


def rows(text, **more):
    """`0 8 zero | 8 8 linear /file 0` as the dictionaries of cmd_data."""
    for line in text.split("|"):
        start, length, target, *params = line.split(None, 3)
        yield {"start": int(start), "length": int(length), "type": target,
               "params": params[0].strip() if params else "", **more}


def request(text, names):
    words = Words(text, names)
    keys = {"version": [4, 0, 0]}
    for key, value in words:
        if key == "lines":
            keys["cmd_data"] = list(rows(value))
        elif not key and value.startswith("!"):
            del keys[value[1:]]
        else:
            keys[key or "command"] = value
    return keys


def expected(sent, text, names):
    """(the keys of the reply with their values or ANY, parts of the sentence)"""
    keys, says, first = {} if sent is None else {**sent, "version": [4, 48, 0]}, [], True
    for key, value in Words(text, names):
        if first:
            keys["errno"], first = value, False
        elif key == "lines":
            keys["cmd_data"] = list(rows(value, status=0))
        elif key:
            keys[key] = value
        elif value == "info":
            keys.update({k: ANY for k in INFO if k not in keys or keys[k] == ""})
        elif value.startswith("!"):
            del keys[value[1:]]
        else:
            says.append(value)
    if keys["errno"]:
        keys["error"] = ANY
    return keys, says


def compare(reply, keys, says, names):
    if reply.keys() - PERHAPS != keys.keys():
        raise Wrong(f"has {sorted(reply.keys() - PERHAPS - keys.keys())} too much and lacks {sorted(keys.keys() - reply.keys())}: "
                    f"{reply}")
    for key, value in keys.items():
        if isinstance(value, str) and value.startswith("?"):
            names[value[1:]] = reply[key]
        elif value is not ANY and (reply[key] != value or isinstance(reply[key], bool) != isinstance(value, bool)):
            raise Wrong(f"`{key}` is {reply[key]!r}, not {value!r}; {reply.get('error', '')}")
    for part in says:
        if str(part) not in reply["error"]:
            raise Wrong(f"'{reply['error']}' does not say '{part}'")


def ask(client, text, names):
    """(the request's keys, the reply) for one left side."""
    how, _, rest = text.partition(" ")
    if how == "raw":    # all of it as it is written, except \0 and the like
        message = rest.strip().encode().decode("unicode_escape").encode("latin-1")
        client.send(message)
        return {"command": "version"}, plistlib.loads(client.receive())
    if how == "x":          # the value of an unknown key
        return {"command": "version"}, client.raw(ASK % rest.strip())
    keys = request(text, names)
    return keys, client.raw(plistlib.dumps(keys))


def check_row(client, line, names):
    left, _, right = line.rpartition(" -> ")
    sent, reply = ask(client, left, names)
    if left.startswith(("x ", "raw ")) and reply["errno"]:
        sent = None     # nothing was read, so nothing is sent back
    compare(reply, *expected(sent, right, names), names)


def make(path, title, lines):
    def test(daemon, client):
        names = {"A": daemon.image("A", 1024), "B": daemon.image("B", 1024)}
        for number, line in lines:
            try:
                if line.startswith("as nobody "):
                    as_nobody(daemon, line.removeprefix("as nobody "), names)
                else:
                    check_row(client, line, names)
            except (Wrong, KeyError, ValueError) as e:
                raise Wrong(f"{path}:{number}: {line}\n#   {type(e).__name__}: {e}") from e
    test.__name__ = f"{os.path.basename(path).removesuffix('.table')}: {title}"
    return test


def as_nobody(daemon, line, names):
    """A client of another user, if we are root and can become one."""
    if os.geteuid():
        return
    os.seteuid(65534)
    try:
        client = Client(daemon.path)
    finally:
        os.seteuid(0)
    check_row(client, line, names)
    client.close()


def read(path):
    tests = []
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.strip()
            if line.startswith("== "):
                tests.append((line[3:], []))
            elif line and not line.startswith("#"):
                tests[-1][1].append((number, line))
    return [make(path, title, lines) for title, lines in tests]


run([test for path in sorted(glob.glob(os.path.join(ROOT, "tests/netbsd/*.table"))) for test in read(path)],
    options=["--allow-read"])
