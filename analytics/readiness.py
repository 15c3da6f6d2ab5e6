"""The readiness of every office for an occurrence: the fitted model, within guard rails.

    P(holds) = min(model, 1 - now, hour, rising, 1 - rehearsal) * (1 - capacity)

* `model`: what `forecast.model` says of the line, from its slots up to the newest windows (`Foresight`);
* `now`: the guard: the chance that the line is broken now (`condition`), or that a line that keeps coming back fails
  again, or that silence hides a fault; times the chance that it lasts until the meeting (`persistence`, less where the
  line's earlier faults were over by then: `earlier_faults`), which the usual trouble of this hour does not
  (`usual_trouble`). The model is fitted to what happens on average; the guard keeps it from saying `ready` of a line that
  is seen broken, or not seen at all;
* `hour`: the second guard: an hour of the week that failed nearly every time so far (`usual_hour`) is `not_ready` at best;
* `back`: a line that has only just come back from more than a short fault is not yet `ready` for a meeting within the hour (`forecast.returned`);
* `rising`: the third guard: a figure rises steadily and will pass its limit before the meeting is over (`trends`): never `ready`;
* `rehearsal`: the fourth guard: the line broke under the call's load when it was rehearsed last (`rehearsed`);
* `capacity`: the line is registered as slower than the profile needs.

Of a meeting that has begun, all this is asked of what is left of it (`underway`).

What each part takes away is kept beside the probability, and the reasons come from it (`verdicts`). An office's line is
its best path to the meeting's end. No data is never ready.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.forecast.answers import Span
from analytics.ground import Expectation, Standing, Terms
from analytics.guards import (
    NEVER_READY,
    NOW_COUNTS_NS,
    SILENCE_HIDES,
    SOON_NS,
    as_the_span,
    dark_hides,
    lasting_takes,
    relapses_take,
    too_slow,
    within_rails,
)
from analytics.hours import local_hour
from analytics.persistence import as_its_own, still_broken
from analytics.rehearsed import within_rehearsal
from analytics.underway import rest_of, room_left, thinned
from analytics.usual_hour import plain_record
from config.profiles import ladder_of
from telemetry.decisions import AT_RISK_FROM, READY_FROM
from telemetry.windows import SILENT_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from analytics.forecast.earlier_faults import EarlierFaults
    from analytics.forecast.foresight import Foreseen
    from analytics.ground import Ground
    from config.meetings import Occurrence


@dataclass(frozen=True, slots=True)
class _Parts:
    """Of S sites on K permitted paths under one limit set, (S, K) each; `holds` is the probability but for capacity, `lasting` what a fault of now takes, or one that is just over."""

    holds: NDArray[np.float64]
    lasting: NDArray[np.float64]
    hidden: NDArray[np.float64]
    hour: NDArray[np.float64]
    rises: NDArray[np.float64]
    foreseen: Foreseen


def expect(ground: Ground, occurrence: Occurrence) -> Expectation:
    """What to expect of every site at one occurrence, whether it is invited or not."""
    rungs = ladder_of(dict(ground.profiles), occurrence.meeting.profile)
    names = tuple(rung.id for rung in rungs)
    paths = ground.lines.to_end(occurrence.meeting.end)
    if not len(paths):
        return _nothing(ground, occurrence, names)
    sets = [ground.sets.of_profile[name] for name in names]
    parts = {index: _parts(ground, occurrence, paths, index) for index in dict.fromkeys(sets)}
    breaks = [_rehearsed(ground, name, paths, occurrence) for name in names]
    fits = [1.0 - too_slow(ground.link_bps, rung) for rung in rungs]
    holds = np.stack(
        [
            within_rehearsal(parts[index].holds, broke) * fit[:, None]
            for index, broke, fit in zip(sets, breaks, fits, strict=True)
        ]
    )
    chosen = np.nan_to_num(holds[0], nan=-1.0).argmax(axis=-1)
    sites = np.arange(len(chosen))
    probability = np.where(ground.linked, holds[0, sites, chosen], np.nan)
    standing = _standing(ground, occurrence, probability)
    standing = _beside_the_line(ground, occurrence, standing, paths[chosen])
    numbered = (standing != Standing.UNKNOWN) & ~_dark_before(ground, occurrence)
    return Expectation(
        probability=np.where(numbered, probability, np.nan),
        standing=standing,
        path=np.where(ground.linked, paths[chosen], -1),
        best=np.where(numbered, _best_rung(holds), -1),
        rungs=names,
        terms=_terms(parts[sets[0]], (sites, chosen), too_slow(ground.link_bps, rungs[0]), breaks[0]),
    )


def asked_spans(ground: Ground, occurrences: Iterable[Occurrence]) -> Iterator[Span]:
    """What `expect` will ask the model of these occurrences; see `Foresight.foresee`."""
    for each in occurrences:
        paths = tuple(ground.lines.to_end(each.meeting.end).tolist())
        if paths:
            left = rest_of(each, ground.now_ns)
            for rung in ladder_of(dict(ground.profiles), each.meeting.profile):
                yield Span(ground.sets.of_profile[rung.id], paths, (left.starts_ns, left.ends_ns))


def _nothing(ground: Ground, occurrence: Occurrence, rungs: tuple[str, ...]) -> Expectation:
    """The meeting's end is not measured at all."""
    nan, none = np.full(len(ground.linked), np.nan), np.full(len(ground.linked), -1)
    standing = _standing(ground, occurrence, nan)
    return Expectation(nan, standing, none, none, rungs, Terms(*(nan for _ in Terms.__slots__)))


