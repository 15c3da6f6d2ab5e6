"""No probe can date more reports into an hour than can be folded, whoever asks and however often we restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from collector.commits import Memory, Rules, commit
from collector.crowding import MOST_BYTES, MOST_REPORTS, Crowding
from collector.intake import Bounds
from collector.message import Message
from collector.outcome import RefusalCode
from telemetry.codec import encode
from telemetry.store.errors import StoreError
from telemetry.windows import HOUR_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.live import LiveConfig
    from telemetry.messages import Envelope
    from telemetry.store.sqlite import SqliteStore

ROOT = "tatpar/1"


@pytest.fixture
def rules(live: LiveConfig) -> Rules:
    return Rules(ROOT, live.current.registry, Bounds())


def carried(envelope: Envelope) -> Message:
    topic = f"{ROOT}/{envelope.site}/{envelope.probe}/report"
    return Message(topic, encode(envelope), envelope.start_ns + 20 * 10**9)


def test_a_forged_hour_is_full_and_stays_full(
    rules: Rules, store: SqliteStore, make_envelope: Callable[..., Envelope]
) -> None:
    """Of 720 reports of one window 480 are taken; the others wait at their owner's, and a restart or folding changes nothing."""
    first = make_envelope(1)
    flood = [carried(msgspec.structs.replace(first, seq=seq)) for seq in range(1, 721)]
    memory = Memory()
    batches = [commit(flood[i : i + 240], rules, memory, store) for i in range(0, 720, 240)]
    assert sum(batch.stored for batch in batches) == MOST_REPORTS
    assert sum(batch.refused_by_code[RefusalCode.CROWDED] for batch in batches) == 240
    assert list(store.received(first.site, first.probe)[first.epoch]) == [(1, MOST_REPORTS)]
    hour_ns = first.start_ns - first.start_ns % HOUR_NS
    assert store.reports_in_hour(first.site, first.probe, hour_ns) == (MOST_REPORTS, 0)
    while store.maintain(hour_ns + 10 * HOUR_NS):
        pass
    assert store.reports_in_hour(first.site, first.probe, hour_ns) == (MOST_REPORTS, 0)
    assert store.reports_in_hour(first.site, "p2", hour_ns) == (0, 0)
    again = commit(flood[480:490], rules, Memory(), store)
    assert (again.stored, again.refused_by_code) == (0, {RefusalCode.CROWDED: 10})


def test_others_and_other_hours_have_room(
    rules: Rules, store: SqliteStore, make_envelope: Callable[..., Envelope]
) -> None:
    memory, one = Memory(), make_envelope(1)
    flood = [carried(msgspec.structs.replace(one, seq=seq)) for seq in range(1, MOST_REPORTS + 2)]
    commit(flood, rules, memory, store)
    next_hour = msgspec.structs.replace(one, seq=5000, start_ns=one.start_ns + HOUR_NS)
    other = make_envelope(1, site="meerut")
    assert commit([carried(next_hour), carried(other)], rules, memory, store).stored == 2


def test_large_reports_fill_an_hour_by_their_bytes(make_envelope: Callable[..., Envelope]) -> None:
    crowding, one = Crowding(), make_envelope(1)
    message = Message("x", b"x" * 250_000, 0)
    told = [crowding.objection(one, message, None) for _ in range(100)]
    assert sum(each is None for each in told) == MOST_BYTES // 250_000
    assert told[-1] is not None
    assert told[-1].envelope is None  # not accounted for: a tombstone would be a row, too


def test_a_true_hour_is_taken_whole_whatever_the_store_says(
    rules: Rules, store: SqliteStore, make_envelope: Callable[..., Envelope], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that cannot say how full an hour is keeps nobody out."""

    def fail(*_: object) -> int:
        raise StoreError("locked")

    monkeypatch.setattr(store, "reports_in_hour", fail)
    base = make_envelope(1)
    hour_ns = base.start_ns - base.start_ns % HOUR_NS
    hour = [
        carried(msgspec.structs.replace(base, seq=seq + 1, start_ns=hour_ns + seq * WINDOW_NS))
        for seq in range(240)
    ]
    assert commit(hour, rules, Memory(), store).stored == 240
