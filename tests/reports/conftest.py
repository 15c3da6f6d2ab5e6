"""A real store with one known week: three offices, known troubles."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from config.load import load_config
from reports.gather import gather
from telemetry.messages import Direction, RoundTrip, Stamps, Stream
from telemetry.state.db import StateDb
from telemetry.store.by_blocks import InProcess
from telemetry.store.protocol import Received
from telemetry.store.sqlite import SqliteReader, SqliteStore
from telemetry.windows import HOUR_NS, LATE_NS, WINDOW_NS
from tests.reported import envelope_of
from tests.reports.of_week import NOW_NS, WEEK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.config import Config
    from reports.gather import WeekFigures

MONDAY_NS = int(datetime(2026, 11, 15, 18, 30, tzinfo=UTC).timestamp()) * 10**9
"""Monday 16 November 2026, 00:00 in Asia/Kolkata."""
SENT = 150


def stream(path: str, *, lost_up: int = 0) -> Stream:
    """One window at 10 packets a second."""
    received = SENT - lost_up
    rtt = RoundTrip(min_ms=20, mean_ms=21, p50_ms=21, p95_ms=24, p99_ms=26, max_ms=30) if received else None
    return Stream(
        path=path,
        stamps=Stamps(),
        rate_pps=10.0,
        sent=SENT,
        received=received,
        lost=lost_up,
        up=Direction(sent=SENT, received=received, lost=lost_up, jitter_ms=1.0 if received else None),
        down=Direction(sent=received, received=received, lost=0, jitter_ms=1.0 if received else None),
        rtt=rtt,
        stateful=True,
    )


def envelope(site: str, seq: int, start_ns: int, lost_up: int) -> Received:
    report = envelope_of(site, seq, start_ns, stream("main.state", lost_up=lost_up), stream("main.national"))
    return Received(envelope=report, received_ns=start_ns + WINDOW_NS + LATE_NS)


TROUBLE_FIRST, TROUBLE_WINDOWS = 240, 40
"""agra: ten minutes of 10 % loss up from 01:00."""
OUTAGE_FIRST, OUTAGE_WINDOWS = 100, 20
"""etah: five minutes without an answer from 00:25."""
WINDOWS = int(3 * HOUR_NS // WINDOW_NS)


def lost(site: str, window: int) -> int:
    if site == "agra" and TROUBLE_FIRST <= window < TROUBLE_FIRST + TROUBLE_WINDOWS:
        return 15
    if site == "etah" and OUTAGE_FIRST <= window < OUTAGE_FIRST + OUTAGE_WINDOWS:
        return SENT
    return 0


SITES = """id,name_en,name_hi,region,lat,lon,status
agra,Agra,आगरा,braj,27.18,78.01,linked
etah,Etah,एटा,braj,27.56,78.66,linked
kannauj,Kannauj,कन्नौज,kanpur,27.06,79.92,linked
auraiya,Auraiya,औरैया,kanpur,26.46,79.51,planned
"""


@pytest.fixture(scope="session")
def known_week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder: three hours of Monday from three offices; kannauj is silent in its last hour."""
    folder = tmp_path_factory.mktemp("week")
    with contextlib.closing(SqliteStore(folder / "reports.db")) as store:
        for site in ("agra", "etah", "kannauj"):
            count = WINDOWS if site != "kannauj" else WINDOWS * 2 // 3
            store.append(
                [envelope(site, w + 1, MONDAY_NS + w * WINDOW_NS, lost(site, w)) for w in range(count)]
            )
        for _ in range(50):
            store.maintain(MONDAY_NS + 4 * HOUR_NS)
    return folder


@pytest.fixture
def reader(known_week: Path) -> Iterator[SqliteReader]:
    with contextlib.closing(SqliteReader(known_week / "reports.db")) as opened:
        yield opened


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateDb]:
    with contextlib.closing(StateDb(tmp_path / "state.db")) as opened:
        yield opened


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "sites.csv").write_text(SITES, encoding="utf-8")
    (tmp_path / "meetings").mkdir()
    (tmp_path / "tatpar.toml").write_text("", encoding="utf-8")
    return load_config(tmp_path / "tatpar.toml")


@pytest.fixture
def figures(config: Config, reader: SqliteReader, state: StateDb) -> WeekFigures:
    return gather(config, InProcess(reader), state, WEEK, NOW_NS, lambda *_: None)