def _parts(ground: Ground, occurrence: Occurrence, paths: NDArray[np.int64], limit_set: int) -> _Parts:
    room, occurrence = room_left(occurrence, ground.now_ns), rest_of(occurrence, ground.now_ns)
    lead_ns = max(occurrence.starts_ns - ground.now_ns, 0)
    heard = ground.heard[:, paths]
    hidden = _hidden(ground, paths, lead_ns)
    span_ns = (occurrence.starts_ns, occurrence.ends_ns)
    foreseen = ground.foresight.of_span(limit_set, ground.lines.shape, paths, span_ns).over(room)
    lasting = _broken(ground, limit_set, paths, (lead_ns, room), foreseen.before)
    if local_hour(occurrence.starts_ns, ground.zone) > local_hour(ground.now_ns, ground.zone):
        lasting *= 1.0 - ground.usual_chance[limit_set][:, paths]
    lasting = np.maximum(
        lasting_takes(lasting, np.array(lead_ns)), _just_back(ground, limit_set, paths, lead_ns)
    )
    hour = as_the_span(plain_record(ground, limit_set, paths, occurrence), *foreseen.record)
    hour = thinned(hour, room)
    rises = np.where(_crosses(ground, limit_set, paths, occurrence), 1.0 - NEVER_READY, 0.0)
    holds = within_rails(foreseen.holds, np.maximum(lasting, rises), hidden, hour, ~ground.silent[:, paths])
    no_ground = ~heard & np.isnan(foreseen.holds) & ~ground.dark[:, None]
    nobodys = no_ground | _of_other_offices(ground, paths)
    return _Parts(np.where(nobodys, np.nan, holds), lasting, hidden, hour, rises, foreseen)


def _just_back(ground: Ground, limit_set: int, paths: NDArray[np.int64], lead_ns: int) -> NDArray[np.float64]:
    """(S, K): what keeps a line that has only just come back from being *ready* for a meeting that begins within `SOON_NS`: whether it stays nobody knows yet."""
    back = ground.foresight.just_back
    if back is None or lead_ns > SOON_NS:
        return np.zeros((len(ground.linked), len(paths)))
    return np.where(back[limit_set][:, paths], 1.0 - NEVER_READY, 0.0)


