"""The page of points: what stands in InfluxDB or VictoriaMetrics, from the modules that write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from config.profiles_file import read_profiles
from config.sites import Site, SiteStatus
from docs._reference.markdown import code, page, table
from docs._reference.settings import DEFAULTS
from docs._reference.structs import words_below
from telemetry.decisions import (
    Evidence,
    Factor,
    FactorKind,
    Forecast,
    Horizon,
    Incident,
    Outcome,
    OutcomeState,
    State,
    Verdict,
)
from telemetry.messages import Call, Clock, Envelope, Rehearsal, Rung, SelfReport
from telemetry.rehearsing import RehearsalRecord, RehearsalRequest
from telemetry.store.server import points
from telemetry.store.server.decided import (
    ACTIONS,
    OUTCOMES,
    REASONS,
    REHEARSALS,
    STATES,
    VOIDED,
    Course,
    Decided,
    PointMaker,
)
from telemetry.store.server.item_points import Itemised, item_lines
from telemetry.store.server.points import Family

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from enum import StrEnum

_INTRO: Final = """
`<prefix>` is `store.prefix` (`tatpar` by default). In VictoriaMetrics a metric is `<measurement>_<field>`. Integers stay integers, what is absent is an absent
field, enums are numbers (below). Fields whose names begin with `packed_` are for Tatpar alone. How the points lie in time, and what goes wrong with servers:
[the server store](../../telemetry/store/server/README.md).
"""
OF_BOTH: Final = (*points.RECEIVED, *points.BOTH_COUNTS, *points.BOTH_FLOATS)
OF_WAY: Final = points.WAY_COLUMNS
OF_REPORT: Final = (
    *points.RECEIVED,
    points.COMMIT,
    points.OFF_GRID,
    *points.REPORT_COUNTS,
    *points.REPORT_FLOATS,
    points.ITEMS,
)
MEASURED: Final[dict[Family, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    Family.WINDOW: (("site", "probe", "path"), (*OF_BOTH, points.COMMIT, points.OFF_GRID, points.HISTOGRAMS)),
    Family.WINDOW_DIRECTION: (("site", "probe", "path", "direction"), OF_WAY),
    Family.ROLLUP: (
        ("site", "probe", "path"),
        (*OF_BOTH, "windows", points.VERSION, points.HISTOGRAMS, points.WINDOW_VALUES),
    ),
    Family.ROLLUP_DIRECTION: (("site", "probe", "path", "direction"), OF_WAY),
    Family.REPORT: (("site", "probe"), OF_REPORT),
}

_RUNG: Final = Rung(name="audio", held=True, bitrate_bps=1, delay_growth_ms=0)
_REPORT: Final = Envelope(
    site="s",
    probe="p",
    epoch="0" * 16,
    seq=1,
    boot="b",
    mono_ns=0,
    start_ns=0,
    clock=Clock(),
    self_report=SelfReport(),
    items=(
        Call(
            flow="f",
            media="audio",
            direction="up",
            packets=1,
            lost=0,
            bitrate_bps=1,
            jitter_ms=1,
            frames_per_s=1,
        ),
        Rehearsal(path="main.state", rehearsal_id="r", up=(_RUNG,), down=(_RUNG,)),
    ),
)
_VERDICT: Final = Verdict(
    site="s",
    meeting="m",
    occurrence_ns=0,
    starts_ns=0,
    ends_ns=0,
    profile="p",
    issued_ns=0,
    state=State.READY,
    probability=1.0,
)
_FORECAST: Final = Forecast(horizon=Horizon.T2H, verdict=_VERDICT)
_OUTCOME: Final = Outcome(
    site="s",
    meeting="m",
    occurrence_ns=0,
    state=OutcomeState.HELD,
    windows=1,
    broken=0,
    missing=0,
    settled_ns=0,
    final=True,
)
_INCIDENT: Final = Incident(
    id="i",
    factor=Factor(FactorKind.PROVIDER, "p"),
    since_ns=0,
    told_ns=0,
    seen_ns=0,
    sites=("s",),
    evidence=Evidence(members=1, suffer=1, others=0, others_suffer=0, log_odds=0.0),
)
_REHEARSAL: Final = RehearsalRecord(
    request=RehearsalRequest(id="r", key="r", meeting="m", recurrence_ns=0, who="w", asked_ns=0)
)
_COURSE: Final = Course(
    linked=1, total=2, per_week=1.0, complete_s=1, target_s=1, needed_per_week=1.0, steps=(("now", 0, 1),)
)
_SITE: Final = Site(id="s", name_en="S", name_hi="S", region="r", lat=0, lon=0, status=SiteStatus.LINKED)
"""Specimens: of every kind that is written one, with every figure that it can have."""


def points_page() -> str:
    """Every measurement with its tags and fields, and the numbers of enums."""
    measured = [(family, *MEASURED[family]) for family in Family]
    said = words_below(Family) | words_below(Itemised) | words_below(Decided)
    parts = ["## Measured", _table(measured, said)]
    parts += ["## Live calls and rehearsals", _table(_made(itemised()), said)]
    parts += ["## Decided", _table(_made(decided_points()), said)]
    numbers: dict[str, Mapping[Any, int]] = {
        "state of a verdict": {**STATES, "moved or cancelled": VOIDED},
        "state of an outcome": OUTCOMES,
        "reason": REASONS,
        "state of a rehearsal": REHEARSALS,
        "action": ACTIONS,
    }
    parts += [
        "## Numbers of enums",
        table(["what", "numbers"], [[what, _numbers(which)] for what, which in numbers.items()]),
    ]
    return page("Points in a database server", "telemetry/store/server", _INTRO, *parts)


def _numbers(which: Mapping[Any, int]) -> str:
    return ", ".join(f"{number} {str(name).replace('_', ' ')}" for name, number in which.items())


def _table(rows: Iterable[tuple[StrEnum, tuple[str, ...], tuple[str, ...]]], said: dict[str, str]) -> str:
    return table(
        ["measurement", "tags", "fields", "what"],
        [
            [code(f"<prefix>_{kind}"), ", ".join(tags), ", ".join(map(code, names)), said.get(kind.name, "")]
            for kind, tags, names in rows
        ],
    )


def _made(
    points: Iterable[tuple[StrEnum, str, Iterable[str]]],
) -> list[tuple[StrEnum, tuple[str, ...], tuple[str, ...]]]:
    """By measurement: tags out of a series, and the names of fields."""
    return [
        (kind, tuple(tag.partition("=")[0] for tag in series.split(",")[1:]), tuple(names))
        for kind, series, names in points
    ]


def itemised() -> list[tuple[StrEnum, str, list[str]]]:
    """What a report with a call and a rehearsal is written as."""
    lines = item_lines("p", [_REPORT])
    first = {kind: next(line for line in lines if line.startswith(f"p_{kind},")) for kind in Itemised}
    return [
        (kind, line.split(" ")[0], [pair.partition("=")[0] for pair in line.split(" ")[1].split(",")])
        for kind, line in first.items()
    ]


def decided_points() -> list[tuple[StrEnum, str, list[str]]]:
    """One point of each kind, of specimens."""
    maker = PointMaker("p")
    score = maker.score(_FORECAST, _OUTCOME)
    assert score is not None
    profile = next(iter(read_profiles(DEFAULTS / "profiles.toml").values()))
    made = {
        Decided.VERDICT: maker.verdict(_VERDICT, 0),
        Decided.FORECAST: maker.forecast(_FORECAST),
        Decided.OUTCOME: maker.outcome(_OUTCOME, 0),
        Decided.SCORE: score,
        Decided.MEETING: maker.meeting([_VERDICT], 0),
        Decided.INCIDENT: maker.incident(_INCIDENT, 0),
        Decided.REHEARSED: maker.rehearsed(_REHEARSAL, 0),
        Decided.STRUCK: maker.struck(_INCIDENT, "s", 0, is_struck=True),
        Decided.EVENT: maker.began("meeting", "m", 0, 1),
        Decided.PRESENCE: maker.presence(_SITE, online=True, ahead=None, at_ns=0),
        Decided.ROLLOUT: maker.rollout("r", dict.fromkeys(("linked", "planned", "silent"), 0), 0),
        Decided.PACE: maker.pace("r", _COURSE, 0),
        Decided.LINE: maker.line("r", _COURSE, 0)[0],
        Decided.LIMIT: maker.limit(profile, 0),
    }
    return [(kind, made[kind].series, [name for name, _ in made[kind].fields]) for kind in Decided]
