"""A small deployment in a folder of its own, and the commands that run it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SITES = """id,name_en,name_hi,region,lat,lon,status,provider
agra,Agra,आगरा,braj,27.18,78.01,linked,provider-a
etah,Etah,एटा,braj,27.56,78.66,linked,provider-a
kannauj,Kannauj,कन्नौज,kanpur,27.06,79.92,linked,provider-b
auraiya,Auraiya,औरैया,kanpur,26.46,79.51,planned,provider-b
"""
MEETING = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//tests//EN
BEGIN:VEVENT
UID:review
SUMMARY:समीक्षा बैठक
DTSTART:{starts}
DTEND:{ends}
ATTENDEE:all
X-TATPAR-PROFILE:video-720p
X-TATPAR-END:state
END:VEVENT
END:VCALENDAR
"""


@dataclass
class Deployment:
    """Settings, sites, one meeting and a data folder; three linked offices and one planned."""

    folder: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.folder / "tatpar.toml"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def write(self, settings: str = "", *, meeting_in_s: float = 3 * 3600, lasts_s: float = 3600) -> None:
        self.data.mkdir(exist_ok=True)
        (self.folder / "meetings").mkdir(exist_ok=True)
        self.config.write_text(settings, encoding="utf-8")
        (self.folder / "sites.csv").write_text(SITES, encoding="utf-8")
        (self.folder / "lab.toml").write_text(QUIET, encoding="utf-8")
        starts, ends = (
            time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + s))
            for s in (meeting_in_s, meeting_in_s + lasts_s)
        )
        text = MEETING.format(starts=starts, ends=ends).replace("\n", "\r\n")
        (self.folder / "meetings" / "review.ics").write_text(text, encoding="utf-8")

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `tatpar …` on this deployment; ended with the test. What it says goes to a log in the folder."""
        command, *rest = arguments
        place = ["--config", str(self.config), "--data", str(self.data)]
        with (self.folder / f"{command}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tatpar", command, *place, *rest], stdout=log, stderr=log
            )
        self.running.append(process)
        return process

    def tatpar(self, *arguments: str, config: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `tatpar …` on this deployment to its end."""
        place = ["--config", str(self.config)] if config else []
        return subprocess.run(
            [sys.executable, "-m", "tatpar", *arguments, *place, "--data", str(self.data)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def said(self, command: str) -> str:
        """What a started command has said so far."""
        return (self.folder / f"{command}.log").read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.running:
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


QUIET = """[[kinds]]
id = "clear"
share = 1
access_ms = 5.0
jitter_ms = 0.5
loss_ratio = 0.0
spread = 0.0
"""


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    made = Deployment(tmp_path)
    yield made
    made.stop()


def eventually(what: str, within_s: float, holds: Callable[[], object], every_s: float = 0.25) -> float:
    """Wait until something holds; the seconds it took. Fails with what was waited for."""
    begin = time.monotonic()
    while time.monotonic() - begin < within_s:
        if holds():
            return time.monotonic() - begin
        time.sleep(every_s)
    pytest.fail(f"not within {within_s:g} s: {what}")


@pytest.fixture(name="eventually", scope="session")
def eventually_fixture() -> Callable[..., float]:
    return eventually
