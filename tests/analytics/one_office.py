"""One office of a few: broken now, and what is said of it for a meeting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.readiness import expect
from analytics.verdicts import verdicts

if TYPE_CHECKING:
    from analytics.ground import Ground
    from analytics.recent import Recent
    from config.meetings import Occurrence
    from telemetry.decisions import Verdict
    from tests.analytics.conftest import Bench


def verdict_of(ground: Ground, occurrence: Occurrence, site: int = 0) -> Verdict:
    """As the watch would issue it."""
    return verdicts(ground, occurrence, expect(ground, occurrence), [site])[0]


def broken(made: Bench, lost: int = 8, windows: int = 4, sites: int = 3) -> Recent:
    """The first of the sites loses so many packets on both paths in its last windows; the others are sound."""
    values = made.values((sites, 2, 40))
    made.lose(values, "up", lost, at=(0, slice(None), slice(40 - windows, 40)))
    return made.recent(values)
