"""The guard rails: what may be taken from the model's chance, and how much, whatever the model says.

The model is fitted to what happens on average. A guard keeps it from promising a line that is seen broken, is not seen
at all, or fails at this hour of every week. `readiness` asks the guards now, on the newest windows; `forecast.rails` asks
the same ones of history, on its slots. Most of them promise a state and leave the chance within it to the model, whose
chances were measured to be right where the rules' were not (decision 191).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from config.profiles import CallProfile

    Floats = NDArray[np.float64]

NEVER_READY: Final = 0.89
"""The most that is said where a rule forbids *ready*: of a line that has fallen silent (from `SILENT_NS` on), of one on which something rises to its limit, of a fault of now before a meeting that is not near."""
NOT_READY_AT_MOST: Final = 0.59
"""The most that is said where a rule says *not ready*: of an hour with a plain record, and of a dark office soon before its meeting."""
SILENCE_HIDES: Final = 0.5
"""The chance that silence hides a fault, once it has lasted as long as makes an office dark."""
NOW_COUNTS_NS: Final = 12 * HOUR_NS
"""A fault of now counts in full for meetings that begin within so long, and an office that is dark now is not ready for them: before later ones there is time to come back."""
SOON_NS: Final = HOUR_NS
"""A rise weighs on meetings that begin within so long: what passes its limit now may be well again before later ones."""
RELAPSES: Final = (0.0, 0.0, 0.0, 0.3, 0.5)
"""The chance that a line is in a bad spell though it looks sound, by the number of spells of the last hour."""
PLAIN_WEEKS: Final = 3
PLAIN_SHARE: Final = 0.75
"""Of so many known weeks or more an hour failed in at least this share: its record is plain (`usual_hour`)."""
TOO_SLOW: Final = 0.8
"""What a line registered below the profile's bitrate takes away: registers err."""


def within_rails(
    model: Floats, lasting: Floats, hidden: Floats, hour: Floats, heard: NDArray[np.bool_]
) -> Floats:
    """The model's chance within the guard rails, all of one shape; where the model says none (NaN), what the rails leave.

    Args:
        model: the chance that the line holds.
        lasting: that what is broken now lasts until the meeting.
        hidden: that silence hides a fault that lasts.
        hour: that an hour of the meeting fails, where its record is plain; else 0. It is not ready then, however likely the model says that it holds.
        heard: a line that is not is never ready.
    """
    record = np.minimum(hour, 1.0 - NOT_READY_AT_MOST)
    holds = np.fmin(model, 1.0 - np.maximum(np.maximum(lasting, hidden), record))
    return np.where(heard, holds, np.minimum(holds, NEVER_READY))


def lasting_takes(lasting: Floats, lead_ns: NDArray[np.int64]) -> Floats:
    """What a fault of now takes, by the chance that it lasts and how long it is to the meeting, shapes that go together: of one that is not near only *ready*."""
    return np.where(lead_ns <= NOW_COUNTS_NS, lasting, np.minimum(lasting, 1.0 - NEVER_READY))


def relapses_take(spells: NDArray[np.int64]) -> Floats:
    """What is taken from lines that look sound, by how many bad spells each had in the last hour; shape as given."""
    return np.asarray(RELAPSES)[np.clip(spells, 0, len(RELAPSES) - 1)]


def plain_hours(known: Floats, failed: Floats, fails: Floats) -> Floats:
    """The chance that an hour of the week fails where its record is plain, else 0; all of one shape.

    Args:
        known: how many weeks are known of it.
        failed: in how many of them it failed.
        fails: the chance, by `climatology`.
    """
    return np.where((known >= PLAIN_WEEKS) & (failed >= PLAIN_SHARE * known), fails, 0.0)


def as_the_span(hour: Floats, known: NDArray[np.int64], failed: NDArray[np.int64]) -> Floats:
    """`plain_hours` of a meeting where what its own span did in the last weeks does not speak against it, else 0; all of one shape.

    Args:
        hour: the chance that one of its hours fails.
        known: of how many weeks the span itself is known (`forecast.same_weekday`).
        failed: in how many of them the meeting would have failed.
    """
    return np.where(failed >= PLAIN_SHARE * known, hour, 0.0)


def dark_hides(lead_ns: NDArray[np.int64]) -> Floats:
    """What is taken from dark offices by how long it is to their meetings, shape as given: not ready within `NOW_COUNTS_NS`, before it the model knows."""
    return np.where(lead_ns <= NOW_COUNTS_NS, 1.0 - NOT_READY_AT_MOST, 0.0)


def too_slow(link_bps: Floats, profile: CallProfile) -> Floats:
    """(S,) of lines (S, 2) up and down: `TOO_SLOW` where the line is registered as slower than the profile needs in either direction."""
    needed = np.array([profile.alarm.bitrate_up_bps or 0.0, profile.alarm.bitrate_down_bps or 0.0])
    with np.errstate(invalid="ignore"):
        return np.where((link_bps < needed).any(axis=-1), TOO_SLOW, 0.0)
