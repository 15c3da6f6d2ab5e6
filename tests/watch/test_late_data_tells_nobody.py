"""From the report store through the watch and the alerts to the outbox: what comes late is told to nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alerts.service import Alerts
from telemetry.windows import WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Town

PEOPLE = """id,name,role,about,language,email,phone,channels,quiet,per_hour
ravi,Ravi,in_charge,site:agra,hi,ravi@office.example,,,none,
noc-desk,NOC desk,noc,all,en,noc@office.example,,,none,
"""
SETTINGS = '[files]\nmeetings = "meetings"\n[alerts]\nsmtp_host = "mail.example"\n'
BACK_FILLED = 40
"""Windows: ten minutes."""


class NoDelivery:
    """Leaves every message in the outbox."""

    def step(self, *_: object) -> int:
        return 0


@pytest.fixture
def alerts(town: Town) -> Iterator[Alerts]:
    """The alerts of the town's state database."""
    (town.folder / "people.csv").write_text(PEOPLE, encoding="utf-8")
    (town.folder / "tatpar.toml").write_text(SETTINGS, encoding="utf-8")
    made = Alerts(town.live, town.state, town.clock, delivery=NoDelivery())
    yield made
    made.close()


def told(town: Town, alerts: Alerts, seconds: int) -> list[tuple[str, str]]:
    """Who is in the outbox, and about which office, when both have looked for so long."""
    for _ in range(seconds // 15):
        town.play(15)
        alerts.step(town.now_ns)
    about = {alert.id: alert.site for alert in town.state.alerts(0, town.now_ns + 1)}
    return sorted((row.person, about[row.alert]) for row in town.state.outbox(1_000))


def test_late_data_puts_nothing_into_the_outbox(town: Town, alerts: Alerts) -> None:
    """Ten minutes of half the packets lost, an hour before a meeting: back-filled nobody is told; when it happens, somebody is."""
    assert told(town, alerts, 120) == []
    town.break_line("agra", up=0.5)
    newest = town.now_ns - town.now_ns % WINDOW_NS
    for back in range(6, 6 + BACK_FILLED):
        town.report(newest - back * WINDOW_NS, town.now_ns, sites=("agra",))
    town.heal("agra")
    assert told(town, alerts, 120) == []
    assert town.state.alerts(0, town.now_ns + 1) == []
    assert town.watch.counters.late == 2 * BACK_FILLED

    town.break_line("agra", up=0.5)
    assert told(town, alerts, 120) == [("ravi", "agra")]
