"""Two offices in a folder of their own, and the front door as an operator meets it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SITES = """id,name_en,name_hi,region,lat,lon,status,provider
agra,Agra,आगरा,braj,27.18,78.01,linked,provider-a
etah,Etah,एटा,braj,27.56,78.66,linked,provider-a
"""
NO_MEETING = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//EN\r\nEND:VCALENDAR\r\n"


@dataclass
class Operator:
    """Someone with two offices, a settings file and a data folder, who types `tatpar …`."""

    folder: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.folder / "tatpar.toml"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def write(self, settings: str = "") -> Path:
        """Write the settings; the path to them."""
        self.config.write_text(settings, encoding="utf-8")
        return self.config

    def types(self, *arguments: str, within_s: float = 300) -> subprocess.CompletedProcess[str]:
        """Run `tatpar …` to its end."""
        command = [sys.executable, "-m", "tatpar", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=within_s, check=False)

    def up(self, *arguments: str, within_s: float = 300) -> subprocess.CompletedProcess[str]:
        """Run `tatpar up …` here to its end."""
        return self.types("up", *self._here(), *arguments, within_s=within_s)

    def starts_up(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `tatpar up …` here, as at a terminal of its own; what it says goes to a log."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tatpar", "up", *self._here(), *arguments],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def presses_ctrl_c(self, process: subprocess.Popen[bytes]) -> None:
        """Interrupt it as a terminal does: the whole group of processes at once."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)

    @property
    def log(self) -> Path:
        return self.folder / "up.log"

    def hears(self) -> str:
        """What the started `up` has said so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def _here(self) -> tuple[str, ...]:
        return ("--config", str(self.config), "--data", str(self.data))

    def leaves(self) -> None:
        """Nothing that was started outlives the test."""
        for process in self.started:
            below = children(process)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()
            for child in below:
                if child.is_running():
                    child.kill()


def children(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Everything below a process."""
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    (tmp_path / "sites.csv").write_text(SITES, encoding="utf-8")
    (tmp_path / "meetings").mkdir()
    (tmp_path / "meetings" / "none.ics").write_text(NO_MEETING, encoding="utf-8")
    made = Operator(tmp_path)
    made.write()
    yield made
    made.leaves()


@pytest.fixture(scope="session")
def below() -> Callable[[subprocess.Popen[bytes]], list[psutil.Process]]:
    """Lists every process below one."""
    return children


@pytest.fixture(scope="session")
def wait_for() -> Callable[..., None]:
    """Wait until something holds; fails with what was waited for."""

    def waited(what: str, within_s: float, holds: Callable[[], object]) -> None:
        until = time.monotonic() + within_s
        while not holds():
            if time.monotonic() > until:
                pytest.fail(f"not within {within_s:g} s: {what}")
            time.sleep(0.1)

    return waited
