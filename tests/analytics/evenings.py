"""An evening that begins: a line whose strain climbs at the same hour of every day, and today more than usually."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.forecast.features import digest
from telemetry.windows import DAY_NS, SLOT_NS

if TYPE_CHECKING:
    from analytics.ground import Ground
    from tests.analytics.conftest import Bench

DAY = DAY_NS // SLOT_NS


def evening(
    made: Bench, *, today: float, begins: int, climbs: int = 12, base: float = 0.12, height: float = 0.6
) -> Ground:
    """The ground of `made` whose first line is strained by `base` and, from slot `begins` (0: now) on, within `climbs` slots by `height` more.

    It stays there for five hours after now and falls in two and a half. Today the climb is `today` times as high.
    """
    ground = made.ground(made.recent(made.values((3, 2, 240))))
    tracks = []
    for track in ground.foresight.tracks:
        from_now = np.arange(track.broke.shape[1]) - (ground.now_ns - track.start_ns) // SLOT_NS
        of_day = (from_now + DAY // 2) % DAY - DAY // 2
        climb = height * np.interp(of_day, [begins, begins + climbs, 60, 90], [0, 1, 1, 0])
        course = base + climb * np.where(np.abs(from_now) < 100, today, 1.0)
        strain, broke = track.strain.copy(), track.broke.copy()
        past = np.isfinite(broke[0])
        strain[0, past], broke[0, past] = course[past], course[past] > 1.0
        tracks.append(replace(track, strain=strain, broke=broke))
    foresight = replace(ground.foresight, tracks=tuple(tracks), digests=tuple(map(digest, tracks)), _said={})
    return replace(ground, foresight=foresight)
