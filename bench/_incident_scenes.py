"""Scenes for `bench/incidents`: the lab's own past faults and lines, cut to half an hour around what is to be recognised."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from analytics.flags import FLAG_WINDOWS, Present, degraded
from analytics.lines import Lines
from analytics.recent import Recent
from analytics.shared.factors import factors
from analytics.shared.find import shared_faults
from analytics.shared.follow import follow
from analytics.shared.sighting import Heard, sight
from lab.past.faults import OUTAGE, PastFault, faults_between
from lab.past.lines import line_states
from lab.past.windows import draw
from lab.running.character import characters
from lab.running.effect import Effect
from lab.running.scope import Places
from telemetry.decisions import Factor, FactorKind
from telemetry.windows import DAY_NS, SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from analytics.shared.factors import Factors
    from analytics.shared.follow import Open
    from config.config import Config
    from config.profiles import Limits
    from lab.past.windows import Windows
    from lab.running.script import Script

BEFORE: Final = FLAG_WINDOWS + 20
AFTER: Final = 32
IN_TIME_NS: Final = 60 * SECOND_NS
UNDER_WAY_NS: Final = 4_200_000_000
PPS: Final = 10.0
SPAN_DAYS: Final = 2000
T0_NS: Final = 1_780_000_000 * SECOND_NS // WINDOW_NS * WINDOW_NS
MINUTE_NS: Final = 60 * SECOND_NS
NOISY: Final = 5.0
"""So many times the lab's own rate of independent faults, in the scenes that say so."""
DEAF: Final = "deaf"
"""The name of a fault from which no line suffers; only nobody's reports arrive before it is over."""
GROUPS: Final = (
    "as the lab draws it",
    "noisy background",
    "confounded",
    "two at once",
    "whole provider or region",
    "own collector or broker",
    "nothing shared",
)


@dataclass(frozen=True, slots=True)
class Truth:
    """A shared fault as it was made."""

    factor: Factor
    sites: frozenset[str]
    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class Told:
    """An incident as it was first told, and as it was last named."""

    first_ns: int
    last: Open
    sites: frozenset[str]


class Ground:
    """What all scenes share: the deployment's linked offices, their lines, the limits."""

    def __init__(self, config: Config, script: Script) -> None:
        self.script = script
        self.sites = tuple(config.registry.linked())
        self.ends = tuple(config.headquarters)
        self.lines = Lines(tuple(site.id for site in self.sites), tuple(f"main.{end}" for end in self.ends))
        profile = config.profiles[config.settings.meetings.default_profile]
        self.limits: Limits = profile.alarm

    def places(self, providers: dict[str, str] | None = None) -> Places:
        """Offices and who serves them."""
        served = providers or {site.id: site.provider for site in self.sites}
        return Places(self.sites, self.ends, served)


def places_of(config: Config) -> Places:
    """The linked offices of a deployment, as the lab sees them."""
    sites = tuple(config.registry.linked())
    return Places(sites, tuple(config.headquarters), {site.id: site.provider for site in sites})


def scene(ground: Ground, group: str, seed: int) -> tuple[list[Truth], list[Told]]:
    """One scene: what was made, and what was told."""
    lot = Random(f"incidents/{group}/{seed}")
    places = ground.places(_confounded(ground, lot) if group == "confounded" else None)
    at_ns = T0_NS + lot.randrange(SPAN_DAYS) * DAY_NS + lot.randrange(5760) * WINDOW_NS
    shared = _shared(places, group, lot, at_ns)
    singles = [f for f in _background(ground, places, group, seed, at_ns) if len(f.sites) == 1]
    truths = [Truth(_factor(places, fault), fault.sites, fault.start_ns, fault.end_ns) for fault in shared]
    start_ns = at_ns // WINDOW_NS * WINDOW_NS + np.arange(-BEFORE, AFTER, dtype=np.int64) * WINDOW_NS
    return truths, list(_watch(ground, places, [*shared, *singles], start_ns, seed))


def _background(ground: Ground, places: Places, group: str, seed: int, at_ns: int) -> Iterator[PastFault]:
    past = ground.script.past
    if group in {"noisy background", "nothing shared"}:
        rates = {
            name: NOISY * getattr(past, name)
            for name in past.__struct_fields__
            if name.endswith("_per_month")
        }
        past = msgspec.structs.replace(past, **rates)
    yield from faults_between(past, places, seed, at_ns - BEFORE * WINDOW_NS, at_ns + AFTER * WINDOW_NS)


