"""A scene of `bench/incidents` watched window by window, as the watch does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from msgspec import structs

from analytics.flags import FLAG_WINDOWS, Present, degraded
from analytics.recent import Recent
from analytics.shared.find import shared_faults
from analytics.shared.follow import follow
from analytics.shared.sighting import Heard, sight
from bench._incident_scenes import DEAF, candidates_of
from lab.past.lines import line_states
from lab.past.windows import draw
from lab.running.character import characters
from telemetry.windows import SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.shared.opened import Open
    from bench._incident_scenes import Ground, Scene
    from lab.past.faults import PastFault
    from lab.past.windows import Windows
    from telemetry.decisions import Flag

IN_TIME_NS: Final = 60 * SECOND_NS
UNDER_WAY_NS: Final = 4_200_000_000
PPS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Told:
    """An incident as it was first told, and as it was last named; when it was over, if it was."""

    first_ns: int
    last: Open
    sites: frozenset[str]
    ended_ns: int | None = None


def watch(ground: Ground, scene: Scene, seed: int) -> list[Told]:
    """What is told of a scene."""
    start_ns = scene.start_ns
    values, received_ns = _measured(ground, scene, seed)
    candidates = candidates_of(scene.places)
    everyone = np.ones(len(ground.sites), dtype=bool)
    limit_set = np.zeros(len(ground.sites), dtype=np.int64)
    in_time = received_ns <= start_ns + WINDOW_NS + IN_TIME_NS
    silent_before_ns = np.array([_last_before(site.id, scene) for site in ground.sites])
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
        arrived = in_time[:, : step + 1] & (received_ns[:, : step + 1] <= now_ns)
        last_ns = np.where(arrived, start_ns[: step + 1] + WINDOW_NS, silent_before_ns[:, None]).max(axis=1)
        last = np.repeat(last_ns[:, None], len(ground.lines.paths), axis=1)
        flags = [_since_its_beginning(flag, scene.faults) for flag in flags]
        sighting = sight(ground.lines, flags, Heard(last, everyone), now_ns)
        followed = follow(opened, shared_faults(candidates, sighting), sighting, candidates, now_ns)
        opened = followed.open
        for one in opened:
            if one.told_ns is not None:
                first_ns = told[one.id].first_ns if one.id in told else one.told_ns
                names = frozenset(ground.lines.sites[row] for row in np.flatnonzero(one.ever))
                told[one.id] = Told(first_ns, one, names)
        for one, until_ns in followed.ended:
            if one.id in told:
                told[one.id] = replace(told[one.id], ended_ns=until_ns)
    return list(told.values())


def _last_before(site: str, scene: Scene) -> int:
    """When an office was last heard that is silent from the beginning of a scene on."""
    start_ns = int(scene.start_ns[0])
    cut_ns = (f.start_ns for f in scene.faults if site in f.sites and f.cuts_reports)
    return min((start_ns, *cut_ns))


def _since_its_beginning(flag: Flag, faults: list[PastFault]) -> Flag:
    """As the watch keeps it, which was there when the trouble began: of the windows that are looked at, it may be in the first."""
    began = [
        fault.start_ns
        for fault in faults
        if flag.site in fault.sites
        and fault.start_ns <= flag.since_ns < fault.end_ns
        and not fault.effect.is_nothing
    ]
    return structs.replace(flag, since_ns=min(began, default=flag.since_ns))


def _measured(
    ground: Ground, scene: Scene, seed: int
) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.int64]]:
    """Window values (S, P, W) and when each office's window came (S, W); never, where nothing was measured."""
    start_ns = scene.start_ns
    characters_ = characters(ground.script, scene.places, seed)
    columns: dict[str, list[NDArray[np.float64]]] = {}
    came = []
    for number, site in enumerate(ground.sites):
        theirs = [fault for fault in scene.faults if site.id in fault.sites]
        states = line_states(site, scene.places, characters_, (), theirs, start_ns)
        windows = draw(states, np.full(len(start_ns), PPS), np.random.default_rng([seed, number]))
        received_ns = _held(windows.received_ns, theirs)
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
