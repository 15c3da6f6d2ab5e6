from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from probes.measuring import measuring_child
from probes.measuring.measurer import Measurer, phase_of
from probes.measuring.measuring_child import MeasuringChild
from probes.measuring.measuring_messages import Moved
from probes.measuring.session import Session
from probes.reflecting.reflector_process import ReflectorProcess
from telemetry.messages import StampSource
from telemetry.windows import SECOND_NS, WINDOW_NS, window_start
from tests.ports import free_udp_port
from tests.probes_measuring.judging import gather, judged, sent, streams_of, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from probes.measuring.session import ClosedWindow

Address = tuple[str, int]


@pytest.fixture(scope="module")
def reflectors() -> Iterator[list[Address]]:
    """Two ends on loopback."""
    with ReflectorProcess([("127.0.0.1", 0), ("127.0.0.1", 0)]) as process:
        yield process.addresses


class Relay:
    """Between a probe and a reflector: passes packets on, but for those that it was told to drop or copy."""

    def __init__(self, far: Address, up: Callable[[int], int], down: Callable[[int], int]) -> None:
        """`up` and `down` say how many copies of a packet go on, by the sender's number."""
        self._up, self._down = up, down
        self.near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.near.bind(("127.0.0.1", 0))
        self.far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.far.connect(far)
        self.address: Address = self.near.getsockname()
        self.probe: Address | None = None
        self._threads = [
            threading.Thread(target=self._pass_up, name="relay up"),
            threading.Thread(target=self._pass_down, name="relay down"),
        ]
        self._running = True
        for sock in (self.near, self.far):
            sock.settimeout(0.2)
        for thread in self._threads:
            thread.start()

    def _pass_up(self) -> None:
        while self._running:
            with contextlib.suppress(TimeoutError):
                packet, self.probe = self.near.recvfrom(2048)
                for _ in range(self._up(int.from_bytes(packet[:4], "big"))):
                    self.far.send(packet)

    def _pass_down(self) -> None:
        while self._running:
            with contextlib.suppress(TimeoutError):
                packet = self.far.recv(2048)
                assert self.probe is not None
                for _ in range(self._down(int.from_bytes(packet[24:28], "big"))):
                    self.near.sendto(packet, self.probe)

    def close(self) -> None:
        self._running = False
        for thread in self._threads:
            thread.join()
        self.near.close()
        self.far.close()


async def room_in_the_window(measurer: Measurer, seconds: float) -> None:
    """Wait for the next window when this one ends sooner than that, and until nothing of this one is to be told any more."""
    now_ns = time.time_ns()
    if WINDOW_NS - now_ns % WINDOW_NS > seconds * SECOND_NS:
        return
    next_ns = window_start(now_ns) + WINDOW_NS
    await until(lambda: [frame.opened.start_ns for frame in measurer._assembly._frames.values()] == [next_ns])


async def test_stamps_are_the_kernels_and_loopback_is_fast(reflectors: list[Address]) -> None:
    """T1, T2 and T4 are kernel stamps; the median round trip of clean loopback is far below a millisecond."""
    measurer = Measurer()
    await measurer.start()
    begun_s = time.monotonic()
    await measurer.set_sessions(
        [Session(f"office-{i}", "main.state", *reflectors[i % 2], rate_pps=50.0) for i in range(4)]
    )
    await until(lambda: all(judged(measurer, f"office-{i}") >= 40 for i in range(4)))
    most = 50 * (time.monotonic() - begun_s) + 1
    windows = await gather(measurer)
    for i in range(4):
        for stream in streams_of(windows, f"office-{i}"):
            assert (stream.stamps.t1, stream.stamps.t2, stream.stamps.t4) == (StampSource.KERNEL,) * 3
            assert stream.stamps.t3 is StampSource.USER
            assert stream.lost == 0
            assert stream.stateful
            assert stream.rtt is not None
            assert (
                stream.rtt.p50_ms < 0.5
            )  # tens of microseconds were measured; a busy machine gets ten times that
            assert stream.rate_pps == pytest.approx(50, rel=0.01)
        assert 40 <= sum(s.sent for s in streams_of(windows, f"office-{i}")) <= most
    assert measurer.counters.foreign_replies == 0


