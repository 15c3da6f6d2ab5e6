"""A day at the fleet: who has which trouble, since when, and the reports that show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from telemetry.decisions import Action, Reason, ReasonCode, State, Verdict
from telemetry.histogram import bin_of
from telemetry.messages import Clock, Direction, Envelope, RoundTrip, SelfReport, Stamps, StampSource, Stream
from telemetry.store.tables import Ragged, StreamTable
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS, WINDOW_NS, window_start

if TYPE_CHECKING:
    from config.meetings import Occurrence

NOW_NS = 1_795_495_670 * SECOND_NS
"""Tuesday 24 November 2026, 10:17:50 IST: 42 minutes before the morning review."""
PATHS = ("main.state", "main.national")
MIN_NS = 60 * SECOND_NS


def since(minutes: float) -> int:
    return NOW_NS - int(minutes * MIN_NS)


def told(code: ReasonCode, value: float | None, unit: str, minutes: float | None, **more: Any) -> Reason:
    start = None if minutes is None else since(minutes)
    return Reason(code=code, value=value, unit=unit, path=PATHS[0], since_ns=start, **more)


STORY: dict[str, tuple[State, float | None, tuple[Reason, ...], Action]] = {
    "rampur": (
        State.NOT_READY,
        0.31,
        (told(ReasonCode.LOSS_UP, 0.041, "ratio", 12.8, limit=0.01, usual=0.0004),),
        Action.RESTART_ROUTER,
    ),
    "jhansi-city": (
        State.NOT_READY,
        0.08,
        (told(ReasonCode.OUTAGE, 1080.0, "s", 18.0),),
        Action.CALL_PROVIDER,
    ),
    "lalitpur": (State.NOT_READY, None, (told(ReasonCode.DARK, 2200.0, "s", 36.7),), Action.CHECK_POWER),
    "sonbhadra": (
        State.AT_RISK,
        0.62,
        (
            told(ReasonCode.RTT, 320.0, "ms", 48.0, limit=300.0),
            told(ReasonCode.USUAL_HOUR, 0.18, "ratio", None),
        ),
        Action.CALL_PROVIDER,
    ),
    "kushinagar": (
        State.AT_RISK,
        0.71,
        (told(ReasonCode.JITTER_DOWN, 38.0, "ms", 25.0, limit=30.0),),
        Action.SECOND_LINE,
    ),
    "shahjahanpur": (
        State.AT_RISK,
        0.78,
        (told(ReasonCode.BURST_UP, 0.14, "ratio", 8.0, limit=0.1),),
        Action.RESTART_ROUTER,
    ),
    "mainpuri": (
        State.AT_RISK,
        0.83,
        (told(ReasonCode.USUAL_HOUR, 0.22, "ratio", None, record=(2, 8)),),
        Action.WATCH,
    ),
    "auraiya": (State.UNKNOWN, None, (told(ReasonCode.NO_DATA, 75.0, "s", 1.3),), Action.WATCH),
}


def quality(site: str, starts: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Loss up, loss down and middle round trip (ms) of an office's windows."""
    n = len(starts)
    base = 12 + (sum(map(ord, site)) % 37)
    busy = 1 + 0.35 * np.sin((starts % DAY_NS) / DAY_NS * 2 * np.pi * 3)
    rtt = base * busy * rng.lognormal(0, 0.05, n)
    up = np.where(rng.random(n) < 0.01, 0.004, 0.0)
    down = np.where(rng.random(n) < 0.012, 0.005, 0.0)
    late = starts >= since(12.8)
    if site == "rampur":
        up = np.where(late, rng.normal(0.041, 0.008, n).clip(0.01, 0.09), up)
        rtt = np.where(late, rtt * 1.5, rtt)
    if site == "jhansi-city":
        up = np.where(starts >= since(18), 1.0, up)
    if site == "sonbhadra":
        rtt = np.where(starts >= since(48), rng.normal(320, 12, n), rtt)
    if site == "shahjahanpur":
        up = np.where((starts >= since(8)) & (rng.random(n) < 0.4), 0.012, up)
    return up, down, rtt