def _of_other_offices(ground: Ground, paths: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(S, K): lines of which nothing was ever measured at an office that has another one: a second link of somebody else speaks for nobody here."""
    measured = (ground.recent.newest >= 0) | (ground.climate.known > 0).any(axis=-1)
    of_paths = measured[:, paths]
    return np.asarray(~of_paths & of_paths.any(axis=1, keepdims=True))


def _terms(
    parts: _Parts,
    at: tuple[NDArray[np.int64], NDArray[np.int64]],
    slow: NDArray[np.float64],
    breaks: NDArray[np.float64],
) -> Terms:
    """What each part takes away on the chosen paths."""
    foreseen = parts.foreseen
    return Terms(
        fault=np.maximum(parts.lasting, foreseen.cost("now", "lately"))[at],
        silence=np.maximum(parts.hidden, foreseen.cost("silence"))[at],
        usual=np.maximum(parts.hour, foreseen.cost("hour", "usual", "habit"))[at],
        strain=foreseen.cost("strain")[at],
        rising=parts.rises[at],
        peers=foreseen.cost("peers")[at],
        planned=foreseen.cost("planned")[at],
        capacity=slow,
        rehearsal=breaks[at],
    )


def _crosses(
    ground: Ground, limit_set: int, paths: NDArray[np.int64], occurrence: Occurrence
) -> NDArray[np.bool_]:
    """(S, K): something rises on the line that surely passes its limit before the meeting is over, of one that begins within `SOON_NS`.

    Also where that is before it begins the line is *at risk*, and no less: real rises often stop short of the limit (decision 199).
    """
    out = np.zeros(ground.lines.shape, dtype=bool)
    if ground.rising and occurrence.starts_ns - ground.now_ns <= SOON_NS:
        for each in ground.rising[limit_set]:
            out[each.site, each.path] |= each.surely_ns < occurrence.ends_ns
    return out[:, paths]


def _rehearsed(
    ground: Ground, profile: str, paths: NDArray[np.int64], occurrence: Occurrence
) -> NDArray[np.float64]:
    """(S, K): the chance that a line breaks under the profile's load as it did in its last rehearsal."""
    broke = ground.rehearsed.get(profile)
    if broke is None:
        return np.zeros((len(ground.linked), len(paths)))
    again = broke.breaks_again(paths, occurrence.starts_ns, ground.now_ns)
    return thinned(again, room_left(occurrence, ground.now_ns))


def _broken(
    ground: Ground,
    limit_set: int,
    paths: NDArray[np.int64],
    ahead: tuple[int, float],
    before: EarlierFaults,
) -> NDArray[np.float64]:
    """(S, K): the chance that what is broken now, or keeps breaking, is broken at the meeting.

    `ahead`: how long (ns) it is to the meeting, and the room that is left of it (`underway.room_left`).
    """
    lead_ns, room = ahead
    suspicion = ground.condition.suspicion[limit_set][:, paths].astype(np.float64)
    relapse = relapses_take(ground.relapses[:, paths])
    since_ns = ground.fault_since_ns[limit_set][:, paths]
    age_ns = np.where(since_ns > 0, ground.now_ns - since_ns, 0)
    lasts = as_its_own(still_broken(lead_ns, age_ns), *before)
    return np.asarray(np.maximum(suspicion, thinned(relapse, room)) * lasts)


def _hidden(ground: Ground, paths: NDArray[np.int64], lead_ns: int) -> NDArray[np.float64]:
    """What silence hides, (S, K): nothing up to `SILENT_NS`, then more and more until the office is dark."""
    # Nobody is less sure of it because we were away.
    heard_ns = np.maximum(ground.silent_since_ns, ground.listening_since_ns)
    silent_ns = (ground.now_ns - heard_ns)[:, paths]
    room = max(ground.dark_after_ns - SILENT_NS, 1)
    silence = SILENCE_HIDES * np.clip((silent_ns - SILENT_NS) / room, 0.0, 1.0)
    hides = silence * still_broken(lead_ns, silent_ns)
    return np.where(ground.dark[:, None], dark_hides(np.array(lead_ns)), hides)


def _standing(ground: Ground, occurrence: Occurrence, probability: NDArray[np.float64]) -> NDArray[np.int8]:
    rules = (
        (~ground.linked, Standing.UNKNOWN),
        (_dark_before(ground, occurrence), Standing.NOT_READY),
        (np.isnan(probability), Standing.UNKNOWN),
        (probability >= READY_FROM, Standing.READY),
        (probability >= AT_RISK_FROM, Standing.AT_RISK),
    )
    chosen = np.select([rule for rule, _ in rules], [state for _, state in rules], Standing.NOT_READY)
    return chosen.astype(np.int8)


def _beside_the_line(
    ground: Ground, occurrence: Occurrence, standing: NDArray[np.int8], path: NDArray[np.int64]
) -> NDArray[np.int8]:
    """What the probability, which is the line's, does not say: figures that the probe's own trouble explains, things that are away."""
    lead_ns = occurrence.starts_ns - ground.now_ns
    out = standing.copy()
    fit = (out == Standing.READY) | (out == Standing.AT_RISK)
    if ground.explained is not None:
        limit_set = ground.sets.of_profile[occurrence.meeting.profile]
        out[fit & ground.explained[limit_set, np.arange(len(out)), path]] = Standing.UNKNOWN
    if ground.reached is not None:
        out[fit & ground.reached.doubtful(lead_ns)] = Standing.AT_RISK
        known = (out != Standing.UNKNOWN) & ground.linked
        out[known & ground.reached.missing(lead_ns)] = Standing.NOT_READY
    return out


def _dark_before(ground: Ground, occurrence: Occurrence) -> NDArray[np.bool_]:
    soon = occurrence.starts_ns - ground.now_ns <= NOW_COUNTS_NS
    return np.asarray(ground.dark & ground.linked & soon)


def _best_rung(holds: NDArray[np.float64]) -> NDArray[np.int64]:
    """(S,): the first of the rungs (hardest first) that any of the office's lines is expected to hold; -1 for none."""
    ready = (np.nan_to_num(holds, nan=0.0) >= READY_FROM).any(axis=-1)
    return np.where(ready.any(axis=0), ready.argmax(axis=0), -1)