async def test_agrees_with_the_relay_packet_by_packet(reflectors: list[Address]) -> None:
    """Loss per direction and copies are exactly those that the relay made."""
    rng = random.Random(11)
    up = [0 if rng.random() < 0.08 else 1 for _ in range(5000)]
    down = [0 if rng.random() < 0.08 else (3 if rng.random() < 0.02 else 1) for _ in range(5000)]
    relay = Relay(reflectors[0], up.__getitem__, down.__getitem__)
    measurer = Measurer()
    try:
        await measurer.start()
        await measurer.set_sessions([Session("office", "main.state", *relay.address, rate_pps=100.0)])
        await until(lambda: judged(measurer) >= 300)
        windows = await gather(measurer)
    finally:
        relay.close()
    streams = streams_of(windows, "office")
    count = sum(s.sent for s in streams)
    assert count >= 300
    truth_up = up[:count].count(0)
    truth_down = sum(d == 0 for u, d in zip(up[:count], down[:count], strict=True) if u)
    copies = sum(max(d - 1, 0) for u, d in zip(up[:count], down[:count], strict=True) if u)
    unattributed = sum(s.lost_unattributed for s in streams)
    assert sum(s.lost for s in streams) == truth_up + truth_down
    assert sum(s.up.lost for s in streams) <= truth_up
    assert sum(s.down.lost for s in streams) <= truth_down
    assert unattributed <= 6  # only around an edge of two windows
    assert sum(s.down.duplicated for s in streams) == copies
    assert sum(s.up.duplicated for s in streams) == 0


async def test_windows_come_on_the_grid_three_seconds_after_their_end(reflectors: list[Address]) -> None:
    """Each office's window closes once, 3 s after its end or a little later; another end is taken up with the next window."""
    measurer = Measurer()
    await measurer.start()
    await room_in_the_window(measurer, 5)  # else a window closes without streams
    there = [Session(f"office-{i}", "main.state", *reflectors[0], rate_pps=20.0) for i in range(3)]
    await measurer.set_sessions(there)
    await until(lambda: sent(measurer, "office-2") >= 5)
    moved = Session("office-2", "main.state", *reflectors[1], rate_pps=20.0)
    await measurer.set_sessions([*there[:2], moved])
    first: list[ClosedWindow] = []
    async for window in measurer.windows():
        first.append(window)
        late_s = (time.time_ns() - window.start_ns - WINDOW_NS) / 1e9
        assert 3.0 <= late_s < 15.0  # a busy machine reads late; the next window is not over
        if len(first) == 3:
            break
    await until(lambda: all(judged(measurer, f"office-{i}") for i in range(3)))
    rest = await gather(measurer)
    assert sorted(w.office for w in first) == ["office-0", "office-1", "office-2"]
    assert len({(w.start_ns, w.mono_ns) for w in first}) == 1
    assert first[0].start_ns % WINDOW_NS == 0
    assert all(w.self_report.cpu_ratio is not None and 0 < w.self_report.cpu_ratio < 1 for w in first)
    assert all(len(w.streams) == 1 and w.fault is None for w in (*first, *rest))
    assert all(w.start_ns == first[0].start_ns + WINDOW_NS for w in rest)
    for w in (*first, *rest):
        assert w.streams[0].lost == 0
        assert w.streams[0].reflector_restarts == 0  # no window has packets of both ends


async def test_killed_measuring_process_is_started_again_and_the_windows_say_so(
    reflectors: list[Address],
) -> None:
    """After a kill -9 the windows carry the reason, nothing is reported lost, and measuring goes on."""
    measurer = Measurer()
    await measurer.start()
    await measurer.set_sessions([Session("office", "main.state", *reflectors[0], rate_pps=50.0)])
    await until(lambda: judged(measurer) >= 20)
    first = measurer.process_id
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: measurer.process_id not in {None, first})
    before = judged(measurer)
    await until(lambda: judged(measurer) >= before + 20)
    windows = await gather(measurer)
    assert measurer.counters.process_restarts == 1
    faults = [w.fault for w in windows if w.fault]
    assert len(faults) >= 2  # what was cut short, and what began late
    assert all("killed by signal 9" in fault for fault in faults)
    streams = streams_of(windows, "office")
    assert sum(s.sent for s in streams) >= 40
    assert sum(s.lost for s in streams) == 0


