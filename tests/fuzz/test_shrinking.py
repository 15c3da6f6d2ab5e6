"""The same questions asked by hypothesis, which shrinks what it finds to the smallest case."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from collector.broker.embedded.framing import Framer
from collector.broker.embedded.packets import V5, V311, parse
from collector.broker.embedded.reasons import PacketError
from collector.intake import examine
from collector.message import Message
from collector.outcome import Accepted, Misdated, Refused
from collector.redating import Redated, Redater
from probes.counters import Counters
from probes.publishing.connection import Incoming
from probes.publishing.inbox import Inbox
from probes.publishing.orders import Orders
from probes.publishing.presence import Identity
from probes.publishing.restart_reason import RestartReason
from probes.publishing.send_queue import SendQueue
from probes.publishing.spool import Made, Spool
from probes.workers import Workers
from telemetry import codec
from telemetry.clock import SystemClock
from telemetry.control import Answer, Command, Plan, Presence, Stored
from telemetry.store.ledger import Account, Hole
from telemetry.store.protocol import Received
from telemetry.windows import SECOND_NS, WINDOW_NS
from tests.fuzz.intake import LINKED, RECEIVED_NS, ROOT, SITE, T0, bases, topics
from tests.fuzz.mutator import Mutator
from tests.fuzz.oracle import rubbish

GOLDEN = codec.decode((Path(__file__).parents[1] / "telemetry" / "golden" / "stream.json").read_bytes())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = sorted(msgspec.to_builtins(GOLDEN)) + sorted(msgspec.to_builtins(GOLDEN.items[0]))


def must_be_one_line(error: Exception) -> None:
    """What the operator reads: something, in one line of bounded length."""
    assert str(error).isprintable()
    assert 0 < len(str(error)) <= 600


@given(JSON, st.sampled_from(FIELDS), st.booleans())
@settings(max_examples=600, deadline=None)
def test_any_json_value_in_any_field_is_understood_kept_aside_or_refused(
    value: Any, field: str, inner: bool
) -> None:
    """Whatever comes out of the codec is sound, and comes out the same when it is read again."""
    plain = msgspec.to_builtins(GOLDEN)
    (plain["items"][0] if inner else plain)[field] = value
    try:
        envelope = codec.decode(msgspec.json.encode(plain))
    except codec.MessageError as error:
        must_be_one_line(error)
        return
    if envelope.site == GOLDEN.site and envelope.start_ns == GOLDEN.start_ns:
        assert rubbish(Received(envelope, RECEIVED_NS), {GOLDEN.site}) == []
    assert codec.decode(codec.encode(envelope)) == envelope


@given(st.binary(max_size=200), st.sampled_from([Stored, Presence, Plan, Command, Answer]))
@settings(max_examples=400, deadline=None)
@example(b'"\xff"', Plan)
@example(b"[" * 100_000, Stored)
@example(b'{"epoch":"\\ud800","through":0}', Stored)
def test_control_messages_of_any_bytes_are_read_or_refused_in_a_line(payload: bytes, kind: type[Any]) -> None:
    """Nothing else than a MessageError, whatever the bytes."""
    try:
        assert isinstance(codec.decode_control(payload, kind), kind)
    except codec.MessageError as error:
        must_be_one_line(error)


@given(st.lists(st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 10**15) | st.none(), st.integers(0, 3)), max_size=30))  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_whatever_boots_have_told_before_a_redated_report_is_on_the_grid_and_in_the_past(
    steps: list[tuple[int, int | None, int]],
) -> None:
    """The redater's memory of offsets can be led anywhere by a probe, but not to rubbish."""
    redater = Redater()
    for start_ns, age_ms, boot in steps:
        envelope = msgspec.structs.replace(GOLDEN, start_ns=start_ns, boot=f"boot-{boot}")
        message = Message(f"{ROOT}/{SITE}/p1/report", b"", RECEIVED_NS, age_ms=age_ms)
        outcome = redater.redate(Misdated(Received(envelope, RECEIVED_NS), message, is_live=True))
        if isinstance(outcome, Refused):
            assert outcome.detail
            continue
        assert isinstance(outcome, Redated)
        again = outcome.report.envelope
        assert again.start_ns % WINDOW_NS == 0
        assert 0 <= again.start_ns <= RECEIVED_NS + 60 * SECOND_NS
        assert codec.decode(codec.encode(again)) == again


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 6), st.booleans()), max_size=40))
@settings(max_examples=300, deadline=None)
def test_holes_are_what_is_missing_below_the_top(steps: list[tuple[int, int, bool]]) -> None:
    """Whatever order reports and tombstones come in, the noticed holes are exactly the numbers not accounted for."""
    account = Account()
    for first, more, drops in steps:
        if drops:
            account.write_off(first, first + more, 1)
        else:
            account.take(first, 1)
    missing = account.accounted().holes(1, account.top) if account.top else []
    assert [(hole.first, hole.last) for hole in _joined(account.holes)] == missing


def _joined(holes: list[Hole]) -> list[Hole]:
    """Neighbours noticed at different times are one."""
    out: list[Hole] = []
    for hole in holes:
        if out and out[-1].last + 1 == hole.first:
            out[-1] = Hole(out[-1].first, hole.last, out[-1].noticed_ns)
        else:
            out.append(hole)
    return out


