"""`tatpar alerts list --open` in the minutes of a heal: what it says of an office is true at that moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tatpar.alerting.left_behind import left_behind
from tatpar.alerting.listing import alert_lines
from telemetry.decisions import Action, FactorKind, Reason, ReasonCode
from telemetry.windows import SECOND_NS
from tests.alerts.scenarios.house import House

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.close()


def listed(house: House, language: str = "en") -> str:
    """The table's last line: there is one alert."""
    assert len(house.open) == 1
    return alert_lines(house.open, house.live.current, language, house.now_ns)[-1]


def test_an_office_that_is_back_is_not_called_not_ready(house: House) -> None:
    """The alert stands for two minutes more, lest it come back: meanwhile the list says since when it looks well."""
    house.at("10:15").not_ready("agra").run("10:20")
    assert "not ready" in listed(house)
    house.ready("agra").run("10:21")
    assert "not ready" not in listed(house)
    assert "looks well since 10:20" in listed(house)
    assert "well again" in listed(house)
    assert "10:20 से ठीक लग रहा है" in listed(house, "hi")
    house.not_ready("agra").run("10:21:30")
    assert "not ready" in listed(house)
    assert "looks well" not in listed(house)


def test_what_began_yesterday_stands_with_its_day(house: House) -> None:
    """A clock time alone would be read as today's: the beginning, and since when it looks well."""
    house.at("2026-11-23 23:50").silent("agra", since="2026-11-23 23:10").run("2026-11-23 23:55", every_s=60)
    house.heard("agra").run("2026-11-23 23:56").at("00:05")
    assert "looks well since 23 Nov 23:55" in listed(house)
    assert "23 Nov 23:10" in listed(house)
    assert "23 नवंबर 23:55 से ठीक लग रहा है" in listed(house, "hi")


def test_who_has_taken_it_up_is_still_named(house: House) -> None:
    """Whoever reads the list sees that somebody is at it, whether it looks well or not."""
    house.at("10:15").not_ready("agra").run("10:16").takes_up("asha")
    house.ready("agra").run("10:17")
    assert "looks well since 10:16 (asha)" in listed(house)


def test_an_alert_whose_meeting_is_over_is_about_the_silence(house: House) -> None:
    """People were told that the office is down before the meeting was near: what is still open is that, not a meeting that is over."""
    house.meets("review", "13:00").at("09:41").silent("agra", since="09:10").run("10:00", every_s=60)
    house.at("11:45").dark("agra").run("13:50", every_s=60)
    assert "13:00" in listed(house)
    house.silent("agra", since="13:50").run("14:05", every_s=60)
    assert "13:00" not in listed(house)
    assert "no contact" in listed(house)
    house.heard("agra").run("14:06")
    assert "13:00" not in listed(house)
    assert "looks well since 14:05" in listed(house)


def of_agra(house: House, language: str = "en") -> str:
    """The one line about the office."""
    left = left_behind(house.state, house.open, house.now_ns)
    lines = alert_lines(house.open, house.live.current, language, house.now_ns, left)
    (found,) = [line for line in lines if "Agra: " in line]
    return found


def test_a_shared_fault_that_is_over_is_not_told_as_if_it_were_not(house: House) -> None:
    """`flags` and `incidents` have it as over: the list says that it was, and since when the line looks well."""
    house.at("10:15").not_ready("agra", severe=True)
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah").run("10:20")
    assert "Agra: the fault is not on its line" in of_agra(house)
    house.incident(FactorKind.PROVIDER, "provider-b", "agra", "etah", until="now")
    tail = Reason(code=ReasonCode.RECENT_FAULT, since_ns=house.now_ns - 300 * SECOND_NS)
    house.not_ready("agra", reasons=(tail,), action=Action.WATCH).run("10:30")
    assert "Agra: the fault was not on its line, and it is over" in of_agra(house)
    assert "looks well since" not in of_agra(house), "its line is flagged still"
    house.heard("agra").at("10:45")
    assert "looks well since 10:30" in of_agra(house), (
        "since its last flag was gone, which outlasted the fault"
    )
    assert "ख़राबी इस कार्यालय की लाइन की नहीं थी, और ख़त्म हो चुकी है" in of_agra(house, "hi")
    assert "10:30 से ठीक लग रहा है" in of_agra(house, "hi")
