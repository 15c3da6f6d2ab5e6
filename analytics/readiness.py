"""The readiness of every office for an occurrence: the first model, in the open.

    P(holds) = (1 - now) * (1 - usual) * (1 - capacity)

* `now`: the chance that the line is broken now (`condition`), or that a line that keeps coming back fails
  again, or that silence hides a fault; times the chance that it lasts until the meeting (`persistence`), which
  the usual trouble of this hour does not (`usual_trouble`);
* `usual`: the chance that this hour of the week fails on this line (`climatology`), lowered while the line
  is sound and the meeting near;
* `capacity`: the line is registered as slower than the profile needs.

The terms are kept beside the probability, and the reasons come from them (`verdicts`). An office's line is
its best path to the meeting's end. No data is never ready.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.ground import Expectation, Standing, Terms
from analytics.hours import hours_of_week_between, local_hour
from analytics.persistence import still_broken, still_good
from config.profiles import ladder_of
from telemetry.windows import HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.ground import Ground
    from config.meetings import Occurrence
    from config.profiles import CallProfile

MODEL: Final = "persistence-climatology/1"
READY: Final = 0.90
AT_RISK: Final = 0.60
NEVER_READY: Final = 0.89
"""The most that is said of a line that has fallen silent."""
SILENCE_NS: Final = 45 * SECOND_NS
"""From here on silence weighs; a window comes every 15 s and is 5 s under way."""
SILENCE_HIDES: Final = 0.5
DARK_LEAD_NS: Final = 12 * HOUR_NS
"""An office dark now is not ready for a meeting within so long; before later ones there is time to come back."""
RELAPSES: Final = (0.0, 0.0, 0.0, 0.3, 0.5)
"""The chance that a line is in a bad spell though it looks sound, by the number of spells of the last hour."""
TOO_SLOW: Final = 0.8
"""What a line registered below the profile's bitrate takes away: registers err."""


def expect(ground: Ground, occurrence: Occurrence) -> Expectation:
    """What to expect of every site at one occurrence, whether it is invited or not."""
    rungs = ladder_of(dict(ground.profiles), occurrence.meeting.profile)
    names = tuple(rung.id for rung in rungs)
    paths = ground.lines.to_end(occurrence.meeting.end)
    if not len(paths):
        return _nothing(ground, occurrence, names)
    parts = _parts(ground, occurrence, paths)
    holds = np.stack([_holds(ground, parts, rung) for rung in rungs])  # (rungs, S, K)
    chosen = np.nan_to_num(holds[0], nan=-1.0).argmax(axis=-1)
    sites = np.arange(len(chosen))
    probability = np.where(ground.linked, holds[0, sites, chosen], np.nan)
    standing = _standing(ground, occurrence, probability)
    numbered = (standing != Standing.UNKNOWN) & ~_dark_before(ground, occurrence)
    at = (ground.sets.of_profile[names[0]], sites, chosen)
    return Expectation(
        probability=np.where(numbered, probability, np.nan),
        standing=standing,
        path=np.where(ground.linked, paths[chosen], -1),
        best=np.where(numbered, _best_rung(holds), -1),
        rungs=names,
        terms=Terms(parts[1][at], parts[2][at], parts[3][at], _too_slow(ground, rungs[0])),
    )


def _nothing(ground: Ground, occurrence: Occurrence, rungs: tuple[str, ...]) -> Expectation:
    """The meeting's end is not measured at all."""
    nan, none = np.full(len(ground.linked), np.nan), np.full(len(ground.linked), -1)
    standing = _standing(ground, occurrence, nan)
    return Expectation(nan, standing, none, none, rungs, Terms(nan, nan, nan, nan))


