"""A crash at every step of deciding and sending, each one enumerated; and two processes that want to work at once.

Every call of the alerts into the state database and every hand-over to the channel is a place to die: before it, and after it.
The process then begins again with what is on the disk. Each message must have reached the channel under its key, and no key twice
except where the crash lay between the channel's taking it and its being marked, which nobody can know about.
"""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from alerts.facts import Text
from alerts.service import ROLE, Alerts
from telemetry.state.db import StateDb

if TYPE_CHECKING:
    from conftest import Build

    from tests.alerts.scenarios.house import House


def _plain(*_: object) -> Text:
    return Text(template="T02-en", variables=(), subject="s", body="b")


class DiedError(BaseException):
    """The process is gone; nothing may catch this."""


class Fuse:
    """Lets so many steps through, and dies at the next."""

    def __init__(self, steps: int | None) -> None:
        self.left = steps
        self.place = ""

    def burn(self, place: str) -> None:
        if self.left is None:
            return
        if self.left == 0:
            self.left = None
            self.place = place
            raise DiedError(place)
        self.left -= 1


class FusedState:
    """The state database, with a fuse before and after every call."""

    def __init__(self, state: StateDb, fuse: Fuse) -> None:
        self._state, self._fuse = state, fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._state, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            self._fuse.burn(f"before {name}")
            result = found(*arguments, **named)
            self._fuse.burn(f"after {name}")
            return result

        return call


class Channel:
    """Sends what is due, in the plainest way: hand over, then mark."""

    def __init__(self, state: Any, fuse: Fuse, taken: list[str]) -> None:
        self._state, self._fuse, self.taken = state, fuse, taken

    def step(self, _config: object, now_ns: int) -> int:
        rows = self._state.due(now_ns)
        for row in rows:
            self._fuse.burn("before handing over")
            self.taken.append(row.key)
            self._fuse.burn("after handing over")
            self._state.mark_sent(row.key, now_ns)
        return len(rows)


def play(house: House, steps: int | None) -> tuple[list[str], str]:
    """A morning in which the process dies once, after so many steps; what the channel took, and where it died."""
    fuse, taken = Fuse(steps), []
    house.at("09:30").not_ready("agra")

    def begin() -> Alerts:
        state: Any = FusedState(house.state, fuse)
        return Alerts(house.live, state, delivery=Channel(state, fuse, taken), words=_plain)

    alerts = begin()
    for clock in ("09:30", "09:30:15", "09:50:30", "10:16", "10:17", "10:20"):
        house.at(clock)
        if clock == "10:17":
            house.ready("agra")
        for _ in range(2):  # a process that has died is started again, and looks again
            try:
                alerts.step(house.now_ns)
            except DiedError:
                house.state.release_lease(ROLE, alerts._holder)  # it would run out
                alerts = begin()
    return taken, fuse.place


def parts(keys: list[str]) -> list[list[str]]:
    return [key.split("/")[2:] for key in keys]


def test_a_crash_at_every_step_neither_loses_nor_doubles(house: House) -> None:
    """Every step of the morning is died at once; in the end the same messages have been handed over, in the same order."""
    meant, place = play(house, None)
    assert parts(meant) == [
        ["raised", "site:agra"],
        ["escalated", "ravi"],
        ["escalated", "noc-desk"],
        ["resolved", "site:agra"],
        ["resolved", "ravi"],
        ["resolved", "noc-desk"],
    ]
    places: list[str] = []
    steps = 0
    while True:
        taken, place = play(house.forget(), steps)
        if not place:
            break
        places.append(place)
        once = list(dict.fromkeys(taken))
        assert sorted(parts(once)) == sorted(parts(meant)), place
        doubled = len(taken) - len(once)
        assert doubled == (place in {"after handing over", "before mark_sent"}), place
        steps += 1
    assert len(places) == steps > 100
    assert {"before put_alerts", "after put_alerts", "before handing over", "after handing over"} <= set(
        places
    )


def test_within_the_transaction_all_or_nothing(build: Build) -> None:
    """Dying at each statement of the transaction that writes alerts and messages: none of them is there, and all are after a restart."""
    house = build().at("09:30").not_ready("agra", severe=True)
    connection = house.state._connection
    writes = 0
    while True:
        seen = 0

        def die(statement: str, at: int = writes) -> None:
            nonlocal seen
            if statement.startswith(("INSERT INTO alert", "INSERT OR IGNORE INTO outbox", "UPDATE revision")):
                seen += 1
                if seen > at and '"agra' not in statement:
                    connection.interrupt()

        connection.set_trace_callback(die)
        with contextlib.suppress(Exception):
            house.alerts._decide(house.live.current, house.now_ns)
        connection.set_trace_callback(None)
        if house.open:
            break
        assert not house.told
        writes += 1
        assert writes < 10
    assert writes >= 3
    assert house.told == ["09:30:00 site:agra raised not_ready agra"]


def test_two_noc_engineers_acknowledge_at_once(house: House) -> None:
    """From two processes: one of them has it, both are told who, and nobody further is told of the alert."""
    house.at("10:00").not_ready("agra").run("10:36")
    assert house.told_of("noc-desk")
    (alert,) = house.open
    before = len(house.told)
    with (
        contextlib.closing(StateDb(house.folder / "state.db")) as other,
        ThreadPoolExecutor(2) as pool,
    ):
        both = [
            pool.submit(state.acknowledge, alert.id, who, "on it", house.now_ns)
            for state, who in ((house.state, "asha"), (other, "bela"))
        ]
        names = {each.result().acknowledged_by for each in both}
    assert names in ({"asha"}, {"bela"})
    house.run("10:59")
    assert len(house.told) == before
    assert {house.open[0].acknowledged_by} == names


def test_an_acknowledgement_in_the_middle_of_a_look_wins(house: House) -> None:
    """Made after the alerts were read and before they are written: the escalation that was decided meanwhile is not sent."""
    house.at("09:30").not_ready("agra").run("09:50")
    (alert,) = house.open
    written = house.state.put_alerts

    def slow(*arguments: Any) -> int:
        house.state.acknowledge(alert.id, "ravi", "", house.now_ns)
        return written(*arguments)

    house.state.put_alerts = slow  # type: ignore[method-assign]
    house.at("09:50:15").look()
    house.state.put_alerts = written  # type: ignore[method-assign]
    house.run("10:59")
    assert house.told == ["09:30:15 site:agra raised not_ready agra"]
    assert house.open[0].acknowledged_by == "ravi"


def test_of_two_processes_one_works(house: House) -> None:
    """The second waits for the lease; when the first dies it goes on from where that stopped, and nothing is told twice."""
    other = house.service()
    house.at("09:30").not_ready("agra")
    for _ in range(8):
        house.look()
        other.step(house.now_ns)
        house.now_ns += 15 * 10**9
    assert house.told == ["09:30:15 site:agra raised not_ready agra"]
    for _ in range(80):
        other.step(house.now_ns)
        house.now_ns += 15 * 10**9
    assert house.told == [
        "09:30:15 site:agra raised not_ready agra",
        "09:50:15 ravi escalated not_ready agra",
    ]


def test_a_process_that_ends_lets_the_next_begin_at_once(house: House) -> None:
    """No half minute in which nobody is told."""
    house.at("09:30").look().restart()
    house.not_ready("agra", severe=True).look()
    assert house.told == ["09:30:00 site:agra raised not_ready agra"]
