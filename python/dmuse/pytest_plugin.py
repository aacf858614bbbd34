# SPDX-License-Identifier: BSD-2-Clause
"""
Fixtures for pytest, which finds this plug-in once the module is installed:

    dmuse_daemon    a Daemon of the test's own
    dmuse_session   the same, where programs can run in its session: daemon.run(), Device.mkfs(), Device.mount()
    dmuse_disk      a Device of 64 MiB; @pytest.mark.dmuse_disk(size="1G", ...) takes what Daemon.new_disk() does
    power_cut       a PowerCut disk of 64 MiB with the test's seed; @pytest.mark.power_cut(size="1G", mode="torn", ...) takes what
                    Daemon.new_power_cut() does, and seeds=20 runs the test with so many seeds
    dmuse_seed      a number for all that is random in the test

A test is skipped, with the reason, on a machine that lacks something; with --dmuse-require it fails instead. If a test fails,
its report has the seed, the command that runs it with the same one, and the state of its devices.
"""
from __future__ import annotations

import random
import shlex
from typing import Any, Dict, Generator, Iterator, List, NoReturn, Optional

import pytest

from .daemon import Daemon
from .device import Device
from .errors import Error
from .power import PowerCut
from .program import find_program, session_lacks

_DAEMON = pytest.StashKey[Daemon]()
_SEED = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("dmuse", "disks that fail on command")
    group.addoption("--dmuse-seed", type=int, metavar="N", help="the seed of every test, instead of a random one for each")
    group.addoption("--dmuse-require", action="store_true", help="a test that lacks something of this machine fails, instead of being skipped")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "power_cut(size='64M', seeds=1, **options): the disk of the fixture power_cut, and how many seeds to try")
    config.addinivalue_line("markers", "dmuse_disk(size='64M', target='linear', options=()): the disk of the fixture dmuse_disk")


def _lacks(request: pytest.FixtureRequest, reason: str) -> NoReturn:
    if request.config.getoption("dmuse_require"):
        pytest.fail(f"--dmuse-require: {reason}", pytrace=False)
    pytest.skip(reason)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    mark = metafunc.definition.get_closest_marker("power_cut")
    seeds = mark.kwargs.get("seeds", 1) if mark else 1
    if seeds > 1 and "power_cut" in metafunc.fixturenames:
        metafunc.parametrize("_dmuse_try", range(1, seeds + 1), ids=[f"seed{n}" for n in range(1, seeds + 1)])


@pytest.fixture
def _dmuse_try() -> int:
    return 1


@pytest.fixture
def dmuse_seed(request: pytest.FixtureRequest) -> int:
    """A random seed, or that of --dmuse-seed. It is printed if the test fails."""
    given: Optional[int] = request.config.getoption("dmuse_seed")
    seed = random.SystemRandom().randrange(1 << 32) if given is None else given
    request.node.stash[_SEED] = seed
    return seed


@pytest.fixture
def dmuse_daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    """A private daemon. What the test leaves behind ends with it."""
    try:
        find_program()
    except Error as e:
        _lacks(request, str(e))
    with Daemon() as daemon:
        request.node.stash[_DAEMON] = daemon
        yield daemon


@pytest.fixture(scope="session")
def _dmuse_session_lacks() -> Optional[str]:
    return session_lacks()


@pytest.fixture
def dmuse_session(request: pytest.FixtureRequest, dmuse_daemon: Daemon) -> Daemon:
    """The test's daemon, if this machine has sessions."""
    reason: Optional[str] = request.getfixturevalue("_dmuse_session_lacks")
    if reason:
        _lacks(request, reason)
    return dmuse_daemon


@pytest.fixture
def dmuse_disk(request: pytest.FixtureRequest, dmuse_daemon: Daemon) -> Device:
    """A disk of 64 MiB on a sparse file; the marker dmuse_disk changes that."""
    mark = request.node.get_closest_marker("dmuse_disk")
    keys = dict(mark.kwargs) if mark else {}
    options = keys.pop("options", ())
    return dmuse_daemon.new_disk(keys.pop("size", "64M"), keys.pop("name", None), keys.pop("target", "linear"), *options, **keys)


@pytest.fixture
def power_cut(request: pytest.FixtureRequest, dmuse_daemon: Daemon, dmuse_seed: int, _dmuse_try: int) -> PowerCut:
    """A disk of 64 MiB whose power can be cut, with the test's seed; the marker power_cut changes that."""
    if "powercut" not in dmuse_daemon.targets():
        _lacks(request, f"{dmuse_daemon.program} has no target powercut")
    mark = request.node.get_closest_marker("power_cut")
    keys: Dict[str, Any] = {"size": "64M", "seed": dmuse_seed, **(mark.kwargs if mark else {})}
    keys.pop("seeds", None)
    return dmuse_daemon.new_power_cut(keys.pop("size"), **keys)


# The report of a failing test.

def _states(daemon: Daemon) -> List[str]:
    """Each line of the tables and its status, and which requests failed."""
    lines = []
    for device in daemon.devices():
        for table, status in zip(device.table(), device.status(noflush=True)):
            lines.append(f"{device.name}: {table}" + (f"    status: {status.params}" if status.params else ""))
        lines += [f"{device.name}: {sentence}" for sentence in device.faults()]
    return lines


def _report(item: pytest.Item) -> str:
    lines = []
    if _SEED in item.stash:
        seed = item.stash[_SEED]
        lines += [f"seed {seed}; to play it again: pytest {shlex.quote(item.nodeid)} --dmuse-seed={seed}"]
    if _DAEMON in item.stash:
        try:
            lines += _states(item.stash[_DAEMON])
        except Exception as e:      # the report of the test itself must not be lost
            lines += [f"the daemon: {type(e).__name__}: {e}"]
    return "\n".join(lines)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: "pytest.CallInfo[None]") -> Generator[None, Any, None]:
    """Adds to a failed test's report, while its daemon still runs."""
    outcome = yield
    report = outcome.get_result()
    if call.when == "call" and report.failed:
        said = _report(item)
        if said:
            report.sections.append(("dmuse", said))
