"""What every test may use: options, a real mosquitto, the Chromium of the system."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, settings

from collector.broker.ports import free_port
from tests.rights.elsewhere import report_outwards, send_elsewhere
from tests.rights.summary import summarise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


settings.register_profile(
    "house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")
"""The same examples everywhere, whichever folders are run together, and none refused because the machine stood still meanwhile."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--vectors",
        type=Path,
        default=None,
        metavar="FILE",
        help="conformance vectors (CSV); default tests/vectors/vectors_public.csv",
    )


LONGEST: Final = (
    "tests/collector/test_clocks_of_probes.py",  # waits
    "tests/watch/test_breach_longer_than_the_ring.py",
    "tests/watch/test_out_of_the_spool.py",
    "tests/fuzz/test_million.py",
    "tests/watch/test_since.py",
    "tests/watch/test_begun_unseen.py",
    "tests/watch/test_belief.py",
    "tests/watch/test_outage_longer_than_the_ring.py",
    "tests/e2e/test_flow.py",  # waits
    "tests/watch/test_after_a_brown_out.py",
    "tests/history/test_lost_samples.py",
    "tests/analytics/test_readiness.py",
    "tests/history/test_sparse_past.py",
    "tests/watch/test_outage.py",
    "tests/watch/test_late_and_wrong.py",
    "tests/e2e/test_store_locked.py",  # waits
    "tests/watch/test_newcomers.py",
    "tests/watch/test_in_pieces.py",
    "tests/watch/test_beside_the_line.py",
    "tests/tatpar/test_backtest.py",
    "tests/analytics/forecast/test_trace_ground.py",
    "tests/watch/test_asked_once.py",
    "tests/watch/test_learning.py",
    "tests/faults/test_campaign.py",  # waits
)
"""Files that take long, the longest first: workers that begin with them end together.

Those that mostly wait are so far apart that about one worker waits while the others reckon: three that wait at once leave the processors idle.
"""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; the order is otherwise the one in which they lie. What needs a right that is missing goes where it is."""

    def rank(item: pytest.Item) -> int:
        return next((at for at, place in enumerate(LONGEST) if item.nodeid.startswith(place)), len(LONGEST))

    items.sort(key=rank)
    send_elsewhere(items)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """What runs in a user namespace tells it to who waits outside."""
    report_outwards(report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was not proved here, and why."""
    summarise(terminalreporter)


def find_program(name: str) -> str:
    """Path of a program that the tests need; a missing one fails the test, it is never skipped."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        pytest.fail(f"{name} is not on this machine: `make test` installs it", pytrace=False)
    return path


class Mosquitto:
    """A real broker on loopback with its own folder; can be killed and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = "127.0.0.1"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._has_served = False

    def start(self) -> None:
        """Start it; at the first time on another port when somebody else was quicker to take this one."""
        for _ in range(1 if self._has_served else 4):
            if self._starts():
                self._has_served = True
                return
            self.port = free_port()
        pytest.fail("mosquitto ended at once, or did not listen within a minute", pytrace=False)

    def _starts(self) -> bool:
        self.folder.mkdir(parents=True, exist_ok=True)
        user = "user root\n" if os.geteuid() == 0 else ""
        (self.folder / "mosquitto.conf").write_text(
            f"{user}per_listener_settings false\nlistener {self.port} 127.0.0.1\nallow_anonymous true\n"
            f"persistence true\npersistence_location {self.folder}/\nmax_queued_messages 0\nlog_dest none\n",
            encoding="utf-8",
        )
        self._process = subprocess.Popen(
            [find_program("mosquitto"), "-c", str(self.folder / "mosquitto.conf")]
        )
        for _ in range(3000):
            if self._process.poll() is not None:
                return False
            with socket.socket() as probe:
                if probe.connect_ex((self.host, self.port)) == 0 and self._process.poll() is None:
                    return True
            time.sleep(0.02)
        self.kill()
        return False

    def kill(self) -> None:
        """Kill -9, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running mosquitto."""
    broker = Mosquitto(tmp_path / "mosquitto-under-test")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """Finds a program that the tests need."""
    return find_program
