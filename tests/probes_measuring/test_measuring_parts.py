from __future__ import annotations

import select
import socket
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from probes.kernel import clock_state
from probes.kernel.clock_discipline import Discipline, error_estimate
from probes.kernel.clock_state import clock_of, read_clock
from probes.measuring import session_sender
from probes.measuring.measuring_loop import MeasuringLoop
from probes.measuring.measuring_messages import Damaged, Ended, Open, Opened, Progress, encode_event
from probes.measuring.name_lookup import NameLookup
from probes.measuring.outlet import Outlet
from probes.measuring.record_layout import ReplyFlag, SentFlag
from probes.measuring.records import REPLY, SENT, STAMPED
from probes.measuring.reply_reader import ReplyReader
from probes.measuring.session_sender import SessionSender
from probes.measuring.window_assembly import WindowAssembly
from probes.metering.meter import Meter
from probes.metering.worst_interval import worst_interval
from probes.stamp.stamp_tlv import DEFAULT_PAYLOAD, trailer
from probes.stamp.timestamp_arrays import ntp64_array, unix_ns_array
from probes.stamp.timestamps import ErrorEstimate, ntp64, unix_ns
from telemetry.messages import Clock, ClockState, StampSource
from telemetry.windows import LATE_NS, SECOND_NS, WINDOW_NS
from tests.ports import free_udp_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

START = 1_700_000_010 * SECOND_NS
MONO = 50 * SECOND_NS


@pytest.fixture
def echo() -> Iterator[socket.socket]:
    """A socket that a session can send to."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", free_udp_port()))  # one that nobody is given while a test has let go of it
        sock.settimeout(60)
        yield sock


def order(to: socket.socket, number: int = 3) -> Open:
    return Open(number, *to.getsockname(), ssid=7, rate_pps=10.0, phase=0.0, payload=DEFAULT_PAYLOAD)


def wait_readable(sender: SessionSender) -> None:
    """Wait until a datagram has come to the sender's socket."""
    assert select.select([sender.fileno], [], [], 60)[0]


class Collected:
    def __init__(self) -> None:
        self.replies: list[NDArray[np.void]] = []
        self.stamps: list[NDArray[np.void]] = []
        self.reader = ReplyReader(
            lambda records: self.replies.append(np.frombuffer(records, dtype=REPLY)),
            lambda records: self.stamps.append(np.frombuffer(records, dtype=STAMPED)),
        )


def test_send_stamps_are_numbered_after_an_error_as_before(echo: socket.socket) -> None:
    """A send that failed for an earlier packet's ICMP error does not shift the stamps of those that follow."""
    sender = SessionSender(order(echo), 1)
    sender.open()
    address = echo.getsockname()
    echo.close()
    for _ in range(6):
        sender.send(time.time_ns())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind(address)
        user = {}
        for _ in range(5):
            sequence, user_ns = sender.sequence, time.time_ns()
            if sender.send(user_ns):
                user[sequence] = user_ns, time.time_ns()
        collected = Collected()
        collected.reader.read_stamps([sender])
    sender.close()
    stamps = {int(s["sequence"]): int(s["t1_ns"]) for part in collected.stamps for s in part}
    assert user.keys() <= stamps.keys()
    for sequence, (before_ns, after_ns) in user.items():
        assert before_ns <= stamps[sequence] <= after_ns


