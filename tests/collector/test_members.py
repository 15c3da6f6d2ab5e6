"""Several collectors on one hub: what only one may do is done by one, also when another takes over."""

from __future__ import annotations

import asyncio
from dataclasses import replace as replaced
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from collector import beat
from collector import presence as presences
from collector.batch import Batch
from collector.beat import GROUP, VANISH_NS, Heart
from collector.ground import Ground
from collector.holes import HANDED_OVER, HoleWatch, handover_of
from collector.leading import Leading
from collector.message import Message
from collector.mqtt import Membership
from collector.notes import SOCKET, NoteBox, NotePad
from collector.presence import Attendance
from collector.seat import Seat
from telemetry.clock import ManualClock
from telemetry.codec import decode_control
from telemetry.control import Plan, Stored
from telemetry.intervals import IntervalSet
from telemetry.store.protocol import Received
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from collector.service import Collector
    from telemetry.messages import Envelope
    from telemetry.state.db import StateDb
    from telemetry.store.sqlite import SqliteStore

    Eventually = Callable[..., Awaitable[None]]
    Maker = Callable[..., Envelope]


def member() -> dict[str, Membership]:
    return {"membership": Membership.member()}


def hurried(hub: Any, confirm_s: float = 0.2) -> None:
    """Confirmations follow quickly."""
    config = hub.live.current
    settings = replace(config.settings.collector, confirm_s=confirm_s)
    hub.live._current = replace(config, settings=replace(config.settings, collector=settings))


def leads(collector: Collector) -> bool:
    return bool(collector.detail()["leads"])


async def test_presence_answers_and_their_refusals_are_taken_once(
    killable_hub: Any, eventually: Eventually
) -> None:
    """Every member receives them; the leader alone counts and writes them down."""
    async with killable_hub.collecting(**member()) as one, killable_hub.office() as agra:
        await eventually(lambda: leads(one))
        async with killable_hub.collecting(**member()) as two:
            for leaf, payload in (
                ("presence", b'{"online":true,"since_ns":7}'),
                ("presence", b"no presence"),
                ("answer", b'{"ok":true}'),
            ):
                await agra.client.publish(f"tatpar/1/agra/p1/{leaf}", payload, qos=1)
            await eventually(lambda: two._attendance._said)
            await eventually(lambda: one.counters.answers == 1)
            assert (one.counters.presences, two.counters.presences) == (1, 0)
            assert two.counters.answers == 0
            assert (one.counters.refused, two.counters.refused) == ({"malformed": 1}, {})
            await eventually(lambda: len(killable_hub.state.quarantined(10)) == 1)


