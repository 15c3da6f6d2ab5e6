"""Windows that are missing though somebody listened are part of a fault; those that nobody missed are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.forecast.laid_over import LaidOver
from analytics.forecast.newest import FORGIVEN_WINDOWS, Now, put_newest
from analytics.forecast.unheard import longest_run, unheard_windows
from telemetry.line_slots import NEVER
from tests.analytics.forecast.test_forgiven import (
    AT,
    COVERED,
    FAULT,
    LIMITS,
    NOW_NS,
    WINDOWS,
    rolled_up,
    windows,
)

if TYPE_CHECKING:
    from analytics.recent import Recent

EVERYBODY = np.ones((1, WINDOWS), dtype=bool)
NOBODY = ~EVERYBODY
OPEN = COVERED - 2
"""The store's roll-ups end there, ten minutes ago."""


def missing(recent: Recent, gap: slice) -> Recent:
    absent = np.zeros(recent.present.shape, dtype=bool)
    absent[..., gap] = True
    return recent.without(absent)


def broke_after(gap: slice, listened: np.ndarray, *, fault: bool = True) -> float:
    """Of the slot of the fault, when the newest windows were written into the track."""
    tracks, found = rolled_up(), missing(windows(fault=fault), gap)
    now = Now(NOW_NS, np.zeros(1, dtype=bool), np.ones((2, 1, 1), dtype=bool), COVERED, listened)
    put_newest(tracks, found, LIMITS, now, LaidOver())
    return float(tracks[0].broke[0, AT])


@pytest.mark.parametrize(
    ("gap", "listened", "forgiven"),
    [
        (slice(FAULT.stop, FAULT.stop + FORGIVEN_WINDOWS - 6), EVERYBODY, True),
        (slice(FAULT.stop, FAULT.stop + FORGIVEN_WINDOWS - 5), EVERYBODY, False),
        (slice(FAULT.stop, FAULT.stop + FORGIVEN_WINDOWS - 5), NOBODY, True),
        (slice(FAULT.stop + 20, FAULT.stop + 20 + FORGIVEN_WINDOWS), EVERYBODY, True),
        (slice(FAULT.stop + 20, FAULT.stop + 21 + FORGIVEN_WINDOWS), EVERYBODY, False),
    ],
)
def test_what_is_missing_makes_a_fault_longer(gap: slice, listened: np.ndarray, *, forgiven: bool) -> None:
    """Six broken windows with six missing are three minutes; with seven they are more, unless nobody listened; a restart elsewhere adds nothing."""
    assert (broke_after(gap, listened) == 0.0) is forgiven


def test_an_office_that_has_only_just_begun_is_not_waited_for() -> None:
    """Before its first window; one of which a day ago something came is, and one that works keep silent is not."""
    recent, track = missing(windows(), slice(0, 30)), rolled_up()[0]
    assert unheard_windows(recent, track, EVERYBODY).sum() == 30
    track.planned[:] = True
    assert not unheard_windows(recent, track, EVERYBODY).any()
    track.planned[:] = False
    track.measured[:] = 0.0
    assert not unheard_windows(recent, track, EVERYBODY).any()
    assert not unheard_windows(recent, track, None).any()


def test_a_slot_that_is_empty_is_silence_once_the_office_is_back() -> None:
    """As the past will say when it is read again; where nobody listened nothing is known of it."""
    for listened, silent_until_ns in ((EVERYBODY, NEVER), (NOBODY, 0)):
        tracks = rolled_up()
        at = OPEN - tracks[0].first_slot
        recent = missing(windows(fault=False), slice(WINDOWS - 40, WINDOWS - 20))
        now = Now(NOW_NS, np.zeros(1, dtype=bool), np.ones((2, 1, 1), dtype=bool), OPEN, listened)
        put_newest(tracks, recent, LIMITS, now, LaidOver())
        assert tracks[0].silent_until_ns[0, at] == silent_until_ns
        assert not np.isfinite(tracks[0].broke[0, at])


def test_a_slot_of_which_more_has_come_since_is_written_anew() -> None:
    """The store had half of it when the past was read; the rest came late, and broke."""
    tracks = rolled_up()
    tracks[0].measured[0, AT], before = 0.5, tracks[0].broke[0, AT].copy()
    recent = windows()
    recent.values["lost"][..., 40:60] = recent.values["up_lost"][..., 40:60] = 75
    now = Now(NOW_NS, np.zeros(1, dtype=bool), np.ones((2, 1, 1), dtype=bool), COVERED, EVERYBODY)
    assert put_newest(tracks, recent, LIMITS, now, LaidOver()).changed
    assert before < tracks[0].broke[0, AT] == 1.0
    assert tracks[0].measured[0, AT] == 1.0


def test_the_longest_run_is_counted_to_both_ends() -> None:
    """Of none, of all, and of some at either end."""
    said = np.array([[0, 0, 0, 0], [1, 1, 1, 1], [1, 1, 0, 1], [1, 0, 1, 1]], dtype=bool)
    assert longest_run(said).tolist() == [0, 4, 2, 2]