def test_any_drawn_message_is_examined_alike_twice(live_registry: Any) -> None:
    """`examine` keeps no state: the same message has the same outcome, and never raises."""
    mutator = Mutator(11, bases(), RECEIVED_NS, topics())
    bounds = __import__("collector.intake", fromlist=["Bounds"]).Bounds()
    for _ in range(3000):
        message = mutator.draw()
        first = examine(message, ROOT, live_registry, bounds)
        assert repr(first) == repr(examine(message, ROOT, live_registry, bounds))
        if isinstance(first, Accepted):
            assert first.report.envelope.site in LINKED


@pytest.fixture
def live_registry(tmp_path: Path) -> Any:
    from tests.fuzz.intake import _config

    return _config(tmp_path).current.registry


@pytest.mark.parametrize("version", [V5, V311])
def test_mutated_packets_are_parsed_or_refused_by_the_embedded_broker(version: int) -> None:
    """A hundred thousand packets, sound ones with bytes turned: a packet, or a PacketError that says why."""
    chance = random.Random(version)
    sound = [
        bytes.fromhex(text)
        for text in (
            "00044d5154540506003c00000361626300026869",
            "00044d51545404ce003c000361626300012f000162000175000170",
            "000e7461747061722f312f612f702f72000a00686579",
            "000a020b0500032f612f01",
            "000a0000032b2f6201",
            "000a00",
            "",
            "8e05230005",
        )
    ]
    heads = (0x10, 0x32, 0x3D, 0x30, 0x40, 0x82, 0xA2, 0xC0, 0xE0, 0xF0, 0x50, 0x62, 0x00)
    refused = 0
    for _ in range(50_000):
        body = bytearray(chance.choice(sound))
        for _ in range(chance.randrange(4)):
            if body:
                body[chance.randrange(len(body))] = chance.randrange(256)
        cut = bytes(body[: chance.randrange(len(body) + 1)]) if chance.random() < 0.2 else bytes(body)
        try:
            parse(chance.choice(heads), cut, version)
        except PacketError as error:
            must_be_one_line(error)
            refused += 1
    assert 5_000 < refused < 50_000


@given(st.lists(st.binary(max_size=40), max_size=12))
@settings(max_examples=300, deadline=None)
def test_framing_of_any_bytes_ends_in_packets_or_an_error(pieces: list[bytes]) -> None:
    """Nothing hangs and nothing else is raised, however the bytes are cut."""
    framer = Framer(1000)
    for piece in pieces:
        try:
            for head, body in framer.feed(piece):
                assert 0 <= head < 256
                assert len(body) <= 1000
        except PacketError:
            return


async def test_a_probe_outlives_any_message_from_its_hub(tmp_path: Path, golden_control: list[bytes]) -> None:
    """Mutated plans, `stored` and commands: each is obeyed or counted as bad; nothing is deleted that was not stored."""
    counters, queue, answers = Counters(), SendQueue(), []
    office = _office(tmp_path)
    spool = Spool(office.spool, site=office.site, probe=office.probe)
    payloads = [
        spool.append(T0, Made("boot", 1, T0), lambda slot: codec.encode(_report(slot.epoch, slot.seq))).seq
        for _ in range(5)
    ]

    class Deaf:
        def publish(self, *given: Any, **more: Any) -> None:
            answers.append((given, more))

    with Workers() as workers:
        identity = Identity("1", "boot", RestartReason.UNKNOWN)
        orders = Orders(
            office,
            identity,
            spool,
            queue,
            clock=SystemClock(),
            workers=workers,
            counters=counters,
            on_plan=lambda _plan: None,
        )
        inbox = Inbox(ROOT, counters)
        working = asyncio.create_task(orders.obey(Deaf(), inbox, lambda: None))  # type: ignore[arg-type]
        sent = 0
        for message in _mutated(golden_control, spool.epoch):
            inbox.put(message)
            sent += 1
            while inbox._latest or inbox._commands:
                await asyncio.sleep(0)
                assert not working.done(), working.exception()
        working.cancel()
        await asyncio.wait([working])
    assert counters.bad_messages > sent / 10
    held = spool.held()
    assert spool.reports == len(held) == sum(1 for seq in payloads if seq in held) or counters.renumbered
    spool.close()


def _mutated(payloads: list[bytes], epoch: str) -> list[Incoming]:
    """Three thousand messages on topics of the probe's own, and on others."""
    from tests.fuzz.mutator import Base

    leaves = ("stored", "plan", "command")
    found = [Base.of(f"{ROOT}/{SITE}/p1/{leaf}", payload) for leaf, payload in zip(leaves, payloads, strict=True)]  # fmt: skip
    mutator = Mutator(5, found, RECEIVED_NS, topics())
    drawn = [mutator.draw() for _ in range(3000)]
    other = epoch.translate(str.maketrans("0123456789abcdef", "123456789abcdef0")).encode()
    return [
        Incoming(m.topic, m.payload.replace(b"0123456789abcdef", other), m.retained, "x" if m.age_ms else None, b"\xff")
        for m in drawn
    ]  # fmt: skip


def _report(epoch: str, seq: int) -> Any:
    return msgspec.structs.replace(GOLDEN, site=SITE, probe="p1", epoch=epoch, seq=seq)


def _office(folder: Path) -> Any:
    from probes.publishing.office_settings import OfficeSettings

    return OfficeSettings(
        site=SITE,
        probe="p1",
        broker_host="127.0.0.1",
        broker_port=1,
        spool=folder / "spool.db",
        ping_targets=(),
        interface="",
    )


@pytest.fixture
def golden_control() -> list[bytes]:
    folder = Path(__file__).parents[1] / "telemetry" / "golden"
    return [(folder / f"control_{name}.json").read_bytes().strip() for name in ("stored", "plan", "command")]