async def test_silent_measuring_process_is_replaced(
    reflectors: list[Address], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that hangs is not waited for."""
    monkeypatch.setattr(measuring_child, "SILENCE_S", 2.0)
    measurer = Measurer()
    await measurer.start()
    await measurer.set_sessions([Session("office", "main.state", *reflectors[0], rate_pps=20.0)])
    await until(lambda: sent(measurer) > 0)
    first = measurer.process_id
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    await until(lambda: measurer.counters.process_restarts > 0)
    windows = await gather(measurer)
    assert any("said nothing" in (w.fault or "") for w in windows)
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


async def test_one_bad_name_is_its_own_fault_only(reflectors: list[Address]) -> None:
    """A host name that does not exist is named, and every other session is measured."""
    measurer = Measurer()
    await measurer.start()
    await measurer.set_sessions(
        [
            Session("office-a", "main.state", "no-such-host.invalid", 862, 50.0),
            Session("office-a", "main.national", *reflectors[0], 50.0),
            Session("office-b", "main.state", "localhost", reflectors[1][1], 50.0),
        ]
    )
    await until(
        lambda: judged(measurer, "office-a", "main.national") > 15 and judged(measurer, "office-b") > 5
    )
    await until(lambda: bool(measurer.faults))  # a name server may take longer than that to say no
    faults = measurer.faults
    windows = await gather(measurer)
    assert list(faults) == [("office-a", "main.state")]
    assert "no-such-host.invalid" in faults["office-a", "main.state"]
    assert not streams_of(windows, "office-a", "main.state")
    assert sum(s.received for s in streams_of(windows, "office-a", "main.national")) > 15
    assert sum(s.received for s in streams_of(windows, "office-b")) > 5


async def test_refusing_end_kills_nothing_and_is_taken_up_when_it_answers() -> None:
    """ICMP errors of a closed port leave a session lost, not dead; it hears the reflector as soon as there is one."""
    address = ("127.0.0.1", free_udp_port())
    measurer = Measurer()
    await measurer.start()
    begun_s = time.monotonic()
    await measurer.set_sessions([Session("office", "main.state", *address, rate_pps=50.0)])
    await until(lambda: sent(measurer) >= 20)
    with ReflectorProcess([address]):
        most = 50 * (time.monotonic() - begun_s) + 1  # what may have gone before it listened
        await until(lambda: judged(measurer) >= most + 20)
        windows = await gather(measurer)
    streams = streams_of(windows, "office")
    lost, received = sum(s.lost for s in streams), sum(s.received for s in streams)
    assert measurer.counters.process_restarts == 0
    assert 20 <= lost <= most
    assert received >= 20
    assert (
        streams[-1].stamps.t1 is StampSource.KERNEL
    )  # errors have not put the numbers of send stamps out of step


async def test_rate_changes_at_once(reflectors: list[Address]) -> None:
    """From 10 to 200 packets/s within a window, in the same session."""
    measurer = Measurer()
    await measurer.start()
    await room_in_the_window(measurer, 5)  # else a window closes without streams
    session = Session("office", "main.state", *reflectors[0], rate_pps=10.0)
    await measurer.set_sessions([session])
    await until(lambda: sent(measurer) >= 10)
    slow, ordered_s = sent(measurer), time.monotonic()
    await measurer.set_sessions([Session("office", "main.state", *reflectors[0], rate_pps=200.0)])
    await until(lambda: judged(measurer) >= slow + 200)
    most = slow + 200 * (time.monotonic() - ordered_s) + 10
    windows = await gather(measurer)
    streams = streams_of(windows, "office")
    assert slow + 200 <= sum(s.sent for s in streams) <= most
    assert streams[0].sent > slow  # in the window of the slow ones,
    assert streams[0].rate_pps > 20  # which was not slow to its end
    assert sum(s.reflector_restarts for s in streams) == 0


async def test_ipv6_and_a_new_own_address() -> None:
    """Over IPv6 stamps are the kernel's too; a session whose own address has changed goes on under a new number."""
    with ReflectorProcess([("::1", 0)]) as reflector:
        measurer = Measurer()
        await measurer.start()
        await measurer.set_sessions([Session("office", "main.state", *reflector.addresses[0], rate_pps=50.0)])
        await until(lambda: sent(measurer) >= 10)
        before = measurer._live["office", "main.state"].number
        await measurer._heed(Moved(before))
        assert measurer._live["office", "main.state"].number != before
        await until(lambda: judged(measurer) >= 40)
        windows = await gather(measurer)
    streams = streams_of(windows, "office")
    assert sum(s.lost for s in streams) == 0
    assert sum(s.sent for s in streams) > 20
    assert {s.stamps.t1 for s in streams} == {s.stamps.t4 for s in streams} == {StampSource.KERNEL}
    assert len({w.start_ns for w in windows}) == len(windows)  # never two streams of one path in a window
    assert all(s.down.bitrate_bps == pytest.approx(s.sent * 220 * 8 / 15) for s in streams)


async def test_wrong_sets_of_sessions_are_refused(reflectors: list[Address]) -> None:
    """Two sessions of one office and path, or a rate of nothing, are a clear error."""
    measurer = Measurer()
    session = Session("office", "main.state", *reflectors[0], rate_pps=10.0)
    with pytest.raises(ValueError, match="same office and path"):
        await measurer.set_sessions([session, session])
    with pytest.raises(ValueError, match="must be above 0"):
        await measurer.set_sessions([Session("office", "main.state", "127.0.0.1", 1, rate_pps=0.0)])


async def test_measuring_process_ends_with_its_owner() -> None:
    """When the other end of the socket pair closes, the process goes by itself."""
    child = await MeasuringChild.start()
    assert await child.receive()
    assert await child.end() == "ended with status 0"


def test_phases_spread_over_the_interval() -> None:
    """Hashes of offices and paths spread the times of sending evenly."""
    phases = [
        phase_of(Session(f"office-{i}", path, "h", 1, 10.0))
        for i in range(500)
        for path in ("main.a", "main.b")
    ]
    tenths = Counter(int(phase * 10) for phase in phases)
    assert all(60 < tenths[k] < 140 for k in range(10))