async def test_a_new_leader_writes_down_what_the_one_before_did_not(
    killable_hub: Any, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last word of each probe is remembered by all, so none is lost with the leader."""

    async def died_before_writing(*_: object) -> None:
        return

    async with killable_hub.collecting(**member()) as two, killable_hub.collecting(**member()) as one:
        await eventually(lambda: leads(one) or leads(two))
        leader, other = (one, two) if leads(one) else (two, one)
        monkeypatch.setattr(leader._attendance, "_put", died_before_writing)
        async with killable_hub.office() as agra:
            await agra.client.publish("tatpar/1/agra/p1/presence", b'{"online":false,"since_ns":9}', qos=1)
            await eventually(lambda: other._attendance._said and leader.counters.presences == 1)
        assert killable_hub.state.presence() == {}
        leader._ground.leading.resign()
        leader.stop()
        await eventually(lambda: leads(other))
        await eventually(lambda: ("agra", "p1") in killable_hub.state.presence())


async def test_a_probe_whose_reports_came_to_another_than_the_leader_is_told_by_the_leader(
    killable_hub: Any, eventually: Eventually, make_envelope: Maker
) -> None:
    """Also when they came only as duplicates; what is said never goes backwards, and one alone says it."""
    hurried(killable_hub)
    async with killable_hub.collecting(**member()) as one, killable_hub.office() as agra:
        await eventually(lambda: leads(one))
        async with killable_hub.collecting(**member()) as two:
            for seq in range(1, 41):
                await agra.report(make_envelope(seq))
            await eventually(lambda: agra.on("stored"))
            await eventually(lambda: decode_control(agra.on("stored")[-1], Stored).through == 40)
            assert min(one.counters.stored, two.counters.stored) > 0
            await asyncio.sleep(0)
            said = len(agra.on("stored"))
            for seq in range(1, 41):
                await agra.report(make_envelope(seq))
            await eventually(lambda: one.counters.duplicates + two.counters.duplicates == 40)
            assert two.counters.duplicates > 0
            await eventually(lambda: len(agra.on("stored")) > said)
            told = [decode_control(payload, Stored).through for payload in agra.on("stored")]
            assert told == sorted(told)
            assert two.counters.confirmations == 0


async def test_holes_are_counted_once_and_on_through_a_change_of_leader(
    killable_hub: Any, eventually: Eventually, make_envelope: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three reports missing under one leader, filled under the next: noticed 3, filled 3. Overtaking is no hole."""
    hurried(killable_hub)
    monkeypatch.setattr(beat, "BEAT_S", 0.2)

    def group() -> dict[str, Any]:
        beats = killable_hub.state.beats()
        return dict(beats[GROUP].detail) if GROUP in beats else {}

    async with (
        killable_hub.office() as agra,
        killable_hub.collecting(**member()) as two,
        killable_hub.collecting(**member()) as one,
    ):
        await eventually(lambda: leads(one) or leads(two))
        leader, other = (one, two) if leads(one) else (two, one)
        for seq in (1, 2, 6, 7, 8, 9):
            await agra.report(make_envelope(seq))
        await eventually(lambda: agra.on("stored"))
        await eventually(lambda: decode_control(agra.on("stored")[-1], Stored).through == 9)
        await agra.report(make_envelope(10))  # missing at the next look, too
        await eventually(lambda: group().get("holes_open") == 3)
        assert (group()["holes_noticed"], group()["holes_by_site"]) == (3, {"agra": 3})
        leader.stop()
        await eventually(lambda: leads(other))
        await eventually(lambda: group().get("leader") == other._heart._role)
        assert (group()["holes_noticed"], group()["holes_open"]) == (3, 3)
        for seq in (3, 4, 5):
            await agra.report(make_envelope(seq))
        await eventually(lambda: group()["holes_open"] == 0)
        assert (group()["holes_noticed"], group()["holes_filled"]) == (3, 3)
        await eventually(lambda: leader._heart._role not in killable_hub.state.beats())  # it left in order


async def test_a_member_that_is_told_to_end_leaves_nothing_unacknowledged(
    killable_hub: Any, eventually: Eventually, make_envelope: Maker
) -> None:
    """In mid-flow: every report is stored, and none has to be delivered again."""
    async with killable_hub.collecting(**member()) as one, killable_hub.office() as agra:
        async with killable_hub.collecting(**member()) as two:
            for seq in range(1, 401):
                await agra.report(make_envelope(seq))
                if seq == 200:
                    two.stop()
            await eventually(lambda: one.counters.stored + two.counters.stored == 400)
        for seq in range(401, 421):
            await agra.report(make_envelope(seq))
        await eventually(lambda: one.counters.stored + two.counters.stored == 420)
        assert two.counters.stored > 0
        assert one.counters.duplicates + two.counters.duplicates == 0
    assert list(killable_hub.store.received("agra", "p1")[make_envelope().epoch]) == [(1, 420)]


async def test_plans_are_said_by_the_leader_and_by_the_next_again(
    killable_hub: Any, eventually: Eventually, config_file: Path
) -> None:
    """Nobody says them twice at a time; a site that was dropped while nobody led loses its plan."""
    async with killable_hub.office() as agra:
        async with killable_hub.collecting(**member()) as one:
            await eventually(lambda: agra.on("plan") and agra.on("plan", "meerut"))
            async with killable_hub.collecting(**member()) as two:
                await eventually(lambda: two.bridge.connected)
                assert one.counters.plans == 2
                assert two.counters.plans == 0
        sites = config_file.parent / "sites.csv"
        sites.write_text(sites.read_text("utf-8").replace("77.71,linked", "77.71,planned"), encoding="utf-8")
        killable_hub.live.refresh()
        async with killable_hub.collecting(**member()):
            await eventually(lambda: agra.on("plan", "meerut")[-1] == b"")
            await eventually(lambda: len(agra.on("plan")) == 2)
        assert decode_control(agra.on("plan")[-1], Plan) == decode_control(agra.on("plan")[0], Plan)


# ------------------------------------------------------------------ the parts


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_800_000_000 * SECOND_NS, 5_000 * SECOND_NS)


