# SPDX-License-Identifier: BSD-2-Clause
"""
What the devices must be: a state of each, which every command changes in a way that is known before. A commander is a
thread that gives commands to devices of its own, one after the other, so what it knows of them is exact. Some of its
commands have an identity, and are sent again if the daemon is killed before it answers: they must have their effect,
once. The others must have had it wholly or not at all.
"""
import copy
import threading

from control import Control, Lost

READONLY, SUSPEND, ACTIVE, INACTIVE = 1 << 0, 1 << 1, 1 << 5, 1 << 6
QUERY_INACTIVE = 1 << 12
SECTORS = 64            # of the area of each device
REGIONS = 3             # of statistics, in each at most


class Mismatch(Exception):
    pass


class State:
    """Of a device. None in a prediction: that is not known."""

    def __init__(self, name):
        self.name, self.exists = name, False
        self.uuid, self.number, self.suspended, self.event = "", None, False, 0
        self.active = self.inactive = None
        self.regions = ""

    def but(self, **changes):
        other = copy.copy(self)
        other.__dict__.update(changes)
        return other

    def removed(self):
        return State(self.name)

    def shown(self):
        return {k: v for k, v in self.__dict__.items() if k not in ("exists", "name")}


class Device:
    """On OFFSET of an IMAGE, or on the device LOWER."""

    def __init__(self, name, image, offset, sectors=SECTORS, loaded=False):
        self.image, self.offset, self.sectors, self.lower, self.upper = image, offset, sectors, None, None
        self.loaded = loaded            # used by a client: it keeps its name and is not removed
        self.is_now = State(name)

    def stand_on(self, lower):
        self.offset, self.lower, lower.upper = 0, lower, self

    def table(self, cuts):
        """The same mapping, in one line or in more."""
        ends = sorted({c for c in cuts if 0 < c < self.sectors}) + [self.sectors]
        starts = [0] + ends[:-1]
        below = self.lower.is_now.number if self.lower else self.image
        return "\n".join(f"{s} {e - s} linear {below} {self.offset + s}" for s, e in zip(starts, ends))

    def may_have_table(self):
        return not self.lower or self.lower.is_now.active


class Commander:
    """With the devices that only it changes."""

    def __init__(self, path, devices, identity, rng, stop):
        self.devices, self.identity, self.rng, self.stop = devices, identity, rng, stop
        self.control = Control(path, stop)
        self.failure, self.commands, self.unanswered, self.names = None, 0, 0, 0
        self.may_run, self.idle = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    # Each command: its name, its keys, and the state after it.

    def some_table(self, d):
        return d.table([self.rng.randrange(d.sectors) for _ in range(self.rng.randrange(4))])

    def create(self, d):
        keys, after = {}, d.is_now.but(exists=True, suspended=None)
        if self.rng.random() < 0.5:
            after.uuid = keys["uuid"] = f"uuid of {after.name}"
        if d.loaded or (d.may_have_table() and self.rng.random() < 0.5):
            after.active = keys["table"] = self.some_table(d)
            after.suspended = False
        return "create", keys, after

    def remove(self, d):
        return "remove", {}, d.is_now.removed()

    def reload(self, d):
        table = self.some_table(d)
        return "reload", {"table": table}, d.is_now.but(inactive=table)

    def clear(self, d):
        return "clear", {}, d.is_now.but(inactive=None)

    def resume(self, d):
        return "resume", {}, d.is_now.but(active=d.is_now.inactive or d.is_now.active, inactive=None, suspended=False)

    def suspend(self, d):
        return "suspend", {}, d.is_now.but(suspended=True)

    def rename(self, d):
        self.names += 1
        name = f"{d.is_now.name.split('.')[0]}.{self.names}"
        return "rename", {"cmd_data": [name]}, d.is_now.but(name=name)

    def set_uuid(self, d):
        uuid = f"later uuid of {d.is_now.name}"
        return "set_uuid", {"cmd_data": [uuid]}, d.is_now.but(uuid=uuid)

    def region(self, d):
        at, length = self.rng.randrange(d.sectors), 1 + self.rng.randrange(8)
        line = f"{d.is_now.regions.count(chr(10))}: {at}+{length} {length} test {d.is_now.name}\n"
        return ("message", {"sector": 0, "message": f"@stats_create {at}+{length} {length} test {d.is_now.name}"},
                d.is_now.but(regions=d.is_now.regions + line))

    def possible(self, d):
        now = d.is_now
        if not now.exists:
            return [self.create]
        able = [self.reload] if d.may_have_table() else [self.rename]
        if now.inactive:
            able += [self.clear, self.resume, self.resume]
        if now.active:
            able += [self.resume] * 3 if now.suspended else [self.suspend]
            able += [self.region] if now.regions.count("\n") < REGIONS else []
        if not d.loaded:
            able += [self.rename]
            able += [] if now.uuid else [self.set_uuid]
            able += [] if d.upper and d.upper.is_now.exists else [self.remove]
        return able

    # Carrying one out.

    def do(self, d, command, keys, after):
        try:
            reply = self.control.ask(command, self.rng.random() < self.identity, name=d.is_now.name, **keys)
        except Lost:
            self.unanswered += 1
            self.look(d, command, after)
            return
        if reply["errno"]:
            raise Mismatch(f"{command} {d.is_now.name}: errno {reply['errno']}: {reply.get('error')}")
        self.commands += 1
        if after.exists:
            learn(after, d.is_now, facts(reply))
        d.is_now = after

    def look(self, d, command, after):
        """The daemon was killed meanwhile: it is as before, or as after the command."""
        got = {**asked(self.control, [d.is_now.name]), **asked(self.control, [after.name])}
        wanted = {d.is_now.name: d.is_now.shown()} if d.is_now.exists else {}
        if got == wanted:
            return
        if after.exists and after.name in got:
            learn(after, d.is_now, got[after.name])
        if got != ({after.name: after.shown()} if after.exists else {}):
            raise Mismatch(f"{command}: {got}, which is neither {wanted} nor {after.__dict__}")
        d.is_now = after

    def step(self):
        d = self.rng.choice(self.devices)
        self.do(d, *self.rng.choice(self.possible(d))(d))

    def run(self):
        try:
            while not self.stop.is_set():
                if self.may_run.is_set():
                    self.step()
                else:
                    self.idle.set()
                    self.may_run.wait(0.1)
        except Exception as e:          # also a silent daemon
            self.failure = f"{type(e).__name__}: {e}"
        self.control.close()

    def pause(self):
        self.may_run.clear()
        self.idle.clear()               # in this order: idle is set once more only by who has seen that it may not run

    def is_idle(self, seconds):
        return not self.thread.is_alive() or self.idle.wait(seconds)

    def go_on(self):
        self.may_run.set()


