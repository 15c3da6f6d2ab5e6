"""ICMP: real echoes on loopback, and replies that are not ours."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import random
import socket
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from probes.icmp import icmp_socket
from probes.icmp.echo_tally import round_trip
from probes.icmp.icmp_packet import Echo, checksum, echo_request, parse_reply
from probes.icmp.icmp_socket import IcmpRefusedError, IcmpSocket, Reply, open_icmp
from probes.icmp.ping import Pinger, look_up
from probes.workers import Workers
from telemetry.clock import ManualClock, SystemClock
from telemetry.messages import StampSource
from telemetry.windows import MS_NS, SECOND_NS, WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

ECHO = Echo(b"\x01" * 8, 0x1_0000_0002)


def reply_to(request: bytes) -> bytes:
    """What an honest host answers: the same with type 0 and a new checksum."""
    unsummed = b"\0\0\0\0" + request[4:]
    return unsummed[:2] + checksum(unsummed).to_bytes(2, "big") + unsummed[4:]


def test_checksum_of_rfc_1071_example() -> None:
    """The sum of RFC 1071's own example octets, 0001 f203 f4f5 f6f7, is ddf2."""
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF ^ 0xDDF2
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")[:-1]) == checksum(bytes.fromhex("0001f203f4f5f600"))


def test_request_sums_to_zero_and_reply_is_known() -> None:
    """A request carries a right checksum; its reply is told by token and number, with and without an IP header."""
    request = echo_request(0xBEEF, ECHO)
    assert checksum(request) == 0
    assert len(request) == 64
    assert request[6:8] == b"\0\2"
    assert parse_reply(reply_to(request), with_ip_header=False) == ECHO
    header = bytes([0x45]) + bytes(19)
    assert parse_reply(header + reply_to(request), with_ip_header=True) == ECHO
    with_options = bytes([0x48]) + bytes(31)
    assert parse_reply(with_options + reply_to(request), with_ip_header=True) == ECHO


def test_anything_else_is_no_reply() -> None:
    """Requests, other types, short packets and sequence numbers that disagree are nobody's reply."""
    request = echo_request(1, ECHO)
    reply = reply_to(request)
    assert parse_reply(request, with_ip_header=False) is None
    assert parse_reply(b"\x03" + reply[1:], with_ip_header=False) is None
    assert parse_reply(reply[:6] + b"\0\3" + reply[8:], with_ip_header=False) is None
    assert parse_reply(bytes([0x65]) + bytes(19) + reply, with_ip_header=True) is None
    rng = random.Random(1)
    for length in range(80):
        noise = rng.randbytes(length)
        parse_reply(noise, with_ip_header=True)
        parse_reply(reply[:length], with_ip_header=False)


def test_round_trip_statistics_against_numpy() -> None:
    """Percentiles are by nearest rank, as numpy's inverted_cdf; without samples there is no round trip."""
    samples = [int(x) for x in np.random.default_rng(3).lognormal(15, 1, 15)]
    found = round_trip(samples)
    assert found is not None
    for name, p in (("p50_ms", 50), ("p95_ms", 95), ("p99_ms", 99)):
        assert getattr(found, name) == np.percentile(samples, p, method="inverted_cdf") / 1e6
    assert (found.min_ms, found.max_ms) == (min(samples) / 1e6, max(samples) / 1e6)
    assert found.mean_ms == pytest.approx(sum(samples) / 15e6)
    assert sum(found.hist[1::2]) == 15
    assert round_trip([]) is None


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers() as pools:
        yield pools