@pytest.fixture
def ground(live: Any, store: SqliteStore, state: StateDb, clock: ManualClock, tmp_path: Path) -> Ground:
    leading = Leading(Seat(tmp_path))
    return Ground(live, store, state, clock, "tatpar/1", leading)


async def test_a_site_that_others_hear_is_not_silent(
    ground: Ground, make_envelope: Maker, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The leader asks the store before it calls a site silent; one that nobody hears is."""
    attendance = Attendance(ground)
    await attendance.recall()
    ground.leading.look(fit=True)
    clock.advance(300 * SECOND_NS)
    start_ns = clock.now_ns() - clock.now_ns() % (15 * SECOND_NS) - 30 * SECOND_NS
    ground.store.append([Received(make_envelope(1, start_ns=start_ns), clock.now_ns())])
    assert attendance.silence.overdue(*attendance._expected())
    assert await attendance._others_heard()
    attendance._look()
    assert [silent.site for silent in attendance.silence.silent] == ["meerut"]
    assert (
        not await attendance._others_heard()
    )  # not asked again at once: nobody is judged on what is not known
    monkeypatch.setattr(presences, "REREAD_S", 0.0)
    assert await attendance._others_heard()
    ground.leading.resign()
    ground.close()


def test_what_every_member_receives_is_not_counted_by_one_that_does_not_lead(ground: Ground) -> None:
    """Refused reports are its own; a refused presence is the leader's. The memory of last words is bounded."""
    from collector.outcome import RefusalCode, Refused, Said

    def refused(leaf: str) -> Refused:
        return Refused(RefusalCode.MALFORMED, "", Message(f"tatpar/1/agra/p1/{leaf}", b"", 0))

    attendance = Attendance(ground)
    batch = Batch(refused=[refused("report"), refused("backlog"), refused("presence"), refused("answer")])
    assert [one.message.topic[-6:] for one in attendance.ours(batch).refused] == ["report", "acklog"]
    words = [Said("agra", f"p{n}", None, n) for n in range(presences.REMEMBERED + 5)]
    assert attendance.ours(replaced(batch, said=words)).said == []
    assert len(attendance._said) == presences.REMEMBERED
    ground.close()


async def test_members_that_do_not_come_back_vanish(
    ground: Ground, state: StateDb, clock: ManualClock
) -> None:
    """The leader takes down the names of collectors that have been silent for minutes; other roles are not its business."""
    heart = Heart(ground, "collector-new", dict, dict)
    long_ago = clock.now_ns() - VANISH_NS - 1
    for role, at_ns in (
        ("collector-dead", long_ago),
        ("collector-late", long_ago + 2),
        ("collector", long_ago),
        ("watch", long_ago),
    ):
        state.beat(role, at_ns, {})
    await heart.beat()
    assert "collector-dead" in state.beats()  # it is the leader who tidies up
    ground.leading.look(fit=True)
    await heart.beat()
    assert set(state.beats()) == {"collector-new", "collector-late", GROUP, "watch"}
    assert state.beats()[GROUP].detail == {"leader": "collector-new"}
    await heart.leave()
    assert "collector-new" not in state.beats()
    ground.leading.resign()
    ground.close()


async def test_notes_reach_the_leader_of_the_moment(tmp_path: Path, eventually: Eventually) -> None:
    """However deep the folder lies; with nobody there, or a box that is full, they stay with their sender."""
    folder = tmp_path / ("deep" * 30) / ("deeper" * 30)
    folder.mkdir(parents=True)
    pad = NotePad(folder)
    notes = [(f"site-{n}", "p1", "0" * 16) for n in range(450)]
    assert not pad.is_new()
    assert pad.send(notes) == 0
    first: list[Any] = []
    box = NoteBox(folder, first.extend)
    assert pad.is_new()
    assert not pad.is_new()
    assert pad.send(notes) == 450
    await eventually(lambda: first == notes)
    second: list[Any] = []
    next_box = NoteBox(folder, second.extend)  # the first has not noticed yet
    assert pad.is_new()
    sent = 0
    while pad.send(notes) == 450:  # nobody reads: this test does not give the loop its turn
        sent += 450
    assert sent > 0
    await eventually(lambda: len(second) >= sent)
    assert len(first) == 450
    box.close()
    next_box.close()
    assert pad.send(notes) == 0
    pad.close()


async def test_a_garbled_note_is_counted(tmp_path: Path, eventually: Eventually) -> None:
    """Whatever is written to the socket, the leader goes on."""
    import socket as sockets

    taken: list[Any] = []
    box = NoteBox(tmp_path, taken.extend)
    sender: socket.socket = sockets.socket(sockets.AF_UNIX, sockets.SOCK_DGRAM)
    for junk in (b"", b"\xff\x00", b'[["a"]]', b'{"a": 1}'):
        sender.sendto(junk, str(tmp_path / SOCKET))
    await eventually(lambda: box.garbled == 4)
    sender.close()
    pad = NotePad(tmp_path)
    assert pad.send([("agra", "p1", "e")]) == 1
    await eventually(lambda: taken == [("agra", "p1", "e")])
    pad.close()
    box.close()


def test_hole_counts_go_on_where_the_leader_before_was() -> None:
    """Through plain JSON; what does not fit the bound is left out, what is no handover is none."""
    watch = HoleWatch()
    watch.look(("agra", "p1"), Stored(epoch="e" * 16, through=9, missing=((2, 4),)))
    watch.look(("meerut", "p1"), Stored(epoch="f" * 16, through=9))
    after = HoleWatch(handover_of(watch.handover().plain()))
    after.look(("agra", "p1"), Stored(epoch="e" * 16, through=9, missing=((3, 4), (8, 8))))
    assert (after.counts.noticed, after.counts.filled, after.open) == (4, 1, 3)
    many = HoleWatch()
    ranges = tuple((2 * n, 2 * n) for n in range(1, 401))
    for n in range(5):
        many.look((f"site-{n}", "p1"), Stored(epoch="e" * 16, through=900, missing=ranges))
    handed_over = many.handover()
    assert sum(len(row[3]) for row in handed_over.missing) <= HANDED_OVER
    assert HoleWatch(handed_over).counts.noticed == 2000
    patient = HoleWatch(patient=True)
    patient.look(("agra", "p1"), Stored(epoch="e" * 16, through=9, missing=((2, 4), (7, 7))))
    assert patient.open == 0
    patient.look(("agra", "p1"), Stored(epoch="e" * 16, through=12, missing=((3, 4), (10, 11))))
    assert (patient.counts.noticed, patient.counts.filled, patient.open) == (2, 0, 2)
    patient.look(("agra", "p1"), Stored(epoch="e" * 16, through=12))
    assert (patient.counts.noticed, patient.counts.filled, patient.open) == (2, 2, 0)
    assert handover_of({"counts": "many"}) is None
    assert handover_of(None) is None
    assert len(IntervalSet(handed_over.missing[0][3])) == 400