def facts(reply):
    return {"name": reply["name"], "uuid": reply.get("uuid", ""), "number": f"{reply['major']}:{reply['minor']}", "flags": reply["flags"],
            "suspended": bool(reply["flags"] & SUSPEND), "event": reply["event_nr"]}


def learn(after, before, told):
    """What could not be predicted is taken from what was told; the rest must agree with it."""
    if after.number is None:
        after.number = told["number"]
    if after.suspended is None:
        after.suspended = told["suspended"]
    after.event = told["event"]
    wrong = [k for k in ("uuid", "number", "suspended") if getattr(after, k) != told[k]]
    if told.get("name", after.name) != after.name:
        wrong.append("name")
    if not before.event <= told["event"] <= before.event + 1:
        wrong.append("event")
    if "flags" in told and (bool(told["flags"] & ACTIVE), bool(told["flags"] & INACTIVE)) != (bool(after.active), bool(after.inactive)):
        wrong.append("flags")
    if wrong:
        raise Mismatch(f"{after.name}: {told} differs from what must be in {', '.join(wrong)}: {after.__dict__}")


def asked(control, names=None):
    """All devices of the daemon, or those of NAMES that exist, in the form of State.shown(), by name."""
    if names is None:
        listed = control.ask_many([{"command": "names"}])[0]["cmd_data"]
    else:
        listed = [r for r in control.ask_many([{"command": "info", "name": n} for n in names]) if not r["errno"]]
    got = {d["name"]: facts(d) for d in listed}
    tables(control, got)
    active = [name for name, d in got.items() if d["active"]]
    answers = control.ask_many([{"command": "message", "name": n, "sector": 0, "message": "@stats_list"} for n in active])
    for d in got.values():
        d["regions"] = ""
        del d["flags"], d["name"]
    for name, reply in zip(active, answers):
        got[name]["regions"] = reply.get("answer", "")
    return got


def tables(control, got):
    slots = [(name, slot, flag) for name, d in got.items() for slot, bit, flag in
             (("active", ACTIVE, 0), ("inactive", INACTIVE, QUERY_INACTIVE)) if d["flags"] & bit]
    texts = control.ask_many([{"command": "table", "text": True, "name": n, "flags": f} for n, _, f in slots])
    for d in got.values():
        d.update(active=None, inactive=None)
    for (name, slot, _), reply in zip(slots, texts):
        got[name][slot] = reply.get("table", f"errno {reply['errno']}: {reply.get('error')}").rstrip("\n")


def differences(devices, got):
    wanted = {d.is_now.name: d.is_now.shown() for d in devices if d.is_now.exists}
    out = [f"{name}: missing" for name in wanted.keys() - got.keys()]
    out += [f"{name}: must not be there" for name in got.keys() - wanted.keys()]
    for name in wanted.keys() & got.keys():
        out += [f"{name}: {what} is {got[name][what]!r}, and must be {value!r}" for what, value in wanted[name].items()
                if got[name][what] != value]
    return out
