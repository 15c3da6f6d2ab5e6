"""Lines that have been known for less than a day, and since when: what is said of them rests on little, however sure it sounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from telemetry.windows import DAY_NS, HOUR_NS

if TYPE_CHECKING:
    from analytics.case import Case

YOUNG_NS: Final = DAY_NS


def known_since_ns(case: Case) -> int | None:
    """Start (ns) of the first slot or window that was ever measured on the case's line; None from `YOUNG_NS` on, and where none was."""
    ground, site, path = case.ground, case.site, case.path
    if path < 0 or ground.climate.hours_known(site, path) * HOUR_NS >= YOUNG_NS:
        return None
    windows = np.flatnonzero(ground.recent.present[site, path])
    heard = [int(ground.recent.start_ns[windows[0]])] if len(windows) else []
    slots = np.flatnonzero(case.track.measured[case.line] > 0.0)
    first_ns = case.track.start_ns + int(slots[0]) * case.track.slot_ns if len(slots) else None
    if first_ns is not None and not any(0 <= ns - first_ns < case.track.slot_ns for ns in heard):
        heard.append(first_ns)  # else the first window says it to the second
    since_ns = min(heard, default=None)
    return since_ns if since_ns is not None and ground.now_ns - since_ns < YOUNG_NS else None
