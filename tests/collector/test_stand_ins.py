"""What stands in for refused reports is bounded for a forger, and takes nothing from a probe whose clock was wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from collector.arrears import LEAST_BYTES, Arrears
from collector.commits import Memory, Rules, commit
from collector.crowding import MOST_REPORTS, Crowding
from collector.intake import Bounds
from collector.message import Message
from collector.outcome import RefusalCode
from telemetry.codec import encode
from telemetry.messages import Tombstone
from telemetry.store.protocol import Received, Selection
from telemetry.windows import DAY_NS, HOUR_NS, MS_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from collector.batch import Batch
    from config.live import LiveConfig
    from telemetry.messages import Envelope
    from telemetry.store.sqlite import SqliteStore

    Maker = Callable[..., Envelope]

ROOT = "tatpar/1"
HOUR = 1_790_000_000_000_000_000 // HOUR_NS * HOUR_NS
WEEK = 7 * DAY_NS // WINDOW_NS
"""Reports."""


@pytest.fixture
def rules(live: LiveConfig) -> Rules:
    return Rules(ROOT, live.current.registry, Bounds())


def carried(envelope: Envelope, at_ns: int, leaf: str = "backlog", age_ms: int | None = None) -> Message:
    topic = f"{ROOT}/{envelope.site}/{envelope.probe}/{leaf}"
    return Message(topic, encode(envelope), at_ns, age_ms=age_ms)


def off_grid(make_envelope: Maker, numbers: Iterable[int], at_ns: int = HOUR) -> list[Message]:
    odd = make_envelope(1, start_ns=HOUR + 1, items=())
    return [carried(msgspec.structs.replace(odd, seq=seq), at_ns) for seq in numbers]


def live_hour(make_envelope: Maker, first_seq: int) -> list[Message]:
    """All that a probe measures within the hour, each as it arrives."""
    starts = range(HOUR, HOUR + HOUR_NS, WINDOW_NS)
    return [
        carried(make_envelope(seq, start_ns=start), start + 18 * 10**9, "report")
        for seq, start in enumerate(starts, first_seq)
    ]


def folded(store: SqliteStore) -> None:
    while store.maintain(HOUR + 10 * HOUR_NS):
        pass


def test_a_forger_whose_reports_are_refused_adds_no_more_than_an_account_holds(
    rules: Rules, store: SqliteStore, make_envelope: Maker
) -> None:
    """Of 500 off the grid, with every other number: rows for 100; the others are refused for now and keep their numbers."""
    memory = Memory(arrears=Arrears(100 * LEAST_BYTES, 10 * LEAST_BYTES))
    flood = off_grid(make_envelope, range(1, 1001, 2))
    batch = commit(flood, rules, memory, store)
    assert batch.refused_by_code == {RefusalCode.OFF_GRID: 100, RefusalCode.CROWDED: 400}
    assert store.reports_in_hour("agra", "p1", HOUR) == (0, 100)
    assert store.received("agra", "p1")[make_envelope().epoch].top == 199
    an_hour_on = [Message(one.topic, one.payload, HOUR + HOUR_NS) for one in flood[100:]]
    assert commit(an_hour_on, rules, memory, store).refused_by_code[RefusalCode.OFF_GRID] == 10


def test_an_hour_has_so_many_stand_ins_however_often_we_restart(
    rules: Rules, store: SqliteStore, make_envelope: Maker
) -> None:
    """Whatever their dates; folding changes nothing; the next hour has room again; other probes have their own."""

    def memory() -> Memory:
        return Memory(crowding=Crowding(most_stand_ins=50))

    first = commit(off_grid(make_envelope, range(1, 101)), rules, memory(), store)
    assert first.refused_by_code == {RefusalCode.OFF_GRID: 50, RefusalCode.CROWDED: 50}
    assert "this one as off_grid" in first.refused[-1].detail
    assert commit(off_grid(make_envelope, range(101, 111)), rules, memory(), store).stored == 0
    folded(store)
    assert commit(off_grid(make_envelope, range(101, 111)), rules, memory(), store).stored == 0
    assert (
        commit(off_grid(make_envelope, range(51, 101), HOUR + HOUR_NS), rules, memory(), store).stored == 50
    )
    other = make_envelope(1, site="meerut", start_ns=HOUR + 1)
    assert commit([carried(other, HOUR)], rules, memory(), store).stored == 1


def test_a_week_of_a_wrong_clock_is_accounted_for_and_shown(
    rules: Rules, store: SqliteStore, make_envelope: Maker
) -> None:
    """Measured in 1970 before a restart, so that all that is known of its age is by real time: refused as `clock`, each with its number."""
    wrong = make_envelope(1, items=())
    week = [
        carried(
            msgspec.structs.replace(wrong, seq=seq, start_ns=seq * WINDOW_NS),
            HOUR + seq * MS_NS,
            age_ms=(HOUR - seq * WINDOW_NS) // MS_NS,
        )
        for seq in range(1, WEEK + 1)
    ]
    batch = commit(week, rules, Memory(), store)
    assert batch.refused_by_code == {RefusalCode.CLOCK: WEEK}
    assert list(store.received("agra", "p1")[wrong.epoch]) == [(1, WEEK)]
    shown = [one.item for one in store.items("tombstone", Selection(start_ns=HOUR, end_ns=HOUR + HOUR_NS))]
    assert [(one.first_seq, one.last_seq) for one in shown] == [(seq, seq) for seq in range(1, WEEK + 1)]
    assert {one.reason for one in shown} == {"refused:clock"}


@pytest.mark.parametrize("restarts", [False, True])
def test_refused_reports_take_no_room_from_what_is_measured_meanwhile(
    rules: Rules, store: SqliteStore, make_envelope: Maker, *, restarts: bool
) -> None:
    """Twenty before each live one, ten times what an hour may have: it is stored whole, the last twenty are the next one's."""
    memory, batches, refused = Memory(), [], 0
    for live in live_hour(make_envelope, 10_001):
        numbers = range(refused + 1, refused + 21)
        batches.append(
            commit([*off_grid(make_envelope, numbers, live.received_ns), live], rules, memory, store)
        )
        refused += 20
        memory = Memory() if restarts else memory
    assert refused > MOST_REPORTS
    assert _crowded(batches) == 0
    assert store.reports_in_hour("agra", "p1", HOUR) == (240, refused - 20)
    assert len(store.streams(Selection(start_ns=HOUR, end_ns=HOUR + HOUR_NS))) == 240
    folded(store)
    assert store.reports_in_hour("agra", "p1", HOUR) == (240, refused - 20)
    late = make_envelope(20_000, start_ns=HOUR)
    assert commit([carried(late, HOUR + HOUR_NS)], rules, Memory(), store).stored == 1


