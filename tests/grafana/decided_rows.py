"""What was decided, heard of calls and rehearsed on one morning, as the rows that a server should hold of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.decisions import OutcomeState
from telemetry.messages import Call, Rehearsal, Rung
from telemetry.store.server.decided import ACTIONS, REASONS, STATES, Decided, day_tag, meeting_tag
from telemetry.store.server.item_points import Itemised
from telemetry.windows import DAY_NS, HOUR_NS, MS_NS, SECOND_NS, WINDOW_NS
from tests.grafana.decisions import (
    FORECASTS,
    INCIDENT,
    NOW,
    OUTCOMES,
    SITES,
    config_of,
    verdict,
)
from tests.telemetry.store.conftest import T0

if TYPE_CHECKING:
    from config.settings import Store


STEP_MS = HOUR_NS // MS_NS
FROM_MS = NOW // MS_NS - 96 * STEP_MS
UNTIL_MS = NOW // MS_NS + STEP_MS
Row = tuple[dict[str, str], dict[str, float | None], int]
"""Tags, fields, time in ms."""
RUNNING = verdict("agra", 0.8, at=NOW - 1800 * SECOND_NS, meeting="running@tatpar.example")
"""Is over before the end of the range that is asked for."""
START = (NOW - T0) // WINDOW_NS - 40
"""The window of the report with calls, ten minutes before `NOW`."""
CALLS = (
    Call(flow="a1", media="audio", direction="up", packets=700, lost=7, bitrate_bps=40_000.0, jitter_ms=3.0),
    Call(
        flow="v1",
        media="video",
        direction="up",
        packets=900,
        lost=0,
        bitrate_bps=9e5,
        jitter_ms=4.0,
        frames_per_s=25.0,
    ),
    Call(
        flow="v2",
        media="video",
        direction="up",
        packets=100,
        lost=9,
        bitrate_bps=1e5,
        frames_per_s=12.5,
        freezes=2,
    ),
    Call(flow="x1", media="strange", direction="down", packets=5, lost=0),
)
REHEARSAL = Rehearsal(
    path="main.state",
    rehearsal_id="r1",
    up=(
        Rung(name="360p", held=True, bitrate_bps=1e6, sent=900),
        Rung(name="720p", held=False, bitrate_bps=2e6, sent=900, lost=80),
    ),
)


def verdict_rows() -> list[Row]:
    rows: list[Row] = []
    for v in (verdict("agra", 0.95), verdict("mathura", 0.7), verdict("etah", None), RUNNING):
        first = v.reasons[0] if v.reasons else None
        rows.append(
            (
                {"site": v.site, "meeting": meeting_tag(v.meeting), "day": day_tag(v.occurrence_ns)},
                {
                    "state": STATES[v.state],
                    "probability": v.probability,
                    "reason": REASONS[first.code] if first else 0,
                    "action": ACTIONS[v.action],
                    "starts_s": v.starts_ns // SECOND_NS,
                    "ends_s": v.ends_ns // SECOND_NS,
                },
                NOW // MS_NS,
            )
        )
    return rows


def score_rows() -> list[Row]:
    rows: list[Row] = []
    held = {(o.site, o.occurrence_ns): float(o.state is OutcomeState.HELD) for o in OUTCOMES}
    for f in FORECASTS:
        p = f.verdict.probability
        assert p is not None
        came = held[f.verdict.site, f.verdict.occurrence_ns]
        tags = {"site": f.verdict.site, "horizon": f.horizon.value, "bin": str(int(p * 10))}
        rows.append(
            (tags, {"probability": p, "held": came, "brier": (p - came) ** 2}, f.verdict.starts_ns // MS_NS)
        )
    return rows


def standing_rows(settings: Store) -> dict[str, list[Row]]:
    config = config_of(settings)
    regions: dict[str, dict[str, float | None]] = {}
    for site in config.registry.sites:
        row = regions.setdefault(site.region, {"linked": 0, "planned": 0, "silent": 0})
        row[site.status.value] = (row[site.status.value] or 0) + 1
        row["silent"] = (row["silent"] or 0) + (site.status.value == "linked" and site.id != "agra")
    at = NOW // MS_NS
    return {
        Decided.ROLLOUT: [({"region": region}, row, at) for region, row in regions.items()],
        Decided.PRESENCE: [
            (
                {"site": s},
                {
                    "online": float(s == "agra"),
                    "silent": float(s != "agra" and config.registry.by_id[s].status.value == "linked"),
                    "next_state": {"agra": 2, "mathura": 2, "etah": 3}[s],  # agra's is the one that is on
                },
                at,
            )
            for s in SITES
        ],
        Decided.LIMIT: [
            (
                {"profile": p.id},
                {"loss_ratio": p.alarm.loss_ratio, "jitter_ms": p.alarm.jitter_ms, "rtt_ms": p.alarm.rtt_ms},
                at,
            )
            for p in config.profiles.values()
        ],
    }


def rollout_rows(settings: Store) -> dict[str, list[Row]]:
    """West got an office a week for three weeks; of the other regions only today is known, so no pace and no day."""
    config, now_s, at = config_of(settings), NOW // SECOND_NS, NOW // MS_NS
    paces: list[Row] = []
    lines: list[Row] = []
    sites = config.registry.sites
    for region in (*dict.fromkeys(site.region for site in sites), "all"):
        own = [site for site in sites if region in {site.region, "all"}]
        linked = sum(site.status.value == "linked" for site in own)
        end_s = now_s + (len(own) - linked) * 7 * 86_400 if region == "west" else 0
        fields = {"linked": linked, "total": len(own), "complete_s": end_s, "target_s": 0}
        paces.append(({"region": region}, fields | ({"per_week": 1.0} if end_s else {}), at))
        steps = {"now": (now_s, linked), "end": (end_s or now_s, len(own) if end_s else linked)}
        if region == "west":
            today = NOW // DAY_NS
            steps |= {f"w{weeks}": ((today - 7 * weeks) * 86_400, linked - weeks) for weeks in (1, 2, 3)}
        lines += [
            ({"region": region, "step": step}, {"at_s": at_s, "linked": n}, at)
            for step, (at_s, n) in steps.items()
        ]
    return {Decided.PACE: paces, Decided.LINE: lines}


def rows_of(settings: Store) -> dict[str, list[Row]]:
    """What state and reports say, by measurement."""
    at = (T0 + START * WINDOW_NS) // MS_NS
    calls: list[Row] = [
        ({"site": "agra", "media": media, "direction": way}, fields, at)
        for media, way, fields in (
            (
                "audio",
                "up",
                {"bitrate_bps": 4e4, "lost": 7.0, "expected": 707.0, "jitter_ms": 3.0, "freezes": 0.0},
            ),
            (
                "video",
                "up",
                {
                    "bitrate_bps": 1e6,
                    "lost": 9.0,
                    "expected": 1009.0,
                    "jitter_ms": 4.0,
                    "freezes": 2.0,
                    "frames_per_s": 12.5,
                },
            ),
            ("other", "down", {"lost": 0.0, "expected": 5.0, "freezes": 0.0}),
        )
    ]
    struck: list[Row] = [
        (
            {"site": site, "factor": str(INCIDENT.factor)},
            {"open": 1, "since_s": INCIDENT.since_ns // SECOND_NS},
            NOW // MS_NS,
        )
        for site in INCIDENT.sites
    ]
    ladder: Row = (
        {"site": "agra", "path": "main.state", "direction": "up"},
        {"held": 1, "rungs": 2},
        at,
    )
    return {
        Itemised.CALL: calls,
        Itemised.REHEARSAL: [ladder],
        Decided.VERDICT: verdict_rows(),
        Decided.SCORE: score_rows(),
        Decided.STRUCK: struck,
        **standing_rows(settings),
        **rollout_rows(settings),
    }
