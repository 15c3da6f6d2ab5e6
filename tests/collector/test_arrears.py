"""A month of spool gets through at once; what nobody can have made does not, whatever it is dated."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec
import pytest

from collector.arrears import FULL_SPOOL_BYTES, LEAST_BYTES, MADE_IN_AN_HOUR, Arrears
from collector.commits import Memory, Rules, commit
from collector.intake import Bounds
from collector.message import Message
from collector.outcome import RefusalCode
from telemetry.codec import encode
from telemetry.messages import Opaque
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS, WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.live import LiveConfig
    from telemetry.messages import Envelope
    from telemetry.store.sqlite import SqliteStore

ROOT = "tatpar/1"
NOW = window_start(1_790_000_000_000_000_000)
MONTH = 30 * DAY_NS // WINDOW_NS
"""Windows, so many reports."""


@pytest.fixture
def rules(live: LiveConfig) -> Rules:
    return Rules(ROOT, live.current.registry, Bounds())


def arriving(size: int, at_ns: int = NOW) -> Message:
    return Message("x", b"x" * size, at_ns)


def carried(envelope: Envelope, *, age_ms: int | None = None, leaf: str = "backlog") -> Message:
    topic = f"{ROOT}/{envelope.site}/{envelope.probe}/{leaf}"
    return Message(topic, encode(envelope), NOW, age_ms=age_ms)


def test_a_full_spool_and_all_that_is_made_meanwhile_get_through(
    make_envelope: Callable[..., Envelope],
) -> None:
    """A month of the largest reports that a spool takes, in one minute, with live ones of a busy office beside it for a day."""
    arrears, one = Arrears(), make_envelope(1)
    month = arriving(FULL_SPOOL_BYTES // MONTH)
    assert not any(arrears.objection(one, month) for _ in range(MONTH))
    windows = DAY_NS // WINDOW_NS
    made = MADE_IN_AN_HOUR * WINDOW_NS // HOUR_NS
    told = [arrears.objection(one, arriving(made, NOW + i * WINDOW_NS)) for i in range(1, windows + 1)]
    assert not any(told)


def test_what_nobody_can_have_made_is_refused_until_it_can(make_envelope: Callable[..., Envelope]) -> None:
    """Above a full spool, an hour of arrivals has room for an hour of the fullest reports; other probes have their own."""
    arrears, one = Arrears(), make_envelope(1)
    large = arriving(250_000)
    told = [arrears.objection(one, large) for _ in range(5_000)]
    assert sum(each is None for each in told) == FULL_SPOOL_BYTES // 250_000
    last = told[-1]
    assert last is not None
    assert (last.code, last.envelope) == (RefusalCode.CROWDED, None)  # not accounted for: its owner keeps it
    assert arrears.objection(make_envelope(1, site="meerut"), large) is None
    later = [arrears.objection(one, arriving(250_000, NOW + HOUR_NS)) for _ in range(100)]
    assert sum(each is None for each in later) == MADE_IN_AN_HOUR // 250_000


def test_many_small_steps_of_time_earn_as_much_as_one(make_envelope: Callable[..., Envelope]) -> None:
    """A microsecond earns less than an octet, and a clock that is set back takes nothing away."""
    arrears, one = Arrears(most_bytes=LEAST_BYTES, bytes_an_hour=3600), make_envelope(1)
    assert arrears.objection(one, arriving(LEAST_BYTES)) is None
    for step in range(1, 1001):
        assert arrears.objection(one, arriving(1, NOW + step * 10**6)) is not None
    thousand_s = NOW + 1000 * SECOND_NS
    assert arrears.objection(one, arriving(1, thousand_s - SECOND_NS)) is not None
    assert arrears.objection(one, arriving(1, thousand_s)) is None
    assert arrears.objection(one, arriving(1, NOW - HOUR_NS)) is not None
    assert arrears.objection(one, arriving(LEAST_BYTES, NOW + HOUR_NS)) is None


def test_an_empty_report_counts_as_what_its_number_takes_on_the_disk(
    make_envelope: Callable[..., Envelope],
) -> None:
    arrears, one = Arrears(most_bytes=10 * LEAST_BYTES, bytes_an_hour=0), make_envelope(1)
    told = [arrears.objection(one, arriving(1)) for _ in range(20)]
    assert sum(each is None for each in told) == 10


def test_accounts_that_are_far_from_full_are_handed_over(make_envelope: Callable[..., Envelope]) -> None:
    """As plain JSON; one that lacks less than an hour's worth need not be told, the emptiest of several tellings counts, and a damaged telling is none."""
    before, agra, meerut = Arrears(9_000, 3_600), make_envelope(1), make_envelope(1, site="meerut")
    assert before.objection(agra, arriving(8_000)) is None
    assert before.objection(meerut, arriving(4_500)) is None
    told = before.handover(NOW + 1000 * SECOND_NS)
    assert told == [("agra", "p1", 1_000, NOW)]
    after = Arrears(9_000, 3_600)
    plain = msgspec.json.decode(msgspec.json.encode(told))
    after.take_over([None, plain, [["agra", "p1", 5_000, NOW]], [["agra"]], {"agra": 1}])
    assert after.objection(agra, arriving(2_001, NOW + 1000 * SECOND_NS)) is not None
    assert after.objection(agra, arriving(2_000, NOW + 1000 * SECOND_NS)) is None
    assert after.objection(meerut, arriving(9_000)) is None


