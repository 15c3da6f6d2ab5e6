"""The ladder: who is told what and when, up to the start of a meeting and through it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Build

    from tests.alerts.scenarios.house import House


def test_unacknowledged_it_climbs_the_ladder(house: House) -> None:
    """In-charge a day before, reminders at T-2h, T-30, T-10; the region from T-2h on, the NOC from T-60 on."""
    house.at("07:00").not_ready("agra").run("11:00")
    assert house.told == [
        "07:00:15 site:agra raised not_ready agra",
        "09:00:15 ravi escalated not_ready agra",
        "09:00:15 site:agra reminded not_ready agra",
        "10:00:00 noc-desk escalated not_ready agra",
        "10:30:00 site:agra reminded not_ready agra",
        "10:50:00 site:agra reminded not_ready agra",
    ]