def _confounded(ground: Ground, lot: Random) -> dict[str, str]:
    """One provider has nearly all its offices in one region, where it serves half of the offices."""
    where = lot.choice(sorted({site.region for site in ground.sites}))
    return {
        site.id: "provider-x" if site.region == where and lot.random() < 0.6 else site.provider
        for site in ground.sites
    } | {lot.choice([s.id for s in ground.sites if s.region != where]): "provider-x"}


def _shared(places: Places, group: str, lot: Random, at_ns: int) -> list[PastFault]:
    match group:
        case "as the lab draws it" | "noisy background":
            kind = lot.choice(("provider in a region", "end"))
            return [_one(places, kind, lot, at_ns)]
        case "confounded":
            name = lot.choice(("provider-x", "region"))
            if name == "region":
                where = next(s.region for s in places.sites if places.providers[s.id] == "provider-x")
                hit = {s.id for s in places.sites if s.region == where}
            else:
                hit = {s.id for s in places.sites if places.providers[s.id] == "provider-x"}
            return [_fault(hit, places.ends, _effect(lot), at_ns, lot)]
        case "two at once":
            later_ns = at_ns + lot.randrange(0, 8) * WINDOW_NS
            kinds = lot.choice(
                (("provider in a region", "end"), ("provider in a region", "provider"), ("region", "end"))
            )
            return _two(places, kinds, lot, (at_ns, later_ns))
        case "whole provider or region":
            return [_one(places, lot.choice(("provider", "region")), lot, at_ns)]
        case "own collector or broker":
            everyone = {site.id for site in places.sites}
            return [msgspec.structs.replace(_fault(everyone, places.ends, Effect(), at_ns, lot), name=DEAF)]
        case _:
            return []


def _two(places: Places, kinds: tuple[str, str], lot: Random, at_ns: tuple[int, int]) -> list[PastFault]:
    """Two faults, of which neither is a part of the other: that would be one fault."""
    while True:
        one, other = (_one(places, kind, lot, begins) for kind, begins in zip(kinds, at_ns, strict=True))
        if {one.ends, other.ends} != {one.ends} or not one.sites & other.sites:
            return [one, other]


def _one(places: Places, kind: str, lot: Random, at_ns: int) -> PastFault:
    site = lot.choice(places.sites)
    provider = places.providers[site.id]
    if kind == "end":
        effect = Effect(direction="down", loss_ratio=lot.uniform(0.02, 0.12), jitter_ms=lot.uniform(5, 25))
        return _fault({s.id for s in places.sites}, (lot.choice(places.ends),), effect, at_ns, lot)
    if kind == "provider in a region":
        hit = {s.id for s in places.sites if s.region == site.region and places.providers[s.id] == provider}
        if len(hit) == 1:  # that is one office's own trouble
            return _one(places, kind, lot, at_ns)
        return _fault(hit, places.ends, OUTAGE, at_ns, lot)
    if kind == "provider":
        hit = {s.id for s in places.sites if places.providers[s.id] == provider}
    else:
        hit = {s.id for s in places.sites if s.region == site.region}
    return _fault(hit, places.ends, _effect(lot), at_ns, lot)


def _effect(lot: Random) -> Effect:
    if lot.random() < 0.5:
        return OUTAGE
    return Effect(direction=lot.choice(("up", "down", "both")), loss_ratio=lot.uniform(0.03, 0.12))


def _fault(hit: set[str], ends: tuple[str, ...], effect: Effect, at_ns: int, lot: Random) -> PastFault:
    length_ns = round(lot.uniform(4, 8) * MINUTE_NS)
    return PastFault(
        name="shared",
        sites=frozenset(hit),
        ends=frozenset(ends),
        effect=effect,
        start_ns=at_ns + lot.randrange(WINDOW_NS),
        end_ns=at_ns + length_ns,
    )


def _factor(places: Places, fault: PastFault) -> Factor:
    """The name of what was made: the first factor that covers just these lines."""
    lines = Lines(tuple(s.id for s in places.sites), tuple(f"main.{end}" for end in places.ends))
    made = np.array([s.id in fault.sites for s in places.sites])[:, None] & np.array(
        [e in fault.ends for e in places.ends]
    )
    candidates = _candidates(lines, places)
    silent = fault.name == DEAF
    for name, members in zip(candidates.names, candidates.members, strict=True):
        if (members == made).all() and (name.kind is not FactorKind.HUB or silent):
            return name
    raise ValueError(f"no factor covers {sorted(fault.sites)}")


