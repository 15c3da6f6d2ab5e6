"""The outbox is emptied in order, without haste where a channel fails, and nothing disappears from it."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from alerts.delivery.backoff import JITTER, retry_ns
from alerts.delivery.errors import DeliveryError
from alerts.delivery.outbox import Delivery
from config.alert_settings import Delivery as Settings
from telemetry.alerting import Attachment
from telemetry.state.db import StateDb
from telemetry.windows import HOUR_NS, SECOND_NS
from tests.alerts.parts import NOW_NS, a_post, an_alert, made_live

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from config.config import Config
    from telemetry.state.outbox import OutboxRow

PATIENCE_S = 60.0


@dataclass
class Way:
    """A channel that takes what it is given, unless it is told otherwise."""

    taken: list[str] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)
    does: Callable[[OutboxRow], None] | None = None

    def __call__(self, row: OutboxRow, _files: object, _config: Config) -> str:
        self.offered.append(row.key)
        if self.does is not None:
            self.does(row)
        self.taken.append(row.key)
        return "taken"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return made_live(tmp_path / "settings", delivery="at_once = 1\nattempts = 3\nfirst_retry_s = 10").current


@pytest.fixture
def ways() -> dict[str, Way]:
    return {"mail": Way(), "hook": Way()}


@pytest.fixture
def delivery(state: StateDb, ways: dict[str, Way]) -> Delivery:
    return Delivery(state, lambda name, _config: ways.get(name, f"no {name}"), patience_s=PATIENCE_S)


def step_through(delivery: Delivery, config: Config, now_ns: int, count: int = 8) -> int:
    """So many looks at one moment: as often as it takes where one attempt goes at a time."""
    return sum(delivery.step(config, now_ns) for _ in range(count))


def test_urgent_goes_first_then_what_waits_longest(state, config, ways, delivery) -> None:
    """Of what is due urgent messages are tried first, then by their time; what is not due stays."""
    state.post([a_post("late", due_ns=NOW_NS - 1), a_post("early", due_ns=NOW_NS - 2)], NOW_NS)
    state.post([a_post("urgent", urgent=True), a_post("tomorrow", due_ns=NOW_NS + 1)], NOW_NS)
    assert step_through(delivery, config, NOW_NS) == 3
    assert ways["mail"].taken == ["urgent", "early", "late"]
    assert [row.key for row in state.waiting(9)] == ["tomorrow"]


def test_a_refusal_is_tried_again_with_growing_waits(state, config, ways, delivery) -> None:
    """A refused message waits, twice as long each time, and after its last attempt lies with the dead letters."""
    ways["mail"].does = lambda _row: _fail("451 busy")
    state.post([a_post("a")], NOW_NS)
    delivery.step(config, NOW_NS)
    (row,) = state.waiting(9)
    first_ns = row.due_ns - NOW_NS
    assert (row.attempts, row.error) == (1, "451 busy")
    assert first_ns == retry_ns("a", 0, config.settings.alerts.delivery)
    delivery.step(config, row.due_ns - 1)
    assert len(ways["mail"].offered) == 1
    delivery.step(config, row.due_ns)
    (row,) = state.waiting(9)
    delivery.step(config, row.due_ns)
    (dead,) = state.dead(9)
    assert (dead.attempts, dead.error) == (3, "given up after 3 attempts: 451 busy")
    assert not state.waiting(9)
    delivery.step(config, NOW_NS + 1000 * HOUR_NS)
    assert len(ways["mail"].offered) == 3


def test_a_final_no_goes_to_the_dead_letters_and_can_be_tried_again(state, config, ways, delivery) -> None:
    """A final refusal is not repeated by itself; revived it is sent as if it were new, though its time is over."""
    ways["mail"].does = lambda _row: _fail("550 no such user", final=True)
    state.post([a_post("a", expires_ns=NOW_NS + 1)], NOW_NS)
    delivery.step(config, NOW_NS)
    assert [row.error for row in state.dead(9)] == ["550 no such user"]
    assert state.outbox_counts(NOW_NS).dead == 1
    ways["mail"].does = None
    assert state.revive("a", NOW_NS + HOUR_NS)
    delivery.step(config, NOW_NS + HOUR_NS)
    assert ways["mail"].taken == ["a"]
    assert not state.dead(9)
    assert not state.revive("a", NOW_NS)
    assert not state.revive("unknown", NOW_NS)


def test_who_asks_to_be_left_alone_is(state, config, ways, delivery) -> None:
    """Retry-After holds for the message, and for everything else that goes the same way; other ways go on."""
    ways["hook"].does = lambda _row: _fail("429 slow down", retry_after_s=120)
    state.post([a_post("a", channel="hook"), a_post("b", channel="hook"), a_post("m")], NOW_NS)
    step_through(delivery, config, NOW_NS)
    ways["hook"].does = None
    step_through(delivery, config, NOW_NS + 119 * SECOND_NS)
    assert ways["hook"].offered == ["a"]
    assert ways["mail"].taken == ["m"]
    assert "left alone" in next(row.error for row in state.waiting(9) if row.key == "b")
    step_through(delivery, config, NOW_NS + 121 * SECOND_NS)
    assert sorted(ways["hook"].taken) == ["a", "b"]


def test_what_helps_nobody_any_more_is_not_sent(state, config, ways, delivery) -> None:
    """A message past its time is given up, and says so with why it was late."""
    ways["mail"].does = lambda _row: _fail("451 busy")
    state.post([a_post("a", expires_ns=NOW_NS + SECOND_NS)], NOW_NS)
    delivery.step(config, NOW_NS)
    ways["mail"].does = None
    delivery.step(config, NOW_NS + HOUR_NS)
    assert not ways["mail"].taken
    (dead,) = state.dead(9)
    assert (dead.error, dead.attempts) == ("expired before it could be sent (451 busy)", 1)
    assert delivery.counters.expired == 1


def test_a_channel_that_hangs_holds_up_no_other(state, config, ways) -> None:
    """While one channel says nothing, another sends; when the first has answered, its message is marked."""
    let_go = threading.Event()
    ways["hook"].does = lambda _row: let_go.wait(60) and None
    delivery = Delivery(state, lambda name, _config: ways[name], patience_s=0.0)
    state.post([a_post("slow", channel="hook"), a_post("a"), a_post("b")], NOW_NS)
    for _ in range(2000):
        delivery.step(config, NOW_NS)
        if len(ways["mail"].taken) == 2:
            break
        threading.Event().wait(0.01)
    assert (ways["mail"].taken, ways["hook"].taken) == (["a", "b"], [])
    assert ways["hook"].offered == ["slow"]
    let_go.set()
    delivery.close()
    assert all(row.sent_ns == NOW_NS for row in state.outbox(9))
    assert delivery.counters.sent == 3


def test_a_channel_that_is_not_there_is_said(state, config, delivery) -> None:
    """A message for a channel that nobody has set up waits without attempts, and says for what."""
    state.post([a_post("a", channel="pigeon")], NOW_NS)
    delivery.step(config, NOW_NS)
    (row,) = state.waiting(9)
    assert (row.error, row.attempts, row.due_ns) == ("no pigeon", 0, NOW_NS)


def test_a_fault_of_a_library_stops_nobody(state, config, ways, delivery) -> None:
    """An exception that nobody foresaw fails the one message, without what it says (it may hold a password)."""

    def stumble(row: OutboxRow) -> None:
        if row.key == "a":
            raise RuntimeError("token=secret")

    ways["mail"].does = stumble
    state.post([a_post("a"), a_post("b")], NOW_NS)
    step_through(delivery, config, NOW_NS)
    assert ways["mail"].taken == ["b"]
    assert state.waiting(9)[0].error == "RuntimeError in mail"


def test_above_the_limit_the_last_one_stands_for_all(state, config, ways, delivery) -> None:
    """Of six messages to somebody with four an hour three go as they are, and the fourth names the rest."""
    state.put_alerts(
        [an_alert(f"AAAAA{n}", site, occurrence_ns=n) for n, site in enumerate(["agra", "etah", "agra"])],
        [],
        NOW_NS,
    )
    posts = [
        a_post(f"k{n}", person="asha", recipient="asha@noc.example", alert=f"AAAAA{n % 3}") for n in range(6)
    ]
    state.post([*posts, a_post("other")], NOW_NS)
    step_through(delivery, config, NOW_NS)
    assert ways["mail"].taken[:3] == ["k0", "k1", "k2"]
    (folded,) = [key for key in ways["mail"].taken if key.startswith("many/")]
    assert folded.startswith("many/asha/3/")
    row = next(row for row in state.outbox(20) if row.key == folded)
    assert row.recipient == "asha@noc.example"
    assert "Agra" in row.body
    assert "Etah" in row.body
    assert "other" in ways["mail"].taken
    told = {row.key: row.error for row in state.outbox(20) if row.error}
    assert told == dict.fromkeys(["k3", "k4", "k5"], f"told in {folded}")
    assert state.sent_since(NOW_NS - 1) == {"asha": 4}


def test_beyond_the_limit_messages_wait_for_the_hour(state, config, ways, delivery) -> None:
    """When the hour's messages are used up the next waits, and goes when one of them is an hour old."""
    state.post([a_post(f"k{n}", person="asha") for n in range(4)], NOW_NS)
    for n in range(4):
        state.mark_sent(f"k{n}", NOW_NS + n * SECOND_NS)
    state.post([a_post("late", person="asha", urgent=True)], NOW_NS)
    step_through(delivery, config, NOW_NS + 60 * SECOND_NS)
    assert not ways["mail"].taken
    assert "limit" in state.waiting(9)[0].error
    step_through(delivery, config, NOW_NS + HOUR_NS)
    assert ways["mail"].taken == ["late"]


