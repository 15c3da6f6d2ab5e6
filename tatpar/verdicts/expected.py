"""What a time promises: the verdict of every office, how many are expected to hold, and where two times differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from analytics.readiness import expect
from analytics.verdicts import verdicts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.ground import Ground, Standing
    from config.meetings import Occurrence
    from telemetry.decisions import Verdict

DIFFERS: Final = 0.05
"""Chances that lie so far apart are told, and so much more is better."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What one time promises: the verdicts by office, and the expected number that hold."""

    occurrence: Occurrence
    verdicts: dict[str, Verdict]
    holding: float

    def count(self, state: Standing) -> int:
        """How many offices are in that state."""
        return sum(verdict.state.value == state.name.lower() for verdict in self.verdicts.values())


def expected(ground: Ground, occurrence: Occurrence) -> Expected:
    """Of the linked offices that are invited. A dark office without a number is expected to fail."""
    place, expectation = ground.lines.site_index, expect(ground, occurrence)
    rows = [place[s] for s in occurrence.meeting.invited if s in place and ground.linked[place[s]]]
    said = verdicts(ground, occurrence, expectation, rows)
    holding = sum(verdict.expected or 0.0 for verdict in said)
    return Expected(occurrence, {verdict.site: verdict for verdict in said}, holding)


def differing(found: Sequence[Expected]) -> list[str]:
    """Offices whose state or chance differs, the widest apart first."""
    if len(found) < 2:
        return []
    one, two = (each.verdicts for each in found)
    apart = {site: _apart(one[site].expected or 0.0, two[site].expected or 0.0) for site in one}
    apart = {
        site: far for site, far in apart.items() if far >= DIFFERS or one[site].state is not two[site].state
    }
    return sorted(apart, key=lambda site: (-apart[site], site))


def better(found: Sequence[Expected]) -> int | None:
    """Which of two times is expected to serve more offices; None when they are as good as each other, or there is one."""
    if len(found) < 2 or _apart(found[0].holding, found[1].holding) < DIFFERS:
        return None
    return 0 if found[0].holding > found[1].holding else 1


def _apart(one: float, other: float) -> float:
    """Without the dust of binary fractions: 0.95 and 0.90 lie 0.05 apart."""
    return round(abs(one - other), 6)