def _candidates(lines: Lines, places: Places) -> Factors:
    linked = np.ones(len(lines.sites), dtype=bool)
    return factors(
        lines, [places.providers[s.id] for s in places.sites], [s.region for s in places.sites], linked
    )


def _watch(
    ground: Ground, places: Places, faults: list[PastFault], start_ns: NDArray[np.int64], seed: int
) -> Iterator[Told]:
    values, received_ns = _measured(ground, places, faults, start_ns, seed)
    candidates = _candidates(ground.lines, places)
    everyone = np.ones(len(ground.sites), dtype=bool)
    limit_set = np.zeros(len(ground.sites), dtype=np.int64)
    in_time = received_ns <= start_ns + WINDOW_NS + IN_TIME_NS
    opened: tuple[Open, ...] = ()
    told: dict[str, Told] = {}
    for step in range(FLAG_WINDOWS, len(start_ns)):
        now_ns = int(start_ns[step]) + WINDOW_NS + UNDER_WAY_NS
        span = slice(step + 1 - FLAG_WINDOWS, step + 1)
        here = in_time[:, span] & (received_ns[:, span] <= now_ns)
        recent = Recent(
            ground.lines,
            start_ns[span],
            {name: np.where(here[:, None], column[..., span], np.nan) for name, column in values.items()},
        )
        flags = degraded(recent, [ground.limits], limit_set, Present(now_ns, 120 * SECOND_NS))
        last = np.where(recent.newest >= 0, recent.start_ns[recent.newest] + WINDOW_NS, int(start_ns[0]))
        sighting = sight(ground.lines, flags, Heard(last, everyone), now_ns)
        opened = follow(opened, shared_faults(candidates, sighting), sighting, candidates, now_ns).open
        for one in opened:
            if one.told_ns is not None:
                first_ns = told[one.id].first_ns if one.id in told else one.told_ns
                names = frozenset(ground.lines.sites[row] for row in np.flatnonzero(one.ever))
                told[one.id] = Told(first_ns, one, names)
    yield from told.values()


def _measured(
    ground: Ground, places: Places, faults: list[PastFault], start_ns: NDArray[np.int64], seed: int
) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.int64]]:
    """Window values (S, P, W) and when each office's window came (S, W); never, where nothing was measured."""
    characters_ = characters(ground.script, places, seed)
    columns: dict[str, list[NDArray[np.float64]]] = {}
    came = []
    for number, site in enumerate(ground.sites):
        states = line_states(site, places, characters_, (), faults, start_ns)
        windows = draw(states, np.full(len(start_ns), PPS), np.random.default_rng([seed, number]))
        received_ns = _held(windows.received_ns, faults)
        came.append(np.where(windows.there, received_ns, np.iinfo(np.int64).max))
        for name, column in _columns(windows).items():
            columns.setdefault(name, []).append(column)
    return {name: np.stack(each).astype(np.float32) for name, each in columns.items()}, np.stack(came)


def _held(received_ns: NDArray[np.int64], faults: list[PastFault]) -> NDArray[np.int64]:
    """What would have come while nothing was taken in comes afterwards."""
    for fault in faults:
        if fault.name == DEAF:
            received_ns = np.where(
                (received_ns >= fault.start_ns) & (received_ns < fault.end_ns), fault.end_ns, received_ns
            )
    return received_ns


def _columns(windows: Windows) -> dict[str, NDArray[np.float64]]:
    up, down = windows.up, windows.down
    out = {"sent": windows.sent, "lost": windows.sent - windows.received, "rtt_p95_ms": windows.rtt_ms["p95"]}
    for prefix, each in (("up_", up), ("down_", down)):
        out |= {
            f"{prefix}lost": each.lost,
            f"{prefix}worst_200ms_lost": each.worst_200ms_lost,
            f"{prefix}worst_200ms_sent": each.worst_200ms_sent,
            f"{prefix}jitter_ms": each.jitter_ms,
        }
    out["worst_200ms_lost"] = np.maximum(up.worst_200ms_lost, down.worst_200ms_lost)
    out["worst_200ms_sent"] = up.worst_200ms_sent
    return {name: np.asarray(column, dtype=np.float64) for name, column in out.items()}
