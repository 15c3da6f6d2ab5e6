"""What the tests of analytics share: grids of recent windows, roll-ups, and a ground to forecast from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analytics.baseline import UsualNow
from analytics.climatology import climatology
from analytics.condition import SUSPECT, Condition, condition
from analytics.flapping import flapping, no_outages
from analytics.forecast.features import digest
from analytics.forecast.foresight import Foresight
from analytics.forecast.laid_over import LaidOver
from analytics.forecast.newest import Now, asked_ns, put_newest
from analytics.forecast.track import Track
from analytics.ground import Ground
from analytics.history import History, empty_history
from analytics.hours import local_hour, local_hours
from analytics.limits import LimitSets, limit_sets
from analytics.lines import Lines
from analytics.recent import Recent
from config.meetings import Meeting, Occurrence
from config.profiles import CallProfile, Limits
from tatpar.shipped.prior import shipped_prior
from telemetry.store.columns import WINDOW_VALUE_COLUMNS
from telemetry.store.tables import RollupTable
from telemetry.windows import HOUR_NS, SECOND_NS, SLOT_NS, WINDOW_NS, WINDOWS_PER_SLOT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

KOLKATA = ZoneInfo("Asia/Kolkata")
T0 = 1_795_392_000 * SECOND_NS
"""2026-11-23 00:00 UTC, a Monday."""
LIMITS = Limits(loss_ratio=0.01, burst_loss_ratio=0.1, jitter_ms=30.0, rtt_ms=300.0)


def sound_values(shape: tuple[int, ...], pps: int = 10) -> dict[str, NDArray[np.float32]]:
    """Window values without any trouble."""
    values = {name: np.zeros(shape, dtype=np.float32) for name in WINDOW_VALUE_COLUMNS}
    values["sent"][...] = pps * 15
    for prefix in ("", "up_", "down_"):
        values[f"{prefix}worst_200ms_sent"][...] = pps / 5
    values["up_jitter_ms"][...] = values["down_jitter_ms"][...] = 2.0
    values["rtt_p95_ms"][...] = 40.0
    return values


def lose(values: dict[str, NDArray[np.float32]], way: str, lost: object, at: object = ...) -> None:
    """Set how many packets are lost: `up`, `down`, or `any` for the direction unknown."""
    if way != "any":
        values[f"{way}_lost"][at] = lost
        values["lost"][...] = values["up_lost"] + values["down_lost"]
    else:
        values["lost"][at] = lost


@dataclass
class Bench:
    """Makes inputs; handed to tests as a fixture."""

    limits: Limits = LIMITS
    t0: int = T0

    def values(self, shape: tuple[int, ...], pps: int = 10) -> dict[str, NDArray[np.float32]]:
        return sound_values(shape, pps)

    def lose(self, values: dict[str, NDArray[np.float32]], way: str, lost: object, at: object = ...) -> None:
        lose(values, way, lost, at)

    def recent(
        self,
        values: dict[str, NDArray[np.float32]],
        paths: tuple[str, ...] = ("main.state", "main.national"),
    ) -> Recent:
        """A grid of (S, P, W) values whose last window ended just now (`T0`)."""
        sites, count, windows = values["sent"].shape
        assert count == len(paths)
        lines = Lines(tuple(f"s{i:02d}" for i in range(sites)), paths)
        starts = T0 + (np.arange(windows, dtype=np.int64) - windows) * WINDOW_NS
        return Recent(lines, starts, values)

    def rollups(self, sites: Sequence[str], paths: Sequence[str], slots: int, t0: int = T0) -> RollupTable:
        """Sound roll-ups of every line for `slots` slots from `t0`; rows by (site, path, slot)."""
        rows = len(sites) * len(paths) * slots
        site, path, slot = np.unravel_index(np.arange(rows), (len(sites), len(paths), slots))
        values = sound_values((rows, WINDOWS_PER_SLOT))
        columns: dict[str, NDArray[np.generic]] = {
            "site": site.astype(np.int32),
            "probe": np.zeros(rows, dtype=np.int32),
            "path": path.astype(np.int32),
            "slot_ns": t0 + slot.astype(np.int64) * SLOT_NS,
            "received_ns": t0 + (slot.astype(np.int64) + 1) * SLOT_NS + 4 * SECOND_NS,
            "up_jitter_ms": np.full(rows, 2.0),
            "down_jitter_ms": np.full(rows, 2.0),
            "rtt_p95_ms": np.full(rows, 40.0),
        }
        return RollupTable(tuple(sites), ("p1",), tuple(paths), columns, values, {})

    def occurrence(
        self, lead_s: float, minutes: int = 60, profile: str = "video", end: str = "state"
    ) -> Occurrence:
        meeting = Meeting(uid="m", title="m", invited=(), end=end, profile=profile)
        start_ns = T0 + round(lead_s * SECOND_NS)
        return Occurrence(
            meeting=meeting,
            recurrence_ns=start_ns,
            starts_ns=start_ns,
            ends_ns=start_ns + minutes * 60 * SECOND_NS,
        )

    def profiles(self) -> dict[str, CallProfile]:
        def profile(name: str, rank: int, alarm: Limits) -> CallProfile:
            return CallProfile(
                id=name,
                name_en=name,
                name_hi=name,
                rank=rank,
                ladder="one",
                source="t",
                target=alarm,
                alarm=alarm,
            )

        return {
            "audio": profile("audio", 1, Limits(loss_ratio=0.1, jitter_ms=60.0, rtt_ms=500.0)),
            "video": profile("video", 2, LIMITS),
            "hd": profile(
                "hd", 3, Limits(loss_ratio=0.005, jitter_ms=15.0, rtt_ms=100.0, bitrate_up_bps=2e6)
            ),
        }

    def sets(self) -> LimitSets:
        return limit_sets(self.profiles())

    def history(self, recent: Recent, hours: int = 4 * 168) -> History:
        """All good for so many hours up to now."""
        end = local_hour(T0, KOLKATA)
        out = empty_history(recent.lines, len(self.sets().limits), end - hours, hours)
        out.measured[...] = 240
        for name, value in (("up_jitter_ms", 2.0), ("down_jitter_ms", 2.0), ("rtt_p95_ms", 40.0)):
            out.figures[name][...] = value
        for name in ("up_loss_ratio", "down_loss_ratio", "loss_ratio"):
            out.figures[name][...] = 0.0
        return out

    def ground(self, recent: Recent, history: History | None = None, **changes: object) -> Ground:
        """As of `T0`: every site linked and heard, the past all good unless given."""
        history = self.history(recent) if history is None else history
        state = condition(recent, self.sets().limits)
        sites, paths = recent.lines.shape
        last = np.where(recent.newest >= 0, recent.start_ns[recent.newest] + WINDOW_NS, T0 - HOUR_NS)
        fields: dict[str, object] = {
            "now_ns": T0,
            "zone": KOLKATA,
            "profiles": self.profiles(),
            "sets": self.sets(),
            "recent": recent,
            "condition": state,
            "climate": climatology(history),
            "usual": UsualNow(history, local_hour(T0, KOLKATA)),
            "fault_since_ns": np.where(state.since >= 0, recent.start_ns[state.since], 0),
            "relapses": np.zeros((sites, paths), dtype=np.int64),
            "flapping": flapping(recent, no_outages((sites, paths))),
            "silent_since_ns": last,
            "dark": np.zeros(sites, dtype=bool),
            "linked": np.ones(sites, dtype=bool),
            "link_bps": np.full((sites, 2), np.nan),
            "dark_after_ns": 120 * SECOND_NS,
        }
        dark = np.asarray((fields | changes)["dark"], dtype=bool)
        fields["foresight"] = self.foresight(recent, history, dark, state)
        return Ground(**(fields | changes))  # type: ignore[arg-type]

    def foresight(
        self, recent: Recent, history: History, dark: NDArray[np.bool_], state: Condition
    ) -> Foresight:
        """The shipped model on slots that are as the hours of the history were, and on the recent windows."""
        prior = shipped_prior()
        assert prior is not None
        tracks = tuple(self._track(history, index) for index in range(len(history.broken)))
        present = Now(T0, dark, state.suspicion < SUSPECT, T0 // SLOT_NS - 1)
        laid = put_newest(tracks, recent, self.sets().limits, present, LaidOver())
        digests = tuple(map(digest, tracks))
        return Foresight(prior, "shipped", tracks, digests, asked_ns(T0), just_back=laid.just_back)

    def _track(self, history: History, limit_set: int) -> Track:
        first, slots = T0 // SLOT_NS - 28 * 288, 33 * 288
        ends_ns = (first + 1 + np.arange(slots, dtype=np.int64)) * SLOT_NS
        hour = local_hours(ends_ns - SLOT_NS, KOLKATA) - history.first_hour
        there = (hour >= 0) & (hour < len(history.hours)) & (ends_ns <= T0)
        hour = np.where(there, hour, 0)
        lines = int(np.prod(history.lines.shape))
        shape = (lines, slots)
        padded = np.pad(history.measured.reshape(lines, -1), ((0, 0), (0, 1)))[:, np.where(there, hour, -1)]
        broken = np.pad(history.broken[limit_set].reshape(lines, -1), ((0, 0), (0, 1)))
        with np.errstate(invalid="ignore", divide="ignore"):
            broke = (broken[:, np.where(there, hour, -1)] / padded).astype(np.float32)
        return Track(
            first_slot=first,
            slot_ns=SLOT_NS,
            broke=broke,
            measured=np.minimum(padded / 240, 1.0).astype(np.float32),
            silent_until_ns=np.zeros(shape, dtype=np.int64),
            strain=np.where(padded > 0, np.where(broke > 0, 2.0, 0.14), np.nan).astype(np.float32),
            arrived_ns=np.broadcast_to(ends_ns + 60 * SECOND_NS, shape).copy(),
            planned=np.zeros(shape, dtype=bool),
            rehearsed=np.full(shape, np.nan, dtype=np.float32),
            groups={
                "region": np.zeros(lines, dtype=np.int32),
                "end": np.tile(np.arange(history.lines.shape[1], dtype=np.int32), history.lines.shape[0]),
            },
        )


@pytest.fixture(scope="session")
def made() -> Bench:
    """Makes inputs."""
    return Bench()


@pytest.fixture
def rng() -> Callable[[int], np.random.Generator]:
    """Seeded randomness."""
    return np.random.default_rng