def _crowded(batches: list[Batch]) -> int:
    return sum(batch.refused_by_code[RefusalCode.CROWDED] for batch in batches)


def test_a_report_that_brings_tombstones_along_is_a_report(
    rules: Rules, store: SqliteStore, make_envelope: Maker, make_stream: Callable[..., Any]
) -> None:
    """Else a forger, who adds one to each, would have a new hour after each restart."""
    stone = Tombstone(first_seq=1, last_seq=1, from_ns=HOUR, until_ns=HOUR, reason="refused:clock")
    both = make_envelope(2, start_ns=HOUR, items=(stone, make_stream()))
    store.append([Received(both, HOUR + WINDOW_NS)])
    commit(off_grid(make_envelope, [3]), rules, Memory(), store)
    assert store.reports_in_hour("agra", "p1", HOUR) == (1, 1)
    folded(store)
    assert store.reports_in_hour("agra", "p1", HOUR) == (1, 1)


@pytest.mark.server
async def test_a_restart_is_no_new_account(
    hub: Any,
    eventually: Callable[..., Awaitable[None]],
    make_envelope: Maker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A forger who waits for a restart of the collector, or brings one about, finds his account as he left it."""
    monkeypatch.setattr(
        "collector.committer.Memory", lambda: Memory(arrears=Arrears(5 * LEAST_BYTES, LEAST_BYTES // 10))
    )
    async with hub.office() as agra:
        async with hub.collecting() as collector:
            for seq in range(1, 7):
                await agra.report(make_envelope(seq, items=()))
            await eventually(lambda: collector.counters.refused["crowded"] == 1)
            await eventually(lambda: hub.state.beats()["collector"].detail["arrears"])
        async with hub.collecting() as collector:
            await agra.report(make_envelope(6, items=()))
            await eventually(lambda: collector.counters.refused["crowded"] == 1)
            assert collector.counters.stored == 0