@contextlib.asynccontextmanager
async def pinging(pinger: Pinger) -> AsyncIterator[None]:
    task = asyncio.create_task(pinger.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.mark.needs("ping")
async def test_loopback_answers_with_kernel_stamps(workers: Workers, eventually: Callable[..., Any]) -> None:
    """Real echoes to loopback come back, stamped by the kernel, in well under a millisecond; the window counts add up."""
    pinger = Pinger(SystemClock(), workers)
    pinger.set_targets("agra/p1", {"gateway": "127.0.0.1", "state": "localhost"})
    first = window_start(SystemClock().now_ns())

    def enough_came() -> bool:
        """Four echoes, and some of each target in each window: a window may have begun this moment."""
        tallies = pinger._tallies.get("agra/p1")
        came = [t.received for w in (tallies._windows if tallies else {}).values() for t in w.values()]
        return sum(came) >= 4 and min(came) > 0

    async with pinging(pinger):
        await eventually(enough_came)
    pings = [*pinger.take("agra/p1", first), *pinger.take("agra/p1", first + WINDOW_NS)]
    assert {ping.target for ping in pings} == {"gateway", "state"}
    for ping in pings:
        assert 0 < ping.received <= ping.sent <= ping.received + 1
        assert ping.stamps is StampSource.KERNEL
        assert ping.rtt is not None
        assert 0 <= ping.rtt.min_ms <= ping.rtt.p50_ms < 50
    assert pinger.take("agra/p1", first) == ()
    assert pinger.take("nobody", first) == ()


class Wire:
    """A socket whose other end is the test."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, str]] = []
        self.incoming: list[Reply] = []
        self.error: OSError | None = None
        self.stamp_ns: int | None = None
        self.left, self.right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    def fileno(self) -> int:
        return self.left.fileno()

    def send(self, packet: bytes, address: str) -> int | None:
        if self.error is not None:
            raise self.error
        self.sent.append((packet, address))
        return self.stamp_ns

    def replies(self) -> Iterator[Reply]:
        yield from self.incoming
        self.incoming.clear()

    def close(self) -> None:
        self.left.close()
        self.right.close()


def echo_of(packet: bytes) -> Echo:
    echo = parse_reply(reply_to(packet), with_ip_header=False)
    assert echo is not None
    return echo


class PingRig:
    def __init__(self, workers: Workers) -> None:
        self.clock = ManualClock(100 * WINDOW_NS, 7 * SECOND_NS)
        self.wire = Wire()
        self.pinger = Pinger(self.clock, workers, opener=lambda: self.wire)  # type: ignore[arg-type, return-value]

    def echo(self) -> Echo:
        self.pinger._send(self.wire, "o", "gateway", "10.0.0.1")  # type: ignore[arg-type]
        return echo_of(self.wire.sent[-1][0])

    def answer(
        self, echo: Echo, *, source: str = "10.0.0.1", after_ms: int = 5, stamp_shift_ms: int = 0
    ) -> None:
        self.clock.advance(after_ms * MS_NS)
        stamp = self.clock.now_ns() + stamp_shift_ms * MS_NS
        self.pinger._count(Reply(echo, source, stamp, StampSource.KERNEL))

    def result(self) -> Any:
        (ping,) = self.pinger.take("o", 100 * WINDOW_NS)
        return ping


@pytest.fixture
def rig(workers: Workers) -> Iterator[PingRig]:
    made = PingRig(workers)
    yield made
    made.wire.close()


async def test_only_the_right_reply_counts_and_only_once(rig: PingRig) -> None:
    """Another source, another token, another number, or a second copy do not count."""
    echo = rig.echo()
    rig.answer(echo, source="10.0.0.2")
    rig.answer(echo._replace(token=b"x" * 8))
    rig.answer(echo._replace(number=echo.number + 1))
    rig.answer(echo)
    rig.answer(echo)
    ping = rig.result()
    assert (ping.sent, ping.received) == (1, 1)
    assert ping.rtt.max_ms == 20.0


async def test_the_kernels_stamp_of_the_sending_counts(rig: PingRig) -> None:
    """Where the kernel stamps an echo too, the time in our own system call is no round trip; without, the item says `user`."""
    rig.wire.stamp_ns = rig.clock.now_ns() + 400_000
    rig.answer(rig.echo())
    ping = rig.result()
    assert (ping.rtt.max_ms, ping.stamps) == (4.6, StampSource.KERNEL)
    rig.wire.stamp_ns = None
    rig.answer(rig.echo())
    ping = rig.result()
    assert (ping.rtt.max_ms, ping.stamps) == (5.0, StampSource.USER)


@pytest.mark.parametrize("off_ms", [-50, 50])
async def test_a_stamp_of_another_sending_is_not_believed(rig: PingRig, off_ms: int) -> None:
    """One that does not lie within the sending is somebody else's, or the clock was set: our own clock counts."""
    rig.wire.stamp_ns = rig.clock.now_ns() + off_ms * MS_NS
    rig.answer(rig.echo())
    ping = rig.result()
    assert (ping.rtt.max_ms, ping.stamps) == (5.0, StampSource.USER)


async def test_late_reply_is_lost(rig: PingRig) -> None:
    """A reply after more than 3 s does not count."""
    rig.answer(rig.echo(), after_ms=3001)
    rig.answer(rig.echo(), after_ms=3000)
    ping = rig.result()
    assert (ping.sent, ping.received, ping.rtt.min_ms) == (2, 1, 3000.0)


async def test_clock_set_in_between_spoils_no_round_trip(rig: PingRig) -> None:
    """When real time is stepped between sending and reply, the echo counts and its round trip is left out."""
    for step in (3600, -3600):
        echo = rig.echo()
        rig.clock.step(step * SECOND_NS)
        rig.answer(echo)
        rig.clock.step(-step * SECOND_NS)
    ping = rig.result()
    assert (ping.sent, ping.received, ping.rtt) == (2, 2, None)


@pytest.mark.parametrize("step_ms", [20, -20])
async def test_a_step_shorter_than_the_round_trip_spoils_none_either(rig: PingRig, step_ms: int) -> None:
    """Twenty milliseconds off an echo of a hundred would pass for a round trip; the next one is whole again."""
    echo = rig.echo()
    rig.clock.step(step_ms * MS_NS)
    rig.answer(echo, after_ms=100)
    rig.answer(rig.echo(), after_ms=100)
    ping = rig.result()
    assert (ping.sent, ping.received) == (2, 2)
    assert (ping.rtt.min_ms, ping.rtt.max_ms) == (100.0, 100.0)


async def test_unreachable_counts_as_sent(rig: PingRig) -> None:
    """An echo that the kernel will not send counts as sent and not received: the target cannot be reached."""
    rig.wire.error = OSError(errno.ENETUNREACH, "Network is unreachable")
    rig.pinger._send(rig.wire, "o", "gateway", "10.0.0.1")  # type: ignore[arg-type]
    ping = rig.result()
    assert (ping.sent, ping.received, ping.stamps) == (1, 0, StampSource.NONE)
    rig.clock.advance(4 * SECOND_NS)
    rig.pinger._expire()
    assert rig.pinger._waiting == {}


async def test_reply_belongs_to_the_window_of_its_sending(rig: PingRig) -> None:
    """A reply that comes in the next window counts in the one in which its echo was sent."""
    rig.clock.advance(WINDOW_NS - MS_NS)
    rig.answer(rig.echo(), after_ms=10)
    assert rig.pinger.take("o", 101 * WINDOW_NS) == ()
    assert rig.result().received == 1


async def test_rounds_drop_what_no_longer_matters(workers: Workers, eventually: Callable[..., Any]) -> None:
    """A target that was taken away is not pinged any more; what waits for 3 s is forgotten."""
    rig = PingRig(workers)
    rig.pinger.set_targets("o", {"a": "127.0.0.1", "b": "127.0.0.2"})
    await rig.pinger._round(rig.wire)  # type: ignore[arg-type]  # looks the hosts up
    await eventually(lambda: len(rig.pinger._addresses) == 2)
    await rig.pinger._round(rig.wire)  # type: ignore[arg-type]
    assert {address for _, address in rig.wire.sent} >= {"127.0.0.1"}
    rig.pinger.set_targets("o", {"b": "127.0.0.2"})
    rig.wire.sent.clear()
    rig.clock.advance(4 * SECOND_NS)
    await rig.pinger._round(rig.wire)  # type: ignore[arg-type]
    assert [address for _, address in rig.wire.sent] == ["127.0.0.2"]
    assert len(rig.pinger._waiting) == 1
    rig.wire.close()


async def test_machine_that_permits_no_icmp(
    workers: Workers, monkeypatch: pytest.MonkeyPatch, caplog: Any, eventually: Callable[..., Any]
) -> None:
    """Where no ICMP socket is permitted there are no ping items, and one line says what would permit it."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(icmp_socket.socket, "socket", refuse)
    with pytest.raises(IcmpRefusedError, match="CAP_NET_RAW"):
        open_icmp()
    monkeypatch.undo()

    def refused() -> IcmpSocket:
        raise IcmpRefusedError("no ICMP socket is permitted")

    pinger = Pinger(SystemClock(), workers, opener=refused)
    async with pinging(pinger):
        await eventually(lambda: pinger.refused)
    assert pinger.refused == "no ICMP socket is permitted"
    assert [record.message for record in caplog.records] == [
        "no ICMP round trips: no ICMP socket is permitted"
    ]


def test_names_are_looked_up_and_unknown_ones_are_none() -> None:
    """An address is itself, a name is looked up, a name that is none or has IPv6 only is None."""
    assert look_up("192.0.2.7") == "192.0.2.7"
    assert look_up("localhost") == "127.0.0.1"
    assert look_up("no-such-host.invalid") is None
    assert look_up("::1") is None