def windows_of(site: str, hours: float, until_ns: int) -> StreamTable:
    """Windows of both paths of an office, complete enough for every chart."""
    rng = np.random.default_rng(sum(map(ord, site)))
    first = window_start(until_ns - int(hours * HOUR_NS))
    one = np.arange(first, window_start(until_ns), WINDOW_NS, dtype=np.int64)
    starts = np.tile(one, 2)
    n = len(starts)
    up, down, rtt = quality(site, starts, rng)
    sent = np.full(n, 150)
    up_lost = np.minimum(np.round(up * sent), sent).astype(np.int64)
    down_lost = np.where(up_lost < sent, np.round(down * sent), 0).astype(np.int64)
    answered = up_lost < sent
    jitter = 1.2 + 0.03 * rtt + rng.random(n)
    if site == "kushinagar":
        jitter = np.where(starts >= since(25), 38.0, jitter)
    ones: dict[str, Any] = {
        "site": np.zeros(n),
        "probe": np.zeros(n),
        "path": np.repeat([0, 1], len(one)),
        "start_ns": starts,
        "received_ns": starts + WINDOW_NS + 4 * SECOND_NS,
        "sent": sent,
        "received": sent - up_lost - down_lost,
        "lost": up_lost + down_lost,
        "lost_unattributed": np.zeros(n),
        "up_sent": sent,
        "up_received": sent - up_lost,
        "up_lost": up_lost,
        "down_sent": sent - up_lost,
        "down_received": sent - up_lost - down_lost,
        "down_lost": down_lost,
        "stamps": np.full(n, 0x2222),
        "stateful": np.ones(n),
        "clock_state": np.full(n, 2),
        "clock_error_ms": np.full(n, 0.8),
        "rate_pps": np.full(n, 10.0),
        "late_sends": np.where(rng.random(n) < 0.02, 3, 0),
        "rx_drops": np.zeros(n),
        "straddled": np.zeros(n),
        "reflector_restarts": np.zeros(n),
        "emulated": np.zeros(n),
        "up_jitter_ms": np.where(answered, jitter, np.nan),
        "down_jitter_ms": np.where(answered, jitter * 0.8, np.nan),
        "up_bitrate_bps": 13_800 * (1 - up),
        "down_bitrate_bps": 13_800 * (1 - up) * (1 - down),
    }
    for name, factor in (
        ("min", 0.82),
        ("mean", 1.05),
        ("p50", 1.0),
        ("p95", 1.4),
        ("p99", 1.7),
        ("max", 1.9),
    ):
        ones[f"rtt_{name}_ms"] = np.where(answered, rtt * factor, np.nan)
    return StreamTable((site,), ("p1",), PATHS, ones, {"rtt_hist": _histograms(rtt, answered)})


def _histograms(rtt: np.ndarray, answered: np.ndarray) -> Ragged:
    """A hill of round trips around each (ms) that was answered."""
    spread = np.array([-9, -5, -3, -1, 0, 1, 3, 6, 11, 18, 30])
    shape = np.array([2, 10, 22, 30, 28, 22, 16, 10, 6, 3, 1])
    bins = bin_of(rtt[answered] * 1e6)[:, None] + spread
    return Ragged(
        np.concatenate(([0], np.cumsum(np.where(answered, len(spread), 0)))),
        bins.ravel().astype(np.int32),
        np.tile(shape, int(answered.sum())).astype(np.int64),
    )


def envelope(site: str, seq: int, start_ns: int, up_loss: float = 0.0, rtt_ms: float = 21.0) -> Envelope:
    """A live report, as a probe would send it."""
    lost = round(150 * up_loss)
    middle = int(bin_of([rtt_ms * 1e6])[0])
    tall = 150 - lost
    rtt = RoundTrip(
        min_ms=rtt_ms * 0.8,
        mean_ms=rtt_ms,
        p50_ms=rtt_ms,
        p95_ms=rtt_ms * 1.4,
        p99_ms=rtt_ms * 1.7,
        max_ms=rtt_ms * 1.9,
        hist=(middle - 5, tall // 4, middle, tall - tall // 4 - tall // 8, middle + 15, tall // 8),
    )
    streams = tuple(
        Stream(
            path=path,
            stamps=Stamps(
                t1=StampSource.KERNEL, t2=StampSource.KERNEL, t3=StampSource.KERNEL, t4=StampSource.KERNEL
            ),
            rate_pps=10,
            sent=150,
            received=150 - lost,
            lost=lost,
            up=Direction(sent=150, received=150 - lost, lost=lost, bitrate_bps=13_000, jitter_ms=2.0),
            down=Direction(sent=150 - lost, received=150 - lost, lost=0, bitrate_bps=13_000, jitter_ms=2.0),
            rtt=rtt,
            stateful=True,
        )
        for path in PATHS
    )
    return Envelope(
        site=site,
        probe="p1",
        epoch="00000000000000aa",
        seq=seq,
        boot="b",
        mono_ns=1,
        start_ns=start_ns,
        clock=Clock(),
        self_report=SelfReport(),
        items=streams,
    )


def verdict(site: str, at: Occurrence, issued_ns: int = NOW_NS) -> Verdict:
    """The story's verdict, or a ready one."""
    state, chance, reasons, action = STORY.get(site, (State.READY, None, (), Action.NONE))
    if site not in STORY:
        chance = 0.93 + (sum(map(ord, site)) % 7) / 100
    soon = at.starts_ns - NOW_NS < 4 * HOUR_NS
    if not soon and state is not State.READY:
        state, chance, action = State.AT_RISK, 0.8, Action.WATCH
        reasons = (Reason(code=ReasonCode.RECENT_FAULT, path=PATHS[0]),)
    return Verdict(
        site=site,
        meeting=at.meeting.uid,
        occurrence_ns=at.recurrence_ns,
        starts_ns=at.starts_ns,
        ends_ns=at.ends_ns,
        profile=at.meeting.profile,
        issued_ns=issued_ns,
        state=state,
        probability=chance,
        path=PATHS[0],
        reasons=reasons,
        best_profile="video-720p" if state is State.READY else "audio" if chance else "",
        action=action,
        model="story-1",
    )
