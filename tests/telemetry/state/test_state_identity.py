"""Orders and one-time tokens in the state database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from telemetry.control import Command
from telemetry.state import commands
from telemetry.state.commands import CommandRow
from telemetry.state.db import StateDb
from telemetry.state.tokens import Redeemed

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def state(file) -> Iterator[StateDb]:
    made = StateDb(file)
    yield made
    made.close()


def row(number: int, **changes: object) -> CommandRow:
    fields = {"site": "agra", "probe": "p1", "who": "root", "issued_ns": number, "expires_ns": 100}
    return CommandRow(id=str(number), command=Command(verb="ping"), **(fields | changes))  # type: ignore[arg-type]


def test_an_order_is_taken_once_and_answered_once(state, file) -> None:
    """Of two collectors one gets it; only the probe that it was for answers it, and the first answer counts."""
    other = StateDb(file)
    state.put_command(row(1))
    taken = [state.take_command(50), other.take_command(50)]
    assert [one.id if one else None for one in taken] == ["1", None]
    assert not state.put_answer("1", "meerut", "p1", (True, "forged"), 60)
    assert not state.put_answer("2", "agra", "p1", (True, "unasked"), 60)
    assert other.put_answer("1", "agra", "p1", (True, "0.1.0"), 60)
    assert not state.put_answer("1", "agra", "p1", (False, "again"), 61)
    done = state.command("1")
    assert (done.ok, done.detail, done.delay_ms) == (True, "0.1.0", 59 / 1e6)
    other.close()


def test_an_order_that_was_not_sent_in_time_is_never_sent(state) -> None:
    """It stays on record; one that could not be handed over may be taken again."""
    state.put_command(row(1))
    assert state.take_command(100) is None
    assert not state.put_answer("1", "agra", "p1", (True, ""), 101)
    assert state.take_command(99).id == "1"
    assert state.take_command(99) is None
    state.return_command("1")
    assert state.take_command(99).id == "1"
    assert (state.command("1").ok, state.command("1").delay_ms) == (None, None)


def test_orders_and_events_are_bounded(state, monkeypatch) -> None:
    """The oldest go."""
    monkeypatch.setattr(commands, "KEPT", 3)
    for number in range(1, 8):
        state.put_command(row(number))
        state.note_identity(number, "root", "enrol", "agra", "p1", keep=2)
    assert [one.id for one in state.commands(9)] == ["7", "6", "5", "4"]
    assert [event.at_ns for event in state.identity_events(9)] == [7, 6]


def test_a_token_that_nobody_issued_changes_nothing(state) -> None:
    """No row, no revision: guessing wakes nobody up."""
    before = state.revision()
    assert state.redeem_token(b"guess", b"nonce", 1, 1).outcome is Redeemed.UNKNOWN
    assert state.revision() == before