def test_drops_at_the_socket_are_counted(echo: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the kernel dropped for want of room is told with a datagram that follows."""
    monkeypatch.setattr(session_sender, "RECEIVE_BUFFER", 2048)
    sender, collected = SessionSender(order(echo), 1), Collected()
    sender.open()
    sender.send(time.time_ns())
    packet, address = echo.recvfrom(2048)
    for _ in range(200):
        echo.sendto(packet, address)
    wait_readable(sender)
    collected.reader.read([sender], 0, 0, ambiguous=False)
    # A busy kernel hands datagrams on later than `sendto` returns, even on loopback: go on until the sums meet.
    sent, told = 200, 0
    while sent < 300 and told != sent - sum(map(len, collected.replies)):
        echo.sendto(packet, address)
        sent += 1
        wait_readable(sender)
        collected.reader.read([sender], 0, 0, ambiguous=True)
        told = max(int(part["drops"].max()) for part in collected.replies)
    sender.close()
    came = np.concatenate(collected.replies)
    assert 0 < told == sent - len(came)
    assert set(came["session"].tolist()) == {3}
    first = len(collected.replies[0])
    assert came["flags"].tolist() == [0] * first + [ReplyFlag.AMBIGUOUS] * (len(came) - first)


def test_more_datagrams_than_one_batch_holds_are_all_read(echo: socket.socket) -> None:
    """Reading goes on until the socket is empty."""
    sender, collected = SessionSender(order(echo), 1), Collected()
    sender.open()
    sender.send(time.time_ns())
    packet, address = echo.recvfrom(2048)
    total = 0
    for _ in range(12):
        for _ in range(100):
            echo.sendto(packet, address)
        total += 100
        while sum(map(len, collected.replies)) < total:
            wait_readable(sender)
            collected.reader.read([sender] * 12, 0, 0, ambiguous=False)
    sender.close()
    assert sum(map(len, collected.replies)) == total
    assert all((part["t4_ns"] > 0).all() for part in collected.replies)


def test_session_without_a_route_uses_up_its_numbers(echo: socket.socket) -> None:
    """A packet that cannot leave is refused, and the next one has the next number."""
    sender = SessionSender(order(echo), 1)
    assert not sender.send(time.time_ns())
    assert not sender.send(time.time_ns())
    sender.open()
    assert sender.send(time.time_ns())
    assert echo.recv(2048)[:4] == (2).to_bytes(4, "big")
    sender.close()


def test_changed_own_address_is_noticed(echo: socket.socket) -> None:
    """A session compares the address it sends from with the one that the route would give it now."""
    sender = SessionSender(order(echo), 1)
    sender.open()
    assert not MeasuringLoop._has_moved(sender)
    sender.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
        elsewhere.bind(("127.0.0.9", 0))
        elsewhere.connect(echo.getsockname())
        sender._sock = elsewhere
        assert MeasuringLoop._has_moved(sender)


def test_outlet_drops_records_and_keeps_what_is_said() -> None:
    """With an owner that does not read, records are dropped beyond the bound and the damage is told; events stay."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        outlet = Outlet(theirs, limit=100_000)
        outlet.put(encode_event(Progress(mono_ns=1)))
        for frame in range(1, 41):
            outlet.put(b"S" + bytes(10_000), frame)
        assert outlet.damaged is not None
        first, last = outlet.damaged
        assert first == 0
        assert 10 <= last <= 40
        assert outlet.dropped >= 10
        assert outlet.flush() or True
        ours.setblocking(False)
        assert ours.recv(1 << 17) == encode_event(Progress(mono_ns=1))


def test_outlet_notices_that_its_owner_is_gone() -> None:
    """Writing to nobody is an error, which ends the process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        outlet = Outlet(theirs)
        ours.close()
        outlet.put(b"E")
        with pytest.raises(ConnectionError):
            outlet.flush()


async def test_name_keeps_its_last_address_and_tells_its_trouble() -> None:
    """A known name resolves, an unknown one is named with its reason, an address needs nothing."""
    names = NameLookup()
    await names.refresh({"localhost", "no-such-host.invalid", "192.0.2.7", "bad..name"})
    assert names.known("localhost") in {"127.0.0.1", "::1"}
    assert names.known("192.0.2.7") == "192.0.2.7"
    assert names.known("no-such-host.invalid") is None
    assert names.faults.keys() == {"no-such-host.invalid", "bad..name"}
    await names.refresh({"localhost"})
    assert not names.faults


def opened(frame: int, start_ns: int, opened_mono_ns: int) -> bytes:
    discipline = Discipline(0, 0x2001, 0, 1500)
    return encode_event(Opened(frame, start_ns, MONO + start_ns - START, opened_mono_ns, discipline))


def sent(session: int, frame: int, first_ns: int, n: int, **fields: int) -> bytes:
    records = np.zeros(n, dtype=SENT)
    records["session"], records["frame"] = session, frame
    records["sequence"] = np.arange(n)
    records["t1_ns"] = first_ns + np.arange(n) * 100_000_000
    records["interval_us"] = 100_000
    for name, value in fields.items():
        records[name] = value
    return b"S" + records.tobytes()


def assembly() -> WindowAssembly:
    made = WindowAssembly()
    made.add_session(1, "office", "main.state", 7, Meter("main.state", overhead=28, payload=172))
    return made


def test_frame_is_closed_when_its_replies_had_three_seconds() -> None:
    """Neither the next frame nor time alone completes a frame, but both; an office without packets has its window."""
    made = assembly()
    made.take(opened(1, START, MONO))
    made.take(sent(1, 1, START, 150, late_us=6_000, skipped=0))
    ended = MONO + WINDOW_NS
    made.take(encode_event(Ended(frame=1, cpu_ratio=0.1, clock_steps=0)))
    made.take(opened(2, START + WINDOW_NS, ended))
    assert made.complete() == []
    made.take(encode_event(Progress(mono_ns=ended + LATE_NS - 1)))
    assert made.complete() == []
    made.take(encode_event(Progress(mono_ns=ended + LATE_NS)))
    assert made.complete() == [1]
    windows = {w.office: w for w in made.close(1, ["office", "quiet"])}
    assert windows["office"].streams[0].lost == 150
    assert windows["office"].self_report.late_sends == 150
    assert windows["office"].self_report.late_max_ms == 6.0
    assert windows["office"].self_report.cpu_ratio == 0.1
    assert windows["quiet"].streams == ()
    assert windows["quiet"].mono_ns == MONO
    assert made.complete() == []


def test_damaged_frame_reports_no_loss_but_says_why() -> None:
    """Records that were dropped on the way from the measuring process must not look like packets lost."""
    made = assembly()
    made.take(opened(1, START, MONO))
    made.take(sent(1, 1, START, 150))
    made.take(encode_event(Damaged(first_frame=0, last_frame=1, messages=4)))
    made.take(opened(2, START + WINDOW_NS, MONO + WINDOW_NS))
    made.take(encode_event(Progress(mono_ns=MONO + WINDOW_NS + LATE_NS)))
    (window,) = made.close(1, ["office"])
    assert window.streams == ()
    assert window.fault is not None
    assert "records lost" in window.fault


def test_stopping_counts_the_last_three_seconds_as_not_sent() -> None:
    """Packets whose replies may still be on their way are neither received nor lost."""
    made = assembly()
    made.take(opened(1, START, MONO))
    made.take(sent(1, 1, START, 100))  # 10 s
    made.take(encode_event(Progress(mono_ns=MONO + 10 * SECOND_NS)))
    (window,) = made.abort(["office"])
    assert window.streams[0].sent == window.streams[0].lost == 71
    assert list(made.abort(["office"])) == []


def test_refused_packets_are_lost_on_the_way_up() -> None:
    """What the kernel would not send was lost before the first hop: the direction is certain."""
    made = assembly()
    made.take(opened(1, START, MONO))
    made.take(sent(1, 1, START, 30, flags=SentFlag.REFUSED))
    made.take(opened(2, START + WINDOW_NS, MONO + WINDOW_NS))
    made.take(encode_event(Progress(mono_ns=MONO + WINDOW_NS + LATE_NS)))
    (window,) = made.close(1, ["office"])
    stream = window.streams[0]
    assert (stream.lost, stream.up.lost, stream.lost_unattributed) == (30, 30, 0)
    assert stream.up.longest_loss_run == 30


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (None, Clock(state=ClockState.UNKNOWN)),
        (Discipline(5, 0x40, 0, 16_000_000), Clock(state=ClockState.UNSYNCHRONISED)),
        (
            Discipline(0, 0x2001, -1_500_000, 2_500),
            Clock(state=ClockState.SYNCHRONISED, offset_ms=-1.5, error_ms=2.5),
        ),
        (Discipline(0, 0x0001, 700, 900), Clock(state=ClockState.SYNCHRONISED, offset_ms=0.7, error_ms=0.9)),
        (Discipline(0, 0x2000, 0, 900), Clock(state=ClockState.SYNCHRONISED, error_ms=0.9)),
    ],
)
def test_clock_discipline_in_words(reading: Discipline | None, expected: Clock) -> None:
    """Synchronised, not, or unknown; offset and error only where the kernel knows them."""
    assert clock_of(reading) == expected


def test_clock_of_this_machine_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real call works; where there is none, the state is unknown and the error estimate the widest known."""
    assert read_clock().state is not ClockState.UNKNOWN
    monkeypatch.setattr(clock_state, "read_discipline", lambda: None)
    assert read_clock() == Clock()
    estimate = ErrorEstimate.decode(error_estimate(None))
    assert not estimate.synchronised
    assert 16.0 <= estimate.seconds < 17.0


def test_error_estimate_never_understates_and_never_has_multiplier_nought() -> None:
    """Any error, from none to infinite, is encoded as at least itself, as far as the field goes."""
    for seconds in (0.0, 1e-12, 3e-10, 1e-3, 0.05, 1.0, 16.0, 1e6, 5e11, float("inf")):
        estimate = ErrorEstimate.of(seconds, synchronised=True)
        assert estimate.multiplier > 0
        assert estimate.seconds >= min(seconds, 5.4e11)
        assert ErrorEstimate.decode(estimate.encode()) == estimate


def test_array_stamps_agree_with_single_ones_over_eras() -> None:
    """Times from 1970 to 2105, the era's change in 2036 among them, survive there and back within a nanosecond."""
    times = np.array(
        [0, 1, START, 2_085_978_495_999_999_999, 2_085_978_496_000_000_000, 4_260_000_000 * SECOND_NS]
    )
    stamps = ntp64_array(times)
    assert stamps.tolist() == [ntp64(int(t)) for t in times]
    assert unix_ns_array(stamps).tolist() == [unix_ns(int(s)) for s in stamps]
    assert np.abs(unix_ns_array(stamps) - times).max() <= 1


@pytest.mark.parametrize("size", [44, 60, 172, 1472])
def test_trailer_makes_the_size(size: int) -> None:
    """Base packet and trailer together are the payload asked for."""
    assert 44 + len(trailer(size)) == size


@pytest.mark.parametrize("size", [0, 43, 45, 59])
def test_sizes_that_no_tlv_fits_are_refused(size: int) -> None:
    """A payload that cannot be made is named with those that can."""
    with pytest.raises(ValueError, match="write 44, or 60 and more"):
        trailer(size)


def test_user_stamps_where_the_kernel_gives_none(
    echo: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without kernel stamps a reply still has T4, taken when it is read and said to be."""
    monkeypatch.setattr(session_sender, "enable_stamps", lambda _: StampSource.USER)
    sender, collected = SessionSender(order(echo), 1), Collected()
    sender.open()
    sender.send(time.time_ns())
    echo.sendto(*echo.recvfrom(2048))
    wait_readable(sender)
    collected.reader.read([sender], 0, 0, ambiguous=False)
    collected.reader.read_stamps([sender])
    sender.close()
    (reply,) = collected.replies[0]
    assert reply["flags"] == ReplyFlag.USER_STAMP
    assert abs(int(reply["t4_ns"]) - time.time_ns()) < SECOND_NS
    assert collected.stamps == []


def test_worst_interval_against_trying_all() -> None:
    """The sliding count finds what trying every interval finds."""
    rng = np.random.default_rng(4)
    for _ in range(50):
        times = np.sort(rng.integers(0, 3 * SECOND_NS, 120))
        lost = rng.random(120) < 0.2
        most = max(
            int(lost[(times >= t) & (times < t + 200_000_000)].sum())
            for t in np.concatenate((times, times - 199_999_999))
        )
        assert worst_interval(times, lost)[0] == most