def _parts(
    ground: Ground, occurrence: Occurrence, paths: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(L, S, K) each, K the permitted paths: the probability but for capacity, and its terms now, usual, silence."""
    lead_ns = max(occurrence.starts_ns - ground.now_ns, 0)
    heard = ground.heard[None, :, paths]
    suspicion = ground.condition.suspicion[..., paths].astype(np.float64)
    hidden = _hidden(ground, paths, lead_ns)
    lasting = _broken(ground, suspicion, paths, lead_ns)
    if local_hour(occurrence.starts_ns, ground.zone) > local_hour(ground.now_ns, ground.zone):
        lasting *= 1.0 - ground.usual_chance[..., paths]
    now = np.maximum(lasting, hidden)
    hours = hours_of_week_between(occurrence.starts_ns, occurrence.ends_ns, ground.zone)
    usual = ground.climate.fails[..., paths, :][..., hours].max(axis=-1)
    usual = usual * (1.0 - still_good(lead_ns) * (1.0 - suspicion) * heard)
    probability = (1.0 - now) * (1.0 - usual)
    probability = np.where(heard, probability, np.minimum(probability, NEVER_READY))
    no_ground = ~heard & (ground.climate.line_hours[None, :, paths] == 0) & ~ground.dark[None, :, None]
    return np.where(no_ground, np.nan, probability), now, usual, np.broadcast_to(hidden, now.shape)


def _broken(
    ground: Ground, suspicion: NDArray[np.float64], paths: NDArray[np.int64], lead_ns: int
) -> NDArray[np.float64]:
    """The chance that what is broken now, or keeps breaking, is broken at the meeting."""
    relapse = np.asarray(RELAPSES)[np.clip(ground.relapses, 0, len(RELAPSES) - 1)][None, :, paths]
    since_ns = ground.fault_since_ns[..., paths]
    age_ns = np.where(since_ns > 0, ground.now_ns - since_ns, 0)
    return np.asarray(np.maximum(suspicion, relapse) * still_broken(lead_ns, age_ns))


def _hidden(ground: Ground, paths: NDArray[np.int64], lead_ns: int) -> NDArray[np.float64]:
    """What silence hides, (1, S, K): nothing up to `SILENCE_NS`, all of it when the office is dark."""
    silent_ns = (ground.now_ns - ground.silent_since_ns)[None, :, paths]
    room = max(ground.dark_after_ns - SILENCE_NS, 1)
    silence = SILENCE_HIDES * np.clip((silent_ns - SILENCE_NS) / room, 0.0, 1.0)
    silence = np.where(ground.dark[None, :, None], 1.0, silence)
    return np.asarray(silence * still_broken(lead_ns, silent_ns))


def _holds(
    ground: Ground, parts: tuple[NDArray[np.float64], ...], profile: CallProfile
) -> NDArray[np.float64]:
    """(S, K): the chance that each line holds a profile."""
    fits = 1.0 - _too_slow(ground, profile)
    return np.asarray(parts[0][ground.sets.of_profile[profile.id]] * fits[:, None])


def _too_slow(ground: Ground, profile: CallProfile) -> NDArray[np.float64]:
    """(S,): `TOO_SLOW` where the line is registered as slower than the profile needs in either direction."""
    needed = np.array([profile.alarm.bitrate_up_bps or 0.0, profile.alarm.bitrate_down_bps or 0.0])
    with np.errstate(invalid="ignore"):
        return np.where((ground.link_bps < needed).any(axis=-1), TOO_SLOW, 0.0)


def _standing(ground: Ground, occurrence: Occurrence, probability: NDArray[np.float64]) -> NDArray[np.int8]:
    rules = (
        (~ground.linked, Standing.UNKNOWN),
        (_dark_before(ground, occurrence), Standing.NOT_READY),
        (np.isnan(probability), Standing.UNKNOWN),
        (probability >= READY, Standing.READY),
        (probability >= AT_RISK, Standing.AT_RISK),
    )
    chosen = np.select([rule for rule, _ in rules], [state for _, state in rules], Standing.NOT_READY)
    return chosen.astype(np.int8)


def _dark_before(ground: Ground, occurrence: Occurrence) -> NDArray[np.bool_]:
    soon = occurrence.starts_ns - ground.now_ns <= DARK_LEAD_NS
    return np.asarray(ground.dark & ground.linked & soon)


def _best_rung(holds: NDArray[np.float64]) -> NDArray[np.int64]:
    """(S,): the first of the rungs (hardest first) that any of the office's lines is expected to hold; -1 for none."""
    ready = (np.nan_to_num(holds, nan=0.0) >= READY).any(axis=-1)
    return np.where(ready.any(axis=0), ready.argmax(axis=0), -1)
