"""The clock on the wall is set while alerts wait: what is waited for goes by the time that has really passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Build

    from tests.alerts.scenarios.house import House

MINUTE_NS = 60 * 10**9


def run(house: House, minutes: float, monotonic_ns: int) -> int:
    """Looks every 15 s of both clocks; the monotonic one after it."""
    for _ in range(int(minutes * 4)):
        house.alerts.step(house.now_ns, monotonic_ns)
        house.now_ns += MINUTE_NS // 4
        monotonic_ns += MINUTE_NS // 4
    return monotonic_ns


def test_forward_hurries_nobody(build: Build) -> None:
    """Raised at 07:00, set forward by twenty minutes at 07:05: the region is told when twenty minutes have really passed."""
    house = build(meeting="09:30").at("07:00").not_ready("agra")
    ticks = run(house, 5, 0)
    house.now_ns += 20 * MINUTE_NS  # the clock says 07:25 where it was 07:05
    run(house, 25, ticks)
    assert house.told == [
        "07:00:15 site:agra raised not_ready agra",
        # twenty minutes of the wrist's watch later; two hours before the start it was told ten minutes ago: no reminder
        "07:40:15 ravi escalated not_ready agra",
    ]


def test_back_by_an_hour_forgets_nobody(build: Build) -> None:
    """Set back: nothing is told twice, and the wait does not begin anew."""
    house = build(meeting="10:30").at("08:45").not_ready("agra")
    ticks = run(house, 15, 0)
    house.now_ns -= 60 * MINUTE_NS  # 08:00 for the second time
    house.not_ready("agra")
    run(house, 30, ticks)
    assert house.told[0] == "08:45:15 site:agra raised not_ready agra"
    assert house.told_of("site:agra")[1:] == []
    (alert,) = house.open
    assert alert.rung_ns is not None
    assert house._clock(alert.rung_ns) in {"07:45:15", "08:30:00"}
    assert len({facts.alert for facts, *_ in house.facts}) == 1


def test_a_drifting_clock_is_no_set_clock(build: Build) -> None:
    """A second an hour is nothing: no alert is touched."""
    house = build().at("09:30").not_ready("agra")
    ticks = run(house, 5, 0)
    (before,) = house.open
    house.now_ns += MINUTE_NS // 60
    run(house, 1, ticks)
    assert house.open == [before]
