# SPDX-License-Identifier: BSD-2-Clause
"""A daemon's life: it ends with its creator, whatever becomes of that."""
import errno
import os
import plistlib
import socket
import subprocess
import sys
import tempfile
import threading
import time

import pytest

import dmuse
from dmuse.control import Control


def gone(path, seconds=60):
    """Whether PATH goes away in that time."""
    end = time.monotonic() + seconds
    while os.path.exists(path) and time.monotonic() < end:
        time.sleep(0.01)
    return not os.path.exists(path)


def test_it_ends_with_the_block():
    with dmuse.Daemon() as daemon:
        daemon.new_disk("1M")
        directory = daemon.directory
        assert "serving" in daemon.log
    assert not os.path.exists(directory)
    daemon.close()      # once more is no harm
    with pytest.raises(dmuse.Error, match="no daemon answers"):
        daemon.devices()


def test_it_ends_with_a_creator_that_is_killed():
    code = "import dmuse, sys; d = dmuse.Daemon(); d.new_disk('1M'); print(d.directory, flush=True); sys.stdin.read()"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    directory = child.stdout.readline().strip()
    assert os.path.exists(os.path.join(directory, "control"))
    child.kill()
    child.communicate()
    assert gone(directory)


def test_a_creator_that_fails_shows_its_own_error():
    with pytest.raises(ZeroDivisionError):
        with dmuse.Daemon() as daemon:
            daemon.kill()
            1 / 0
    assert not os.path.exists(daemon.directory)


def test_one_that_cannot_start_says_why():
    with pytest.raises(dmuse.Error, match="--io-threads") as failure:
        dmuse.Daemon(["--io-threads", "many"])
    assert failure.value.errno == errno.EINVAL
    with pytest.raises(dmuse.Error, match="no such program"):
        dmuse.Daemon(program="/nonexistent/dmuse")


def test_a_directory_that_is_too_deep_for_a_socket_is_told(tmp_path, monkeypatch):
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with pytest.raises(dmuse.Error, match="too long for a socket"):
        dmuse.Daemon()
    assert not list(deep.iterdir())


def test_its_end_is_noticed():
    with dmuse.Daemon() as daemon:
        vd = daemon.create("vd", "0 8 zero")
        nr, ended = vd.event_nr, []

        def wait():
            with pytest.raises(dmuse.Error) as failure:
                vd.wait(nr)
            ended.append(failure.value.errno)

        waiter = threading.Thread(target=wait)
        waiter.start()
        daemon.kill()
        waiter.join()
        assert ended in ([errno.ECONNRESET], [errno.ECONNREFUSED])


def test_one_that_is_killed_is_started_again_if_somebody_says_so():
    with dmuse.Daemon(["--restart-timeout", "30"]) as daemon:
        disk = daemon.new_disk("1M")
        with disk.open() as f:
            f.pwrite(b"x" * 512, 4096)
            f.flush()
        daemon.kill()
        assert [d.name for d in daemon.devices()] == [disk.name]
        with disk.open() as f:
            assert f.pread(512, 4096) == b"x" * 512
        assert "was killed by signal 9 (Killed); it was started again with 1 device" in daemon.log
    assert not os.path.exists(daemon.directory)


def test_one_that_has_ended_is_not_killed_by_its_number(monkeypatch):
    with dmuse.Daemon() as daemon:
        daemon.devices()    # leaves a connection
        client = dmuse.Client(daemon.socket)
        client._control.shutdown()
        other = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
        monkeypatch.setattr("dmuse.control._Stream.peer", lambda stream: (other.pid, os.geteuid()))
        daemon.kill()
        other.communicate()
        assert other.returncode == 0


def test_a_command_has_its_time(dmuse_daemon):
    vd = dmuse_daemon.create("vd", "0 8 zero")
    dmuse_daemon.timeout = 0.01
    with pytest.raises(TimeoutError, match="wait"):
        dmuse_daemon.ask("wait", name="vd", event_nr=vd.event_nr)
    dmuse_daemon.timeout = 60
    assert vd.info().sectors == 8


def test_a_child_has_connections_of_its_own(dmuse_daemon):
    vd = dmuse_daemon.create("vd", "0 8 zero")
    child = os.fork()
    if not child:
        os._exit(0 if all(vd.info().sectors == 8 for _ in range(100)) else 1)
    assert all(vd.info().sectors == 8 for _ in range(100))
    assert os.waitpid(child, 0)[1] == 0


def test_a_second_client_sees_the_same(dmuse_daemon, monkeypatch):
    dmuse_daemon.create("vd", "0 8 zero")
    monkeypatch.setenv("DMUSE_SOCKET", dmuse_daemon.socket)
    client = dmuse.Client()
    assert client["vd"].size == 4096
    client.close()
    monkeypatch.delenv("DMUSE_SOCKET")
    with pytest.raises(ValueError, match="which daemon"):
        dmuse.Client()


def heard(listener, asked, answers):
    """A daemon that ends, or answers, as ANSWERS say, one for each connection."""
    for answer in answers:
        connection, _ = listener.accept()
        with connection:
            length = int.from_bytes(connection.recv(4, socket.MSG_WAITALL), "big")
            asked.append(plistlib.loads(connection.recv(length, socket.MSG_WAITALL)))
            if answer:
                reply = plistlib.dumps({"errno": 0})
                connection.sendall(len(reply).to_bytes(4, "big") + reply)


@pytest.mark.parametrize("answers", [[True], [False, False, True], [False] * 6])
def test_the_daemon_that_follows_is_asked_again(tmp_path, answers):
    path, asked = str(tmp_path / "control"), []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        thread = threading.Thread(target=heard, args=(listener, asked, answers))
        thread.start()
        control = Control(path)
        if answers[-1]:
            assert control.raw("suspend", name="vd") == {"errno": 0}
        else:
            with pytest.raises(dmuse.Error, match="has ended"):
                control.raw("suspend", name="vd")
        thread.join()
        control.close()
    assert len(asked) == len(answers)
    assert asked == asked[:1] * len(asked)
    assert asked[0]["command"] == "suspend" and len(asked[0]["id"]) == 32