def test_a_forger_who_dates_into_every_hour_is_stopped_at_the_store(
    rules: Rules, store: SqliteStore, make_envelope: Callable[..., Envelope]
) -> None:
    """No hour is crowded, and still no more is stored than the account holds; what was refused comes again when it has grown."""
    junk = Opaque(msgspec.json.encode({"type": "zz", "d": os.urandom(5_000).hex()}), "unknown")
    first = make_envelope(1)
    flood = [
        carried(msgspec.structs.replace(first, seq=i, start_ns=NOW - i * HOUR_NS, items=(junk,)))
        for i in range(1, 101)
    ]
    size = len(flood[0].payload)
    memory = Memory(arrears=Arrears(most_bytes=40 * size + size // 2, bytes_an_hour=10 * size + size // 2))
    batch = commit(flood, rules, memory, store)
    assert (batch.stored, batch.refused_by_code) == (40, {RefusalCode.CROWDED: 60})
    assert list(store.received(first.site, first.probe)[first.epoch]) == [(1, 40)]
    an_hour_on = [Message(one.topic, one.payload, NOW + HOUR_NS) for one in flood[40:]]
    assert commit(an_hour_on, rules, memory, store).stored == 10


def test_a_date_from_before_anything_we_keep_is_refused_with_its_number(
    rules: Rules, store: SqliteStore, make_envelope: Callable[..., Envelope]
) -> None:
    """Of 1976 by its age, as of 100 days ago: refused as `clock`, accounted for, nothing of it is stored; 80 days ago is taken."""
    day_ms = DAY_NS // 10**6
    ages = [50 * 365, 100, 80]
    batch = commit(
        [
            carried(make_envelope(i, start_ns=i * WINDOW_NS), age_ms=age * day_ms)
            for i, age in enumerate(ages, 1)
        ],
        rules,
        Memory(),
        store,
    )
    assert batch.refused_by_code == {RefusalCode.CLOCK: 2}
    assert [one.detail for one in batch.refused] == [
        f"by its age it is {age} days old; reports are taken up to 90 days back" for age in ages[:2]
    ]
    assert batch.redated == 1
    one = make_envelope(1)
    assert list(store.received(one.site, one.probe)[one.epoch]) == [(1, 3)]


def test_a_spool_of_a_wrong_clock_gets_through_where_little_is_kept(
    live: LiveConfig, store: SqliteStore, make_envelope: Callable[..., Envelope]
) -> None:
    """With raw reports kept for a week, a month that an office held back while it thought that it was 1970."""
    rules = Rules(ROOT, live.current.registry, Bounds(behind_ns=7 * DAY_NS))
    spool = [
        carried(make_envelope(i, start_ns=i * DAY_NS), age_ms=(31 - i) * DAY_NS // 10**6)
        for i in range(1, 31)
    ]
    assert commit(spool, rules, Memory(), store).stored == 30
