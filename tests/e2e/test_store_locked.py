"""Another program holds the hub's own store for more than a minute: nothing is said of the offices' lines, and the hub says it of itself."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from telemetry.decisions import FactorKind, State
from telemetry.state.db import StateDb
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.server]
SITES = """id,name_en,name_hi,region,lat,lon,status,contact_email
agra,Agra,आगरा,braj,27.18,78.01,linked,agra@office.example
etah,Etah,एटा,braj,27.56,78.66,linked,etah@office.example
kannauj,Kannauj,कन्नौज,kanpur,27.06,79.92,linked,kannauj@office.example
"""
PEOPLE = """id,name,role,about,language,email
noc-en,NOC,noc,all,en,noc@state.example
"""
WAKE = "[alerts]\ndefault_quiet = []\n"
"""People hear at whatever hour the test runs."""
WELL = ("etah", "kannauj")
MEETING_S = 100 * 60
"""Near enough for offices to hear that a fault is not their line's, too far for a reminder to fall into the test."""
HELD_S = 70
HOLD = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
held.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.readline()
held.execute("ROLLBACK")
"""


@pytest.fixture
def house(deployment: Any, eventually: Callable[..., float]) -> Iterator[Any]:
    """The running house: two offices are well, the third one's line is broken, and its in-charge has been told of it."""
    deployment.write(WAKE, meeting_in_s=MEETING_S)
    (deployment.folder / "sites.csv").write_text(SITES, encoding="utf-8")
    (deployment.folder / "people.csv").write_text(PEOPLE, encoding="utf-8")
    deployment.start("up", "--lab", "--history", "0", "--port", "0")
    eventually("the wall's address is said", 120, lambda: "wall: http" in deployment.said("up"))
    with contextlib.closing(StateDb(deployment.data / "state.db")) as state:
        deployment.state = state
        well = len(WELL)
        ready = {*WELL, "agra"}
        eventually("every office is ready", 240, lambda: states(state) == dict.fromkeys(ready, State.READY))
        deployment.tatpar("lab", "break", "agra", "--loss", "0.2", "--direction", "up", config=False)
        eventually("the in-charge is told", 240, lambda: told(state) == ["agra@office.example"])
        eventually("it is not ready", 60, lambda: states(state)["agra"] is State.NOT_READY)
        eventually("the wall shows it", 60, lambda: ready_counted(shown(deployment)) == well)
        yield deployment


def states(state: StateDb) -> dict[str, State]:
    return {verdict.site: verdict.state for verdict in state.verdicts(0, 2**62)}


def told(state: StateDb, since_ns: int = 0) -> list[str]:
    """To whom messages were written, the first one first."""
    return [row.recipient for row in reversed(state.outbox(100)) if row.put_ns >= since_ns]


def shown(house: Any) -> dict[str, Any]:
    """The wall's picture as a page gets it."""
    address = re.search(r"wall: (http://\S+)", house.said("up"))
    assert address
    with urllib.request.urlopen(f"{address[1]}api/snapshot", timeout=30) as answer:
        picture: dict[str, Any] = json.load(answer)["picture"]
    return picture


def ready_counted(picture: dict[str, Any]) -> int:
    (meeting,) = picture["meetings"].values()
    ready: int = meeting["count"]["ready"]
    return ready


@contextlib.contextmanager
def held(house: Any) -> Iterator[None]:
    """Another process holds the store's file; whatever happens it lets go."""
    command = [sys.executable, "-c", HOLD, str(house.data / "reports.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield
        finally:
            process.communicate("go\n", timeout=60)


def test_a_hub_that_cannot_store_says_so_of_itself_and_nothing_of_the_lines(
    house: Any, eventually: Callable[..., float]
) -> None:
    """What was said stands on the wall with its age, no in-charge is told, the NOC is told once, and `doctor` says what is not ready."""
    state = house.state
    before, held_ns = states(state), time.time_ns()

    def stands() -> bool:
        assert states(state) == before
        assert ready_counted(shown(house)) == len(WELL)
        return True

    def hub_is_told() -> bool:
        kinds = [incident.factor.kind for incident in state.open_incidents()]
        assert set(kinds) <= {FactorKind.HUB}
        return stands() and bool(kinds)

    with held(house):
        eventually("the wall says it", 60, lambda: stands() and "store" in shown(house)["pulses"])
        away_ns = shown(house)["pulses"]["store"]["at_ms"] * 1_000_000
        assert held_ns - 2 * SECOND_NS <= away_ns <= time.time_ns() - 8 * SECOND_NS
        doctor = house.tatpar("doctor", "--lang", "en")
        assert doctor.returncode == 1
        assert re.search(r"■ broken +readiness of collector: not ready: store: ", doctor.stdout), (
            doctor.stdout
        )
        eventually("the hub's deafness is told", 180, hub_is_told)
        eventually("the NOC is told", 60, lambda: told(state, held_ns) == ["noc@state.example"])
        eventually("it was long", HELD_S, lambda: stands() and time.time_ns() - held_ns >= HELD_S * SECOND_NS)
    eventually("the store answers", 60, lambda: stands() and "store" not in shown(house)["pulses"])
    eventually("the incident is over", 240, lambda: stands() and not state.open_incidents())
    doctor = house.tatpar("doctor", "--lang", "en")
    assert re.search(r"● fine +readiness of collector: ready", doctor.stdout), doctor.stdout
    assert set(told(state, held_ns)) == {"noc@state.example"}
    assert [alert.told for alert in state.open_alerts() if alert.site] == [("site:agra",)]
