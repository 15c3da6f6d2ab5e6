"""Imported history as slots: what the state database knows as spans of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.forecast.imported import Imported
from telemetry.windows import SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telemetry.state.db import StateDb


def imported_slots(state: StateDb, sites: Sequence[str], first_slot: int, slots: int) -> Imported | None:
    """Which slots imported sources cover, as of what the state knows; None where nothing was imported of any.

    Args:
        state: knows what was imported.
        sites: the axis S.
        first_slot: of the axis T.
        slots: length of the axis T.
    """
    spans = state.imported()
    if not any(site in spans for site in sites):
        return None
    out = np.zeros((len(sites), slots), dtype=bool)
    for row, site in enumerate(sites):
        for from_ns, until_ns in spans.get(site, ()):
            first = max(from_ns // SLOT_NS - first_slot, 0)
            out[row, first : max(-(-until_ns // SLOT_NS) - first_slot, 0)] = True
    return Imported.of_spans(out)
