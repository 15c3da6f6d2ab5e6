"""Since when, and from when to when: one fault after another has a beginning of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.decisions import ReasonCode
from telemetry.windows import WINDOW_NS
from tests.analytics.one_office import verdict_of

if TYPE_CHECKING:
    from telemetry.decisions import Reason
    from tests.analytics.conftest import Bench

WINDOWS, PACKETS = 120, 150


def first_reason(made: Bench, *lossy: tuple[int, int, int]) -> Reason:
    """Of an office that lost so many packets of each window, from so many windows ago to so many ago."""
    values = made.values((3, 2, WINDOWS))
    for lost, since, until in lossy:
        made.lose(values, "up", lost, at=(0, slice(None), slice(WINDOWS - since, WINDOWS - until)))
    ground = made.ground(made.recent(values))
    return verdict_of(ground, made.occurrence(60.0)).reasons[0]


def test_an_outage_after_loss_begins_where_nothing_came_through(made: Bench) -> None:
    """Lossy for ten minutes, cut for the newest two and a half: down since then, and for so long."""
    found = first_reason(made, (15, 50, 10), (PACKETS, 10, 0))
    assert (found.code, found.since_ns) == (ReasonCode.OUTAGE, made.t0 - 10 * WINDOW_NS)
    assert found.value == 150.0


def test_an_outage_that_is_over_is_told_from_its_very_beginning(made: Bench) -> None:
    """Seven and a half minutes of it; two and a half later no more than the last six minutes are searched for faults."""
    found = first_reason(made, (PACKETS, 40, 10))
    assert (found.code, found.value) == (ReasonCode.OUTAGE, 450.0)
    assert (found.since_ns, found.until_ns) == (made.t0 - 40 * WINDOW_NS, made.t0 - 10 * WINDOW_NS)
