"""The references see what the outcome sees: an office without contact does not hold its meeting."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analytics.forecast.features import facts
from analytics.forecast.held import came_true
from analytics.forecast.odds import log_odds
from analytics.forecast.track import Asks, Track
from telemetry.windows import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, SLOT_NS
from tests.analytics.forecast.tracks import arrived_track, silent_until

DAY = DAY_NS // SLOT_NS
DAYS = 5
FIRST = 5_985_216
TEN = 4 * DAY + 120
"""Slot of ten in the morning of the last day."""


def silent(slots: slice, *, awaited: bool = True) -> Track:
    """Two sound lines; of the first nothing came in some slots."""
    shape = (2, DAYS * DAY)
    quiet = np.zeros(shape)
    quiet[0, slots] = np.nan
    track = arrived_track(quiet, quiet, FIRST, MINUTE_NS)
    until_ns = silent_until(np.full(shape, awaited), track.measured, track.arrived_ns)
    return replace(track, silent_until_ns=until_ns)


def told(track: Track) -> dict[str, list[float]]:
    """What the references look at, of a meeting from ten to eleven, half an hour before."""
    start_ns = np.full(2, (FIRST + TEN) * SLOT_NS)
    asks = Asks(np.arange(2), start_ns - 1800 * SECOND_NS, start_ns, start_ns + HOUR_NS)
    known = facts(track, asks)
    return {
        name: known.figures[:, known.names.index(name)].tolist()
        for name in ("failed_now", "same_hour_share", "same_hour_none")
    }


@pytest.mark.parametrize(("awaited", "failed"), [(True, 1.0), (False, 0.0)])
def test_an_hour_without_contact_has_failed_as_it_is_now(awaited: bool, failed: float) -> None:
    """Where nobody was awaited nothing is known, and nothing is held against the office."""
    assert told(silent(slice(TEN - 30, TEN + 12), awaited=awaited))["failed_now"] == [failed, 0.0]


def test_a_day_on_which_it_was_dark_at_this_hour_has_failed() -> None:
    """One of four days; and a day on which nobody was awaited is no day."""
    dark, none = (
        told(silent(slice(TEN - DAY, TEN - DAY + 12))),
        told(silent(slice(TEN - DAY, TEN - DAY + 12), awaited=False)),
    )
    assert dark["same_hour_share"] == [log_odds(np.asarray(0.25)), log_odds(np.asarray(0.0))]
    assert none["same_hour_share"] == [log_odds(np.asarray(0.0))] * 2
    never = told(silent(slice(0, DAYS * DAY), awaited=False))
    assert never["same_hour_none"] == [1.0, 0.0]
    assert told(silent(slice(0, DAYS * DAY)))["same_hour_none"] == [0.0, 0.0]


def test_what_the_references_call_failing_is_what_the_outcome_calls_so() -> None:
    """The same hour, afterwards: it was dark, so it did not hold; late or never makes the difference only then."""
    track = silent(slice(TEN, TEN + 12))
    start_ns = np.full(2, (FIRST + TEN) * SLOT_NS)
    asks = Asks(np.arange(2), start_ns, start_ns, start_ns + HOUR_NS)
    assert came_true(track, asks).held.tolist() == [False, True]
    late = replace(track, broke=np.nan_to_num(track.broke), measured=np.ones_like(track.measured))
    late.arrived_ns[0, TEN : TEN + 12] += DAY_NS
    late.silent_until_ns[0, TEN : TEN + 12] = late.arrived_ns[0, TEN : TEN + 12]
    soon_ns = int(start_ns[0]) + 2 * HOUR_NS
    assert came_true(late, asks, as_of_ns=soon_ns).held.tolist() == [False, True]
    assert came_true(late, asks).held.tolist() == [True, True]
