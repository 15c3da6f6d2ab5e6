"""A small hub's data folder: a store with blocks, roll-ups, recent rows, a hole and a tombstone; decisions; keys."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import pytest

from config.load import load_config
from telemetry.alerting import Post
from telemetry.messages import Call, Direction, Link, Ping, Reach, Rehearsal, Rung, Tombstone
from telemetry.state.db import StateDb
from telemetry.store.protocol import Selection
from telemetry.store.sqlite import SqliteReader, SqliteStore
from telemetry.windows import HOUR_NS
from tests.telemetry.store.conftest import T0, Fleet

if TYPE_CHECKING:
    from pathlib import Path

    from config.config import Config
    from telemetry.messages import Item

SITES = """id,name_en,name_hi,region,lat,lon,status,provider
agra,Agra,आगरा,braj,27.18,78.01,linked,provider-a
etah,Etah,एटा,braj,27.56,78.66,linked,provider-a
"""
NO_MEETING = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//EN\r\nEND:VCALENDAR\r\n"
KINDS = ("ping", "reach", "link", "call", "rehearsal", "tombstone")
EVERYTHING = Selection(0, 2**62)


@dataclass(frozen=True)
class Hub:
    """Where a hub's things are."""

    folder: Path
    config: Config

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def backups(self) -> Path:
        return self.folder / "backups"


def other_items(fleet: Fleet, window: int) -> tuple[Item, ...]:
    """One of every kind that is no stream."""
    up = fleet.direction(40, 0)
    assert isinstance(up, Direction)
    return (
        Ping(target="gateway", sent=15, received=14, rtt=fleet.stream().rtt),
        Reach(target="room", method="tcp", answered=False, error="refused: “nein”"),
        Link(interface="eth0", up_bps=1.5e6, down_bps=0.1 + window, errors=window),
        Call(flow="f1", media="video", direction="up", packets=900, lost=3, jitter_ms=1 / 3),
        Rehearsal(path="main.state", rehearsal_id=f"r{window}", up=(Rung(name="hd", held=True, sent=3),)),
    )


def fill(store: SqliteStore, *, sites: tuple[str, ...] = ("agra", "etah")) -> None:
    """Four hours, every third window: two of them folded, with items of every kind, a hole and a tombstone."""
    fleet = Fleet()
    for site in sites:
        reports = []
        for seq in range(1, 321):
            if 50 <= seq <= 53 or 90 <= seq <= 92:
                continue
            extra = (
                other_items(fleet, seq) if seq % 40 == 0 else (Ping(target="gateway", sent=15, received=15),)
            )
            if seq == 93:
                extra = (
                    *extra,
                    Tombstone(first_seq=90, last_seq=92, from_ns=T0, until_ns=T0 + 1, reason="spool_full"),
                )
            reports.append(fleet.report(site, seq, seq * 3, items=(fleet.stream(lost=(seq % 3, 0)), *extra)))
        store.append(reports)
    while store.maintain(T0 + 2 * HOUR_NS + 1800 * 10**9):
        pass


def bits_of(path: Path) -> dict[str, bytes]:
    """All that is read of a store, to the bit: windows, roll-ups, items of every kind."""
    with closing(SqliteReader(path)) as reader:
        streams, rollups = reader.streams(EVERYTHING), reader.rollups(EVERYTHING)
        items = {kind: msgspec.json.encode(reader.items(kind, EVERYTHING)) for kind in KINDS}
    bits = {f"window {name}": column.tobytes() for name, column in streams.columns.items()}
    bits |= {f"slot {name}": column.tobytes() for name, column in rollups.columns.items()}
    bits |= {f"value {name}": values.tobytes() for name, values in rollups.window_values.items()}
    for what, table in (("window", streams), ("slot", rollups)):
        bits[f"{what} names"] = repr((table.sites, table.probes, table.paths)).encode()
        for name, part in table.histograms.items():
            bits[f"{what} {name}"] = part.offsets.tobytes() + part.bins.tobytes() + part.counts.tobytes()
    return bits | items


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder, made once; tests copy it."""
    folder = tmp_path_factory.mktemp("hub")
    data = folder / "data"
    with closing(SqliteStore(data / "reports.db")) as store:
        fill(store)
    with closing(StateDb(data / "state.db")) as state:
        state.post(
            [Post(key="k1", person="", channel="mail", recipient="a@b.c", subject="s", body="b", due_ns=1)], 1
        )
        state.put_token(b"open", "agra", "p1", 1, 1, 2**62)
        state.beat("watch", 1, {})
    identity = data / "identity"
    identity.mkdir(mode=0o700)
    (identity / "ca.key").write_bytes(b"secret")
    (identity / "ca.key").chmod(0o600)
    (data / "ack.key").write_bytes(b"secret too")
    (data / "ack.key").chmod(0o600)
    (data / "reports").mkdir()
    (data / "reports" / "readiness.html").write_text("a report", encoding="utf-8")
    (data / "logs").mkdir()
    (data / "logs" / "left.log").write_text("stays", encoding="utf-8")
    (folder / "meetings").mkdir()
    (folder / "meetings" / "none.ics").write_text(NO_MEETING, encoding="utf-8")
    (folder / "sites.csv").write_text(SITES, encoding="utf-8")
    (folder / "tatpar.toml").write_text("", encoding="utf-8")
    return folder


@pytest.fixture
def hub(made_once: Path, tmp_path: Path) -> Hub:
    """A hub of one's own."""
    import shutil

    folder = tmp_path / "hub"
    shutil.copytree(made_once, folder)
    return Hub(folder, load_config(folder / "tatpar.toml"))
