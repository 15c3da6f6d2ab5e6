"""The headquarters' services as compose.yaml and the units start them: real processes, real mosquitto, the settings as shipped.

No container and no systemd here: the same command lines in the same environment, on ports that are free, with the
store in a file where Compose has InfluxDB. What a service tells its manager is heard on a real socket.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from tests.ports import free_udp_port

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUSE: Final = Path(__file__).parents[2]
DEPLOY: Final = HOUSE / "deploy"
SERVICES: Final[dict[str, Any]] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))[
    "services"
]
PARTS: Final = ("broker", "collect", "watch", "alerts", "wall", "desk", "reflect")
PORTS: Final = ("1884", "8883", "8443", "8420", "8421", "8862")
WITHIN_S: Final = 120.0

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="sd_notify is a Unix socket"),
]


def free_ports() -> dict[str, str]:
    """A free port for each of ours, TCP and UDP."""
    found: set[int] = set()
    while len(found) < len(PORTS):
        found.add(free_udp_port())  # of both kinds
    return dict(zip(PORTS, map(str, found), strict=True))


class Machine:
    """One machine with a folder for settings, one for data, and whoever listens to its services."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = free_ports()
        self.config = folder / "etc" / "tatpar.toml"
        self.data = folder / "var"
        self.started: dict[str, subprocess.Popen[bytes]] = {}
        self.ears: list[threading.Thread] = []
        self.over = threading.Event()
        self.heard: dict[str, list[str]] = {}
        self.config.parent.mkdir()
        self.data.mkdir(mode=0o750)
        settings = self._on_free_ports((DEPLOY / "hub" / "tatpar.toml").read_text(encoding="utf-8"))
        settings += f"\n[metrics]\nport = {self.ports['8421']}\n"
        self.config.write_text(settings.replace("hub.example", "localhost"), encoding="utf-8")

    def _on_free_ports(self, text: str) -> str:
        # at one go: one free port in five hundred holds the digits of another of ours
        return re.sub("|".join(self.ports), lambda ours: self.ports[ours[0]], text)

    def environment(self) -> dict[str, str]:
        """As the image and the units set it."""
        return os.environ | {"TATPAR_CONFIG": str(self.config), "TATPAR_DATA": str(self.data)}

    def start(self, name: str) -> None:
        """Start a service with its command of compose.yaml, and listen to what it tells its manager."""
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.bind(str(self.folder / f"{name}.notify"))
        manager.settimeout(0.2)
        self.heard[name] = []
        ear = threading.Thread(
            target=self._listen, args=(manager, self.heard[name]), name=f"manager of {name}"
        )
        ear.start()
        self.ears.append(ear)
        told = {"NOTIFY_SOCKET": str(self.folder / f"{name}.notify"), "WATCHDOG_USEC": "3000000"}
        with (self.folder / f"{name}.log").open("ab") as log:
            self.started[name] = subprocess.Popen(
                self.command(SERVICES[name]["command"]),
                env=self.environment() | told,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def command(self, words: list[str]) -> list[str]:
        """Tatpar's, of this environment."""
        return [sys.executable, "-m", "tatpar", *(self._on_free_ports(word) for word in words)]

    def hears(self, name: str, line: str) -> None:
        """Wait until a service has told its manager a line."""
        end = time.monotonic() + WITHIN_S
        while line not in self.heard[name]:
            if time.monotonic() > end:
                log = (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
                pytest.fail(f"{name} never said {line}; it said {self.heard[name]} and logged {log[-3000:]}")
            time.sleep(0.05)

    def _listen(self, manager: socket.socket, heard: list[str]) -> None:
        with manager:
            while not self.over.is_set():
                with contextlib.suppress(TimeoutError):
                    heard += manager.recv(4096).decode().split("\n")

    def is_healthy(self, name: str) -> None:
        """Its health check of compose.yaml, until it is well."""
        words = SERVICES[name]["healthcheck"]["test"]
        assert words[:2] == ["CMD", "tatpar"]
        end = time.monotonic() + WITHIN_S
        while True:
            asked = subprocess.run(
                self.command(words[2:]), env=self.environment(), capture_output=True, text=True, check=False
            )
            if asked.returncode == 0:
                return
            assert time.monotonic() < end, (name, asked.stdout, asked.stderr)
            time.sleep(0.3)

    def close(self) -> None:
        """End what runs."""
        for process in self.started.values():
            if process.poll() is None:
                process.kill()
            process.wait()
        self.over.set()
        for ear in self.ears:
            ear.join(WITHIN_S)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    one = Machine(tmp_path)
    try:
        yield one
    finally:
        one.close()


def test_the_services_find_each_other_and_end_in_order(machine: Machine) -> None:
    """In the order of Compose each gets ready and says so, passes its own health check, and ends with 0 when told to.

    An office can be enrolled at them.
    """
    for name in ("broker", "reflect"):
        machine.start(name)
    machine.hears("broker", "READY=1")
    for name in ("collect", "desk"):
        machine.start(name)
    machine.hears("collect", "READY=1")
    for name in ("watch", "alerts", "wall"):
        machine.start(name)
    for name in PARTS:
        machine.hears(name, "READY=1")
        machine.is_healthy(name)
        if name != "reflect":
            machine.hears(name, "WATCHDOG=1")

    file = machine.folder / "agra.toml"
    enrolled = subprocess.run(
        machine.command(["enroll", "agra", "--out", str(file)]),
        env=machine.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert enrolled.returncode == 0, enrolled.stderr
    assert "note" not in enrolled.stderr, "the broker of the other process was told"
    assert f'hub = ["localhost:{machine.ports["8443"]}"]' in file.read_text(encoding="utf-8")

    machine.started["wall"].send_signal(signal.SIGTERM)
    assert machine.started["wall"].wait(WITHIN_S) == 0
    asked = subprocess.run(
        machine.command(SERVICES["wall"]["healthcheck"]["test"][2:]),
        env=machine.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 1, "the check of a service that is gone says so"
    for name in reversed(PARTS):
        machine.started[name].send_signal(signal.SIGTERM)
    for name in PARTS:
        assert machine.started[name].wait(WITHIN_S) == 0, name
        machine.hears(name, "STOPPING=1")
        assert machine.heard[name].count("READY=1") == 1, (
            "mosquitto speaks this protocol too, and must not for us"
        )