def test_two_processes_send_each_message_once(tmp_path: Path, config, ways) -> None:
    """Two that empty the same outbox never take the same message."""
    path = tmp_path / "shared.db"
    with contextlib.closing(StateDb(path)) as one, contextlib.closing(StateDb(path)) as other:
        one.post([a_post(f"k{n}") for n in range(30)], NOW_NS)
        first, second = (
            Delivery(db, lambda _name, _config: ways["mail"], patience_s=PATIENCE_S) for db in (one, other)
        )
        threads = [
            threading.Thread(target=step_through, args=(each, config, NOW_NS, 30)) for each in (first, second)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(ways["mail"].taken) == 30
        assert set(ways["mail"].taken) == {f"k{n}" for n in range(30)}


def test_files_go_with_their_message(state, config) -> None:
    """A channel is given the attachments of the message, and of no other."""
    seen: dict[str, tuple[str, ...]] = {}

    def way(row: OutboxRow, files: tuple[Attachment, ...], _config: Config) -> str:
        seen[row.key] = tuple(file.name for file in files)
        return ""

    page = Attachment(name="week.pdf", media_type="application/pdf", content=b"%PDF")
    state.post([a_post("report", attachments=(page,)), a_post("plain")], NOW_NS)
    step_through(Delivery(state, lambda _name, _config: way, patience_s=PATIENCE_S), config, NOW_NS)
    assert seen == {"report": ("week.pdf",), "plain": ()}


def test_waits_double_up_to_their_cap_and_are_spread() -> None:
    """The wait grows to its cap, lies within a quarter of it, differs by message, and is the same each time."""
    settings = Settings()
    for attempts, nominal in ((0, 15), (1, 30), (2, 60), (6, 900), (60, 900)):
        for key in ("a", "b", "c"):
            wait_s = retry_ns(key, attempts, settings) / SECOND_NS
            assert (1 - JITTER) * nominal <= wait_s <= (1 + JITTER) * nominal
    assert len({retry_ns(f"k{n}", 0, settings) for n in range(100)}) > 90
    assert retry_ns("a", 0, settings) == retry_ns("a", 0, settings)
    assert retry_ns("a", 0, settings, 7200) == 7200 * SECOND_NS
    assert retry_ns("a", 0, settings, 1e12) == 86_400 * SECOND_NS


def _fail(text: str, *, final: bool = False, retry_after_s: float | None = None) -> None:
    raise DeliveryError(text, final=final, retry_after_s=retry_after_s)


def test_what_has_an_end_is_tried_until_then(state, config, ways, delivery) -> None:
    """A server that is away for longer than three attempts loses no message that still helps somebody."""

    def away(_row: OutboxRow) -> None:
        raise DeliveryError("no route", final=False)

    ways["mail"].does = away
    state.post([a_post("a", expires_ns=NOW_NS + 4 * HOUR_NS)], NOW_NS)
    for _ in range(6):
        (row,) = state.waiting(9)
        delivery.step(config, row.due_ns)
    ways["mail"].does = None
    (row,) = state.waiting(9)
    assert row.attempts == 6
    delivery.step(config, row.due_ns)
    assert ways["mail"].taken == ["a"]


def test_a_clock_that_is_set_back_holds_up_no_retry(state, config, ways, delivery) -> None:
    """What was to be tried again in some seconds still is; what was never tried keeps its time of the day."""

    def away(_row: OutboxRow) -> None:
        raise DeliveryError("no route", final=False)

    ways["mail"].does = away
    state.post([a_post("a"), a_post("morning", due_ns=NOW_NS + 6 * HOUR_NS)], NOW_NS)
    delivery.step(config, NOW_NS)
    due = {row.key: row.due_ns for row in state.waiting(9)}
    delivery.clock_set(-HOUR_NS)
    moved = {row.key: row.due_ns for row in state.waiting(9)}
    assert moved == {"a": due["a"] - HOUR_NS, "morning": due["morning"]}


def test_files_of_what_is_out_are_let_go_and_those_of_what_waits_are_not(state) -> None:
    """A sent message stays on record without its megabyte; one that waits keeps what it is to carry."""
    file = Attachment(name="r.pdf", media_type="application/pdf", content=b"%PDF")
    state.post([a_post(key, attachments=(file,)) for key in ("out", "waits")], NOW_NS)
    state.mark_sent("out", NOW_NS)
    assert state.forget_files(NOW_NS) == 0
    assert state.forget_files(NOW_NS + 1) == 1
    assert (state.attachments("out"), state.attachments("waits")) == ((), (file,))
    assert {row.key for row in state.outbox(9)} == {"out", "waits"}


def test_who_has_left_hears_nothing_more(state, config, ways, delivery) -> None:
    """A message that waits for somebody who is no longer in people.csv goes to the dead letters; a list's and a colleague's are sent."""
    state.post([a_post("gone", person="former"), a_post("here", person="asha"), a_post("list")], NOW_NS)
    assert step_through(delivery, config, NOW_NS) == 2
    assert sorted(ways["mail"].taken) == ["here", "list"]
    (dead,) = state.dead(9)
    assert (dead.key, dead.error, dead.attempts) == ("gone", "left the people before it could be sent", 0)
