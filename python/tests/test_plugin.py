# SPDX-License-Identifier: BSD-2-Clause
"""The pytest plug-in, seen from outside: pytest runs pytest."""
import re

FAILS = """
    import random
    def test_random(dmuse_seed, dmuse_disk):
        value = random.Random(dmuse_seed).randrange(1000000)
        print("value", value)
        dmuse_disk.swap("0 8 zero\\n8 8 error")
        with dmuse_disk.open() as disk:
            disk.pread(512, 8 * 512)
"""


def play(pytester, *words):
    return pytester.runpytest_subprocess("-p", "dmuse.pytest_plugin", "-p", "no:cacheprovider", *words)


def test_a_failure_has_the_seed_and_plays_again(pytester):
    pytester.makepyfile(FAILS)
    first = play(pytester)
    first.assert_outcomes(failed=1)
    text = first.stdout.str()
    command = re.search(r"seed (\d+); to play it again: pytest (\S+) --dmuse-seed=\1\n", text)
    assert command, text
    assert "disk1: 8 8 error" in text and "read of sector 8 failed" in text
    again = play(pytester, command[2], f"--dmuse-seed={command[1]}")
    assert re.search(r"value \d+", text)[0] == re.search(r"value \d+", again.stdout.str())[0]


def test_seeds_differ_from_test_to_test(pytester):
    pytester.makepyfile("""
        seeds = set()
        def test_one(dmuse_seed): seeds.add(dmuse_seed)
        def test_two(dmuse_seed): assert dmuse_seed not in seeds
    """)
    play(pytester).assert_outcomes(passed=2)


def test_a_machine_without_the_program_skips_or_fails(pytester, monkeypatch):
    pytester.makepyfile("def test_disk(dmuse_disk): pass")
    monkeypatch.setenv("DMUSE", "/nonexistent/dmuse")
    skipped = play(pytester, "-rs")
    skipped.assert_outcomes(skipped=1)
    skipped.stdout.fnmatch_lines("*/nonexistent/dmuse: there is no such program*")
    play(pytester, "--dmuse-require").assert_outcomes(errors=1)


def test_a_machine_without_sessions_skips_or_fails(pytester, monkeypatch):
    pytester.makepyfile("def test_session(dmuse_session): pass")
    monkeypatch.setenv("DMUSE_FUSE_DEVICE", "/nonexistent/fuse")
    skipped = play(pytester, "-rs")
    skipped.assert_outcomes(skipped=1)
    skipped.stdout.fnmatch_lines("*no sessions here*")
    play(pytester, "--dmuse-require").assert_outcomes(errors=1)


def test_a_test_leaves_nothing_to_the_next(pytester):
    pytester.makepyfile("""
        def test_one(dmuse_daemon): dmuse_daemon.create("vd", "0 8 zero")
        def test_two(dmuse_daemon): assert dmuse_daemon.devices() == []
    """)
    play(pytester).assert_outcomes(passed=2)
