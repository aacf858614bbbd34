# SPDX-License-Identifier: BSD-2-Clause
"""A daemon for tests, and a client that uses nothing but the standard library."""
import os
import plistlib
import resource
import socket
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DMUSE = os.environ.get("DMUSE", os.path.join(ROOT, "build", "dmuse"))

READONLY, SUSPEND, EXISTS, PERSISTENT_DEV, STATUS_TABLE, ACTIVE, INACTIVE = (1 << i for i in range(7))
NOFLUSH, QUERY_INACTIVE, DEFERRED = 1 << 11, 1 << 12, 1 << 17

EPERM, ENOENT, EIO, EBUSY, EEXIST, EINVAL = 1, 2, 5, 16, 17, 22


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(path)
        self.stream = self.socket.makefile("rwb")

    def send(self, message):
        self.stream.write(len(message).to_bytes(4, "big") + message)
        self.stream.flush()

    def receive(self):
        """The bytes of the next message; b'' if there are no more."""
        return self.stream.read(int.from_bytes(self.stream.read(4), "big"))

    def raw(self, message):
        self.send(message.encode() if isinstance(message, str) else message)
        return plistlib.loads(self.receive())

    @staticmethod
    def message(command, **keys):
        return plistlib.dumps({"command": command, **keys})

    def ask(self, command, **keys):
        return self.raw(self.message(command, **keys))

    def close(self):
        self.stream.close()
        self.socket.close()


def limit(descriptors):
    if descriptors:
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))


class Daemon:
    """
    Runs in the foreground below a directory of its own, without a keeper, so that it is the process that was started; its log is a
    file there. DESCRIPTORS is its limit.
    """

    def __init__(self, options=(), descriptors=None):
        self.directory = tempfile.TemporaryDirectory(prefix="dmuse-")
        os.chmod(self.directory.name, 0o711)
        self.path = os.path.join(self.directory.name, "control")
        self.log = os.path.join(self.directory.name, "log")
        with open(self.log, "wb") as log:
            environment = {**os.environ, "NOTIFY_SOCKET": self.notify_socket()}
            self.process = subprocess.Popen([DMUSE, "daemon", "--foreground", "--socket", self.path,
                                             "--nbd-socket", "none", "--restart-timeout", "0", *options], stderr=log, env=environment,
                                            cwd=self.directory.name, preexec_fn=lambda: limit(descriptors))
        self.wait_until_ready()

    def notify_socket(self):
        path = os.path.join(self.directory.name, "notify")
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.settimeout(60)
        self.notify.bind(path)
        return path

    def wait_until_ready(self):
        while b"READY=1" not in self.notify.recv(4096):
            pass

    def client(self):
        return Client(self.path)

    def image(self, name, sectors):
        path = os.path.join(self.directory.name, name)
        with open(path, "wb") as f:
            f.truncate(sectors * 512)
        return path

    def log_size(self):
        return os.path.getsize(self.log)

    def end(self):
        """Tells it to end, and waits; its exit status."""
        client = self.client()
        client.ask("shutdown")
        status = self.process.wait(60)
        client.close()
        self.notify.close()
        self.directory.cleanup()
        return status


class Wrong(Exception):
    """What a test found."""


def same(got, wanted, what=""):
    if got != wanted:
        raise Wrong(f"{what}: got {got!r}, wanted {wanted!r}")


def works(reply):
    same(reply["errno"], 0, reply.get("error", ""))
    return reply


def fails(reply, errno, *parts):
    """It failed with this number and one sentence that contains all PARTS."""
    same(reply["errno"], errno, reply.get("error", "no sentence"))
    for part in parts:
        if str(part) not in reply["error"]:
            raise Wrong(f"'{reply['error']}' does not say '{part}'")
    if "\n" in reply["error"]:
        raise Wrong(f"more than a sentence: {reply['error']!r}")
    return reply


def lines(client, name, command="table", **keys):
    """The rows of a table as tuples."""
    reply = works(client.ask(command, name=name, **keys))
    return [(r["start"], r["length"], r["type"], r["params"]) for r in reply["cmd_data"]]


def run(tests, options=()):
    """
    Runs each of TESTS(daemon, client), without any device at first; TAP. Their names say what they test; one that returns a
    sentence was skipped for that reason.
    """
    daemon = Daemon(options)
    try:
        for number, test in enumerate(tests, 1):
            client = daemon.client()
            problem = skipped = None
            try:
                skipped = test(daemon, client)
            except (Wrong, OSError, KeyError, IndexError, ValueError) as e:
                problem = f"{type(e).__name__}: {e}"
            client.close()
            print(f"{'not ' if problem else ''}ok {number} - {test.__name__.replace('_', ' ')}"
                  f"{f' # SKIP {skipped}' if skipped else ''}")
            if problem:
                print(f"#   {problem}")
            client = daemon.client()
            works(client.ask("remove_all", force=True))
            client.close()
        print(f"{'not ' if daemon.end() else ''}ok {len(tests) + 1} - the daemon is alive to the end\n1..{len(tests) + 1}")
    finally:
        daemon.process.kill()
        daemon.process.wait()
