"""The inbox shared: sites in turn, live before backlog, a flood refused for now and lost to nobody."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from collector.commits import Memory, Rules, commit
from collector.inbox import Admission, Fairness, Inbox
from collector.intake import Bounds
from collector.lanes import STRANGERS, Lane, Lanes, Rank
from collector.message import Message
from collector.quota import EVERYONE_ELSE, Deferrals, Quota
from collector.round_robin import RoundRobin
from config.sites import Registry
from probes.publishing.send_queue import SendQueue
from telemetry.codec import encode
from telemetry.intervals import IntervalSet

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from config.live import LiveConfig
    from telemetry.messages import Envelope
    from telemetry.store.sqlite import SqliteStore

    Maker = Callable[..., Envelope]

ROOT = "tatpar/1"
SECOND = 1_000_000_000


def message(site: str = "agra", leaf: str = "report", payload: bytes = b"x" * 10) -> Message:
    return Message(topic=f"{ROOT}/{site}/p1/{leaf}", payload=payload, received_ns=0)


def by_topic(topic: str) -> Lane:
    """The lane of a topic whose site is always ours."""
    site, _, leaf = topic.removeprefix(ROOT + "/").split("/")
    return Lane(site, {"report": Rank.LIVE, "backlog": Rank.BACKLOG}.get(leaf, Rank.CONTROL))


def inbox(messages: int = 10_000, quota: Quota | None = None, share: float = 0.2) -> Inbox:
    return Inbox(messages, 10**9, Fairness(by_topic, quota, share))


def sites(taken: list[Message]) -> list[str]:
    return [one.topic.split("/")[2] for one in taken]


def leaves(taken: list[Message]) -> Counter[str]:
    return Counter(one.topic.rsplit("/", 1)[1] for one in taken)


async def test_sites_take_turns_within_a_rank() -> None:
    """One site's five hundred do not go before another's first; each site's own order is kept."""
    box = inbox()
    for i in range(500):
        box.put(message("agra", payload=b"%d" % i))
    box.put(message("meerut"))
    box.put(message("unnao"))
    taken = await box.take(6, 0.0)
    assert sites(taken) == ["agra", "meerut", "unnao", "agra", "agra", "agra"]
    assert [int(one.payload) for one in taken if "agra" in one.topic] == [0, 1, 2, 3]


async def test_live_reports_go_before_the_backlog_which_keeps_its_share() -> None:
    """While both wait, a batch of 100 holds 80 live reports and 20 of the backlog; alone, either fills it."""
    box = inbox()
    for _ in range(1000):
        box.put(message(leaf="backlog"))
    for _ in range(200):
        box.put(message())
    assert leaves(await box.take(100, 0.0)) == {"report": 80, "backlog": 20}
    assert leaves(await box.take(100, 0.0)) == {"report": 80, "backlog": 20}
    assert leaves(await box.take(100, 0.0)) == {"report": 40, "backlog": 60}
    assert leaves(await box.take(100, 0.0)) == {"backlog": 100}


async def test_batches_of_one_starve_neither_rank() -> None:
    """The share is carried on in fractions: of fifty single reports ten are of the backlog."""
    box = inbox()
    for _ in range(100):
        box.put(message(leaf="backlog"))
        box.put(message())
    drawn = [one for _ in range(50) for one in await box.take(1, 0.0)]
    assert leaves(drawn) == {"report": 40, "backlog": 10}


async def test_presence_goes_first_but_a_flood_of_it_does_not() -> None:
    """Control messages have the first tenth of a batch and what others leave."""
    box = inbox()
    for _ in range(100):
        box.put(message(leaf="presence"))
        box.put(message())
    taken = await box.take(100, 0.0)
    assert leaves(taken) == {"presence": 10, "report": 90}
    assert taken[0].topic.endswith("presence")
    assert leaves(await box.take(200, 0.0)) == {"presence": 90, "report": 10}


