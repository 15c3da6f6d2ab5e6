"""A short fault is forgiven while the windows say that it is over, and no longer: then the store's own slot counts again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analytics.forecast.laid_over import LaidOver
from analytics.forecast.newest import Now, put_newest
from analytics.forecast.track import Track
from analytics.lines import Lines
from analytics.recent import Recent
from config.profiles import Limits
from telemetry.store.columns import WINDOW_VALUE_COLUMNS
from telemetry.windows import DAY_NS, MINUTE_NS, SLOT_NS, WINDOW_NS

LIMITS = [Limits(loss_ratio=0.02, jitter_ms=30.0, rtt_ms=300.0), Limits(loss_ratio=0.01, rtt_ms=200.0)]
NOW_NS = 20_005 * DAY_NS + 30 * MINUTE_NS
"""A slot's edge."""
WINDOWS = 120
COVERED = NOW_NS // SLOT_NS
FAULT = slice(45, 51)
"""A minute and a half, a quarter of an hour ago: windows of the last half hour."""
AT = 288 - 4
"""The slot of it, in a track of which a day is past."""
UNKNOWN = AT - 1
"""Nothing of this slot had come when the store rolled it up."""


def windows(later_ns: int = 0, *, fault: bool = True) -> Recent:
    start_ns = NOW_NS + later_ns + (np.arange(WINDOWS, dtype=np.int64) - WINDOWS) * WINDOW_NS
    values = {name: np.zeros((1, 1, WINDOWS), dtype=np.float32) for name in WINDOW_VALUE_COLUMNS}
    values["sent"][...], values["rtt_p95_ms"][...] = 150, 40
    values["up_jitter_ms"][...] = values["down_jitter_ms"][...] = 1
    if fault:
        values["lost"][..., FAULT] = values["up_lost"][..., FAULT] = 75
    return Recent(Lines(("a",), ("main.x",)), start_ns, values)


def rolled_up() -> list[Track]:
    """By limit set, as a past is prepared: they share all but what broke and the strain."""
    slots = 2 * 288
    ends = (COVERED - 288 + 1 + np.arange(slots, dtype=np.int64)) * SLOT_NS
    past = (np.arange(slots) < 288) & (np.arange(slots) != UNKNOWN)
    broke = np.where(past, 0.0, np.nan).astype(np.float32)[None]
    strain = np.where(past, 0.1, np.nan).astype(np.float32)[None]
    broke[0, AT], strain[0, AT] = 0.3, 2.0
    one = Track(
        first_slot=COVERED - 288,
        slot_ns=SLOT_NS,
        broke=broke,
        measured=past.astype(np.float32)[None],
        silent_until_ns=np.zeros((1, slots), dtype=np.int64),
        strain=strain,
        arrived_ns=(ends + MINUTE_NS)[None],
        planned=np.zeros((1, slots), dtype=bool),
        rehearsed=np.full((1, slots), np.nan, dtype=np.float32),
        groups={},
    )
    return [one, replace(one, broke=broke.copy(), strain=strain.copy())]


class Hub:
    """Looks at the same tracks time and again."""

    def __init__(self) -> None:
        self.tracks, self.laid_over = rolled_up(), LaidOver()

    def look(self, *, sound: bool, later_ns: int = 0, fault: bool = True) -> bool:
        now = Now(NOW_NS + later_ns, np.zeros(1, dtype=bool), np.full((2, 1, 1), sound), COVERED)
        recent = windows(later_ns, fault=fault)
        return put_newest(self.tracks, recent, LIMITS, now, self.laid_over).changed

    def cells(self) -> list[bytes]:
        return [
            of.tobytes()
            for track in self.tracks
            for of in (track.broke, track.strain, track.measured, track.silent_until_ns, track.arrived_ns)
        ]


def test_a_fault_is_forgiven_only_as_long_as_the_line_is_sound() -> None:
    """Sound, suspect, sound, suspect: each time as a hub that starts then, under every limit set, and a change is told."""
    hub = Hub()
    assert hub.look(sound=True)
    assert [track.broke[0, AT] for track in hub.tracks] == [0.0, 0.0]
    for sound in (False, True, False):
        assert hub.look(sound=sound)
        assert not hub.look(sound=sound)
        fresh = Hub()
        fresh.look(sound=sound)
        assert hub.cells() == fresh.cells()
    assert [float(track.broke[0, AT]) for track in hub.tracks] == [np.float32(0.3)] * 2
    assert [float(track.strain[0, AT]) for track in hub.tracks] == [2.0] * 2


def test_after_the_half_hour_the_slot_is_what_the_store_has() -> None:
    """Nobody sees the windows any more that would be forgiven; of a slot that the store had nothing of, they told all there is."""
    hub = Hub()
    hub.look(sound=True)
    assert hub.tracks[0].measured[0, UNKNOWN] == 1.0
    assert hub.look(sound=True, later_ns=30 * MINUTE_NS, fault=False)
    assert [float(track.broke[0, AT]) for track in hub.tracks] == [np.float32(0.3)] * 2
    assert [float(track.broke[0, UNKNOWN]) for track in hub.tracks] == [0.0] * 2
    assert hub.tracks[0].measured[0, UNKNOWN] == 1.0
    assert hub.laid_over.slots == set()
