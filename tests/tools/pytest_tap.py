# SPDX-License-Identifier: BSD-2-Clause
"""A plug-in of pytest that prints TAP instead of pytest's own words: -p no:terminal -p pytest_tap."""
import sys

import pytest


class Tap:
    def __init__(self):
        self.seen = 0

    def line(self, good, name, text="", skip=""):
        self.seen += 1
        print(f"{'ok' if good else 'not ok'} {self.seen} - {name.replace('#', '-')}" + (f" # SKIP {skip}" if skip else ""), file=sys.__stdout__)
        for line in text.splitlines():
            print(f"#   {line}", file=sys.__stdout__)
        sys.__stdout__.flush()

    def pytest_collectreport(self, report):
        if report.failed:
            self.line(False, f"{report.nodeid} can be read", str(report.longrepr))

    def pytest_runtest_logreport(self, report):
        if report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else "expected to fail"
            self.line(True, report.nodeid, skip=reason.replace("Skipped: ", ""))
        elif report.failed:
            said = "\n".join(f"{title}\n{text}" for title, text in report.sections)
            self.line(False, report.nodeid + ("" if report.when == "call" else f" ({report.when})"), f"{report.longreprtext}\n{said}")
        elif report.when == "call":
            self.line(True, report.nodeid)

    def pytest_sessionfinish(self):
        print(f"1..{self.seen}", file=sys.__stdout__, flush=True)


def pytest_configure(config):
    config.pluginmanager.register(Tap())


@pytest.hookimpl(tryfirst=True)
def pytest_internalerror(excrepr):
    print(f"Bail out! pytest: {excrepr}".replace("\n", "\n# "), file=sys.__stdout__, flush=True)
