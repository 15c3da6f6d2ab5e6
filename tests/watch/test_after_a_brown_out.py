"""A shared brown-out is mended while a meeting runs: of an office whose windows hold again nobody hears that it is not ready."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from alerts.service import Alerts
from telemetry.alerting import Kind, Step
from telemetry.windows import MINUTE_NS, SECOND_NS
from tests.alerts.scenarios.house import PerfectDelivery
from tests.watch.conftest import MONDAY, Meeting, Town
from tests.watch.test_outage import HEAD, A, B

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BEFORE_S = 600
WELL_S = 480
"""Until the last all-clear is said."""
PEOPLE = "id,name,role,about,language,email,phone,channels,quiet,per_hour\n" + "".join(
    f"keeper-{site},{site},in_charge,site:{site},en,{site}@office.example,,,none,\n" for site in B
)
SETTINGS = '[files]\nmeetings = "meetings"\n[alerts]\nsmtp_host = "mail.example"\n'


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Town]:
    """Six offices of each of two providers; a meeting begins in a quarter of an hour."""
    rows = [
        f"{site},{site},{site},{('braj', 'kashi', 'awadh')[i % 3]},{26 + i / 9},80,linked,provider-{'ba'[i // len(B)]}"
        for i, site in enumerate((*B, *A))
    ]
    made = Town(tmp_path, sites="\n".join((HEAD, *rows, "")), linked=(*B, *A))
    (tmp_path / "people.csv").write_text(PEOPLE, encoding="utf-8")
    (tmp_path / "tatpar.toml").write_text(SETTINGS, encoding="utf-8")
    made.meet(Meeting("review", MONDAY + 15 * MINUTE_NS))
    yield made
    made.close()


def test_nobody_is_told_not_ready_from_the_tail_of_a_shared_fault(fleet: Town) -> None:
    """A provider's lines lose a little for nine minutes and come back within four: its offices hear that it is not their line, then once that all is well."""
    fleet.rng, lot = np.random.default_rng(1), random.Random(1)
    alerts = Alerts(fleet.live, fleet.state, fleet.clock, delivery=PerfectDelivery(fleet.state))

    def play(seconds: int) -> None:
        for _ in range(seconds // 5):
            fleet.play(5, step_s=2.5)
            alerts.step(fleet.now_ns)

    play(BEFORE_S)
    for site in B:
        fleet.break_line(site, up=0.015)
    play(540)
    mended: dict[str, int] = {}
    for site in lot.sample(B, len(B)):
        fleet.heal(site)
        mended[site] = fleet.now_ns
        play(40)
    play(WELL_S)
    about = {alert.id: alert for alert in fleet.state.alerts(0, fleet.now_ns + 1) if alert.site}
    said = [row for row in fleet.state.outbox(1_000) if row.alert in about]
    assert {alert.site for alert in about.values() if alert.eased} == set(B)
    assert {alert.kind for alert in about.values()} == {Kind.NOT_YOUR_LINE}
    late = {
        (about[row.alert].site, row.key.split("/")[2])
        for row in said
        if row.due_ns > mended[about[row.alert].site] + 30 * SECOND_NS
    }
    assert late == {(site, Step.RESOLVED.value) for site in B}
    alerts.close()