async def test_a_batch_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is taken once a batch holds its bytes; the message that passes the bound still belongs to it."""
    monkeypatch.setattr("collector.inbox.BATCH_BYTES", 1000)
    box = inbox()
    for _ in range(10):
        box.put(message(payload=b"x" * 400))
    assert [len(await box.take(100, 0.0)) for _ in range(4)] == [3, 3, 3, 1]


def test_a_flood_is_held_while_there_is_room_and_refused_when_it_crowds_the_others() -> None:
    """Up to half of the inbox one site may have; above that its quota counts, and only its own messages are refused."""
    box = inbox(100, Quota(10, 10**6))
    fates = Counter(box.put(message("agra")) for _ in range(500))
    assert fates == {Admission.TAKEN: 51, Admission.DEFERRED: 449}
    assert not box.full
    assert Counter(box.put(message("meerut")) for _ in range(12)) == {
        Admission.TAKEN: 10,
        Admission.DEFERRED: 2,
    }
    assert box.deferrals.by_site == {"agra": 449, "meerut": 2}
    assert box.detail()["deferred"] == 451


def test_a_backlog_over_its_quota_does_not_refuse_the_same_sites_live_reports() -> None:
    """Each rank has its own quota."""
    box = inbox(100, Quota(10, 10**6))
    for _ in range(60):
        box.put(message(leaf="backlog"))
    assert box.put(message(leaf="backlog")) is Admission.DEFERRED
    assert box.put(message()) is Admission.TAKEN
    assert box.put(message(leaf="presence")) is Admission.TAKEN


def test_a_quota_counts_bytes_too() -> None:
    """A few great messages crowd like many small ones."""
    box = inbox(10, Quota(1000, 500))
    fates = [box.put(message(payload=b"x" * 200)) for _ in range(10)]
    assert fates.count(Admission.TAKEN) == 6


def test_a_flood_is_said_when_it_begins_and_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    """Hundreds refused make two lines: the second when nothing was refused for a minute."""
    now_s = 0.0
    deferrals = Deferrals(lambda: now_s)
    for _ in range(300):
        deferrals.note("agra")
        now_s += 1.0
        deferrals.look()
    assert deferrals.sites == ("agra",)
    now_s += 60.0
    deferrals.look()
    assert deferrals.sites == ()
    assert [record.getMessage() for record in caplog.records] == [
        "site agra sends more than its share while the inbox is crowded; refused for now, its probes send it again",
        "site agra is within its share again; 300 messages were refused for now",
    ]


def test_the_table_of_refused_sites_is_bounded() -> None:
    """However many sites are refused, at most a thousand have a line of their own."""
    deferrals = Deferrals()
    for i in range(3000):
        deferrals.note(f"site-{i}")
    assert (deferrals.total, len(deferrals.by_site), deferrals.by_site[EVERYONE_ELSE]) == (3000, 1001, 2000)
    assert len(deferrals.sites) == 1001


def test_forged_sites_share_one_lane(live: LiveConfig) -> None:
    """Whatever names no linked site of ours waits in one queue, whose flood refuses itself alone."""
    lanes = Lanes(ROOT, lambda: live.current.registry)
    box = Inbox(100, 10**9, Fairness(lanes.of, Quota(10, 10**6)))
    forged = ["nowhere", "unnao", "../agra", *(f"site-{i}" for i in range(400))]
    for site in forged:
        box.put(message(site))
    box.put(Message(topic="other/agra/p1/report", payload=b"", received_ns=0))
    assert set(box.deferrals.by_site) == {STRANGERS}
    assert box.deferrals.total == len(forged) + 1 - 51
    assert [box.put(message(site)) for site in ("agra", "meerut")] == [Admission.TAKEN] * 2


def test_lanes_follow_the_list_of_sites(live: LiveConfig) -> None:
    """A site that is added or linked while we run gets a lane of its own."""
    registry = live.current.registry
    lanes = Lanes(ROOT, lambda: registry)
    assert lanes.of(f"{ROOT}/agra/p1/report") == Lane("agra", Rank.LIVE)
    assert lanes.of(f"{ROOT}/agra/p1/backlog") == Lane("agra", Rank.BACKLOG)
    assert lanes.of(f"{ROOT}/agra/p1/presence") == Lane("agra", Rank.CONTROL)
    assert lanes.of(f"{ROOT}/unnao/p1/report").site == STRANGERS
    linked = registry.by_id["agra"]
    registry = Registry(registry.sites, {**registry.by_id, "unnao": linked})
    assert lanes.of(f"{ROOT}/unnao/p1/report") == Lane("unnao", Rank.LIVE)


def test_round_robin_costs_the_same_with_one_site_and_with_thousands() -> None:
    """Work counted, not timed: whatever the number of sites, a taken message moves one turn."""
    ring = RoundRobin()
    for i in range(5000):
        ring.put(f"site-{i}", message(f"site-{i}"))
    assert sites(ring.take(3, 10**9)) == ["site-0", "site-1", "site-2"]
    assert len(ring) == 4997
    assert ring.held("site-0") == (0, 0)
    assert ring.held("site-3") == (1, message("site-3").size)


async def test_a_flood_delays_nobody_else_and_loses_nothing_in_the_end(
    live: LiveConfig, store: SqliteStore, make_envelope: Maker
) -> None:
    """Agra floods: Meerut's report heads the next batch all the same, and Agra's refused ones come again and are stored."""
    lanes = Lanes(ROOT, lambda: live.current.registry)
    box = Inbox(200, 10**9, Fairness(lanes.of, Quota(50, 10**8)))
    rules, memory = Rules(ROOT, live.current.registry, Bounds()), Memory()
    queue, total, now_ns = SendQueue(), 900, 0
    queue.reconcile(IntervalSet([(1, total)]))
    epoch, meerut = make_envelope().epoch, 0
    while True:
        while (seq := queue.next_backlog(now_ns)) is not None:
            box.put(_reported(make_envelope(seq)))
            queue.sent(seq, now_ns)
        meerut += 1
        assert box.put(_reported(make_envelope(meerut, site="meerut"))) is Admission.TAKEN
        first = await box.take(100, 0.0)
        assert "meerut" in sites(first)[:2]
        _settle(box, first, rules, memory, store)
        while box.messages:
            _settle(box, await box.take(100, 0.0), rules, memory, store)
        stored = store.received("agra", "p1")[epoch]
        queue.stored(stored.top or 0, IntervalSet(stored.holes(1, stored.top or 0)))
        if len(stored) == total:
            break
        wake_ns = queue.wake_ns(now_ns)
        assert wake_ns is not None
        assert wake_ns - now_ns <= 900 * SECOND
        now_ns = wake_ns
    assert list(store.received("agra", "p1")[epoch]) == [(1, total)]
    assert list(store.received("meerut", "p1")[epoch]) == [(1, meerut)]
    assert meerut > 2  # it took more than one round: some were refused, and came again
    assert box.deferrals.by_site["agra"] > 100
    assert set(box.deferrals.by_site) == {"agra"}
    rows = store._connection.execute("SELECT count(*), count(DISTINCT seq) FROM report WHERE site = 'agra'")
    assert rows.fetchone() == (total, total)
    assert queue.awaiting == 0


def _reported(envelope: Envelope) -> Message:
    made = message(envelope.site, payload=encode(envelope))
    return replace(made, received_ns=envelope.start_ns + 20 * SECOND)


def _settle(box: Inbox, taken: list[Message], rules: Rules, memory: Memory, store: SqliteStore) -> None:
    batch = commit(taken, rules, memory, store)
    assert not batch.refused
    box.settle(taken)
