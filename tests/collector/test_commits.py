"""A batch becomes durable as a whole, whatever is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.commits import Memory, Rules, commit
from collector.intake import Bounds
from collector.message import Message
from collector.outcome import RefusalCode
from telemetry.codec import encode
from telemetry.store.errors import StoreError
from telemetry.windows import WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from config.live import LiveConfig
    from telemetry.messages import Envelope
    from telemetry.store.protocol import Fate, Received
    from telemetry.store.sqlite import SqliteStore

ROOT = "tatpar/1"


@pytest.fixture
def rules(live: LiveConfig) -> Rules:
    return Rules(ROOT, live.current.registry, Bounds())


def carry(envelope: Envelope, leaf: str = "report") -> Message:
    topic = f"{ROOT}/{envelope.site}/{envelope.probe}/{leaf}"
    return Message(topic=topic, payload=encode(envelope), received_ns=envelope.start_ns + 20_000_000_000)


def test_a_batch_counts_what_became_of_each_message(
    rules: Rules, store: SqliteStore, make_envelope: Callable[..., Envelope]
) -> None:
    """Stored, duplicate, refused, said: every message is one of them."""
    messages = [
        carry(make_envelope(1)),
        carry(make_envelope(2), "backlog"),
        carry(make_envelope(1)),
        Message(topic=f"{ROOT}/agra/p1/report", payload=b"junk", received_ns=1),
        Message(topic=f"{ROOT}/agra/p1/presence", payload=b'{"online":true,"since_ns":1}', received_ns=1),
    ]
    batch = commit(messages, rules, Memory(), store)
    assert (batch.messages, batch.stored, batch.duplicates, batch.live, batch.backlog) == (5, 2, 1, 2, 1)
    assert batch.refused_by_code == {RefusalCode.MALFORMED: 1}
    assert [said.site for said in batch.said] == ["agra"]
    assert list(store.received("agra", "p1")[make_envelope().epoch]) == [(1, 2)]


def test_a_refused_report_whose_number_is_known_is_accounted_for(
    rules: Rules, store: SqliteStore, make_envelope: Callable[..., Envelope]
) -> None:
    """Its probe is told that it need not send it again, and the ledger says why it is missing."""
    odd = make_envelope(2, start_ns=make_envelope(2).start_ns + 1)
    batch = commit([carry(make_envelope(1)), carry(odd), carry(make_envelope(3))], rules, Memory(), store)
    assert batch.refused_by_code == {RefusalCode.OFF_GRID: 1}
    assert list(store.received("agra", "p1")[odd.epoch]) == [(1, 3)]
    kept = store.envelopes("agra", odd.start_ns - WINDOW_NS, odd.start_ns + 3 * WINDOW_NS)
    [report] = [envelope for envelope in kept if envelope.seq == 2]
    assert report.items[0].reason == "refused:off_grid"  # type: ignore[union-attr]


def test_the_last_report_of_each_probe_is_the_one_to_confirm(
    rules: Rules, store: SqliteStore, make_envelope: Callable[..., Envelope]
) -> None:
    """Duplicates included: whoever sends again has not understood yet."""
    commit([carry(make_envelope(1))], rules, Memory(), store)
    batch = commit([carry(make_envelope(1))], rules, Memory(), store)
    assert (batch.stored, batch.duplicates) == (0, 1)
    assert batch.newest["agra", "p1"].envelope.seq == 1


class Moody:
    """A store in front of a real one that refuses what it is told to refuse."""

    def __init__(self, inner: SqliteStore, error: Callable[[Sequence[Received]], Exception | None]) -> None:
        self._inner = inner
        self._error = error

    def append(self, reports: Sequence[Received]) -> list[Fate]:
        error = self._error(reports)
        if error is not None:
            raise error
        return self._inner.append(reports)


def test_one_report_that_the_store_cannot_take_does_not_hold_up_the_others(
    rules: Rules, store: SqliteStore, make_envelope: Callable[..., Envelope]
) -> None:
    """It is found by halves, refused by name, and its number accounted for."""

    def poisoned(reports: Sequence[Received]) -> Exception | None:
        bad = any(
            r.envelope.seq == 7 and r.envelope.items and r.envelope.items[0].path
            for r in reports
            if hasattr(r.envelope.items[0], "path")
        )  # type: ignore[union-attr]
        return ZeroDivisionError("seven") if bad else None

    batch = commit(
        [carry(make_envelope(seq)) for seq in range(1, 21)], rules, Memory(), Moody(store, poisoned)
    )  # type: ignore[arg-type]
    assert batch.refused_by_code == {RefusalCode.UNSTORABLE: 1}
    assert "seven" in batch.refused[0].detail
    assert list(store.received("agra", "p1")[make_envelope().epoch]) == [(1, 20)]
    assert len(store.latest()) == 1


def test_two_machines_with_a_copy_of_one_spool_are_noticed(
    rules: Rules, store: SqliteStore, make_envelope: Callable[..., Envelope]
) -> None:
    """Same epoch, same numbers, other reports: refused by name and kept for inspection, not taken for copies."""
    one = [make_envelope(seq) for seq in range(1, 6)]
    other = [make_envelope(seq, boot="boot-of-the-copy") for seq in range(3, 8)]
    assert commit([carry(e) for e in one], rules, Memory(), store).stored == 5
    batch = commit([carry(e) for e in (*other, one[0])], rules, Memory(), store)
    assert (batch.stored, batch.duplicates) == (2, 1)
    assert batch.refused_by_code == {RefusalCode.NUMBER_TWICE: 3}
    assert "copy of one spool" in batch.refused[0].detail
    assert list(store.received("agra", "p1")[make_envelope().epoch]) == [(1, 7)]
    assert ("agra", "p1") in batch.newest  # it is told all the same, or would send them for ever


@pytest.mark.parametrize("error", [StoreError("disk full"), OSError(28, "No space left on device")])
def test_a_store_that_cannot_write_now_is_no_report_s_fault(
    rules: Rules, store: SqliteStore, make_envelope: Callable[..., Envelope], error: Exception
) -> None:
    """The batch as a whole is to be tried again."""
    with pytest.raises(type(error)):
        commit([carry(make_envelope(1))], rules, Memory(), Moody(store, lambda _: error))  # type: ignore[arg-type]
    assert store.received("agra", "p1") == {}


def test_a_probe_with_a_wrong_clock_loses_nothing(
    rules: Rules, store: SqliteStore, make_envelope: Callable[..., Envelope]
) -> None:
    """Reports of 1970 are stored in the windows in which they were measured."""
    now_ns = make_envelope(1).start_ns
    messages = [
        Message(
            topic=f"{ROOT}/agra/p1/report",
            payload=encode(make_envelope(seq, start_ns=seq * WINDOW_NS)),
            received_ns=now_ns + seq * WINDOW_NS + 19_000_000_000,
            age_ms=900,
        )
        for seq in range(1, 6)
    ]
    batch = commit(messages, rules, Memory(), store)
    assert (batch.stored, batch.redated) == (5, 5)
    starts = [e.start_ns for e in store.envelopes("agra", now_ns - WINDOW_NS, now_ns + 10 * WINDOW_NS)]
    assert starts == [now_ns + seq * WINDOW_NS for seq in range(1, 6)]
