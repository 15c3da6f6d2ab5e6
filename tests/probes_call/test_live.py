"""Live: real packets over loopback through the kernel's filter and ring, the items in the envelope, the flag."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from probes.call.live_call import LiveCall
from probes.call.packet_ring import FRAME, PacketRing
from probes.call.packets import datagrams
from probes.call.watch import CallWatch
from probes.measuring.session import ClosedWindow
from probes.publishing.agent import Agent
from probes.publishing.office_settings import OfficeSettings
from telemetry.clock import ManualClock, SystemClock
from telemetry.messages import Call, Clock, SelfReport
from telemetry.windows import SECOND_NS, WINDOW_NS, window_start
from tests.probes_call.rtp_traffic import SECRET, rtp, secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path


def settings(folder: Path, **more: object) -> OfficeSettings:
    told = {"site": "agra", "probe": "p1", "broker_host": "127.0.0.1", "broker_port": 1, "spool": folder / "s.db", "call_interface": "lo", **more}  # fmt: skip
    return OfficeSettings(**told)  # type: ignore[arg-type]


@pytest.fixture
def ring() -> Iterator[PacketRing]:
    with PacketRing("lo") as made:
        yield made


@pytest.fixture(params=["127.0.0.1", "::1"])
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A sender connected to a receiver, over either family."""
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as there, socket.socket(family, socket.SOCK_DGRAM) as here:
        there.bind((request.param, 0))
        here.connect(there.getsockname())
        yield here, there


def caught(ring: PacketRing, port: int, least: int) -> np.ndarray:
    """Wait for packets to a port; what the kernel copied of each, as rows of the ring."""
    rows: list[np.ndarray] = []
    until = time.monotonic() + 60
    while len(rows) < least and time.monotonic() < until:
        drain(ring, port, rows)
        time.sleep(0.01)
    assert len(rows) >= least
    return np.stack(rows)


def drain(ring: PacketRing, port: int, rows: list[np.ndarray]) -> None:
    """Empty the ring, so that others' packets on this loopback do not fill it."""
    while (got := ring.catch()) is not None:
        packets = datagrams(got.octets, got.ip_at, got.captured, got.time_ns, got.way)
        for at in packets.ip_at.tolist():
            udp = at + (40 if got.octets[at] >> 4 == 6 else 20)
            if int.from_bytes(got.octets[udp + 2 : udp + 4].tobytes()) == port:
                place = at // FRAME * FRAME
                rows.append(got.octets[place : place + FRAME].copy())
        ring.release(got)


@pytest.mark.needs("capture")
def test_the_kernel_hands_over_no_payload(
    ring: PacketRing, ends: tuple[socket.socket, socket.socket]
) -> None:
    """Of each datagram only headers are copied: RTP's, RTP's in a TURN channel, one octet of anything else."""
    here, there = ends
    said = secret(200)
    for k in range(4):
        here.send(rtp(k, k * 160, 7, 0, payload=said))
        here.send(b"\x40\x01\x00\xd4" + rtp(k, k * 160, 8, 0, payload=said))
        here.send(b"\x17" + said)
    rows = caught(ring, there.getsockname()[1], 12)
    everything = rows.tobytes()
    assert not any(SECRET[at : at + 4] in everything for at in range(len(SECRET) - 4))
    captured = rows[:, 8:12].copy().view("<u4").ravel()
    header = 48 if here.family == socket.AF_INET6 else 28
    assert captured[:3].tolist() == [header + 12, header + 16, header + 1]


@pytest.mark.needs("capture")
def test_the_ring_agrees_with_a_capture_program(
    tmp_path: Path, ring: PacketRing, program: Callable[[str], str]
) -> None:
    """The same datagrams through tshark's capture and ours: as many, of the same sizes, in the same order."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here,
    ):
        there.bind(("127.0.0.1", 0))
        here.connect(there.getsockname())
        port = there.getsockname()[1]
        file = tmp_path / "lo.pcap"
        command = [program("tshark"), "-i", "lo", "-f", f"udp dst port {port}", "-F", "pcap", "-w", str(file), "-c", "50", "-q"]  # fmt: skip
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            for line in process.stderr:
                if "Capturing on" in line:
                    break
            until = time.monotonic() + 60
            rows: list[np.ndarray] = []
            k = 0
            while process.poll() is None and time.monotonic() < until:
                here.send(rtp(k, k * 160, 9, 0, payload=secret(20 + k % 90)))
                k += 1
                time.sleep(0.005)
                drain(ring, port, rows)
            process.kill()
        lengths = np.stack(rows)[:, 4:8].copy().view("<u4").ravel()
    from probes.call.capture_file import read_capture

    (batch,) = read_capture(file)
    theirs = datagrams(batch.octets, batch.ip_at, batch.captured, batch.time_ns)
    begin = int(theirs.sequence[0])
    assert len(theirs) == 50
    # exactly from there on, but for packets that the ring itself says it had no room for on a loopback that others flood
    missed = min(begin, ring.dropped())
    ours = [lengths[at : at + 50].tolist() for at in range(begin - missed, begin + 1)]
    assert theirs.length.tolist() in ours


@pytest.mark.needs("capture")
async def test_a_live_call_is_seen_and_reported(tmp_path: Path) -> None:
    """RTP over loopback raises the flag; its window goes into the envelope; when it ends, the flag falls."""
    clock = SystemClock()
    watch = CallWatch(settings(tmp_path), clock)
    running = asyncio.create_task(watch.run())
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here,
    ):
        there.bind(("127.0.0.1", 0))
        here.connect(there.getsockname())
        sent = 0
        ssrc = int.from_bytes(os.urandom(4)) | 1
        until = time.monotonic() + 60
        while not (seen := watch.live.seen_within(SECOND_NS)) and time.monotonic() < until:
            here.send(rtp(sent, sent * 160, ssrc, 0, payload=secret(160)))
            sent += 1
            await asyncio.sleep(0.02)
        assert watch.live.watching
        assert seen
        assert sent >= 8
    running.cancel()
    start_ns = window_start(clock.now_ns())
    closed = watch._meter.close_until(start_ns + 3 * WINDOW_NS)
    mine = [window.item() for window in closed if window.flow.startswith(f"{ssrc:08x}-")]
    assert [item.media for item in mine] == ["audio"] * len(mine)
    assert sum(item.packets for item in mine) <= sent
    assert not any(item.lost for item in mine)
    assert mine


class Stub:
    """A measurer of one window."""

    def __init__(self, start_ns: int) -> None:
        self.window = ClosedWindow(
            office="agra/p1", start_ns=start_ns, mono_ns=1, clock=Clock(), self_report=SelfReport(), streams=()
        )  # fmt: skip

    async def windows(self) -> AsyncIterator[ClosedWindow]:
        yield self.window


async def test_calls_go_into_their_windows_envelope(tmp_path: Path) -> None:
    """What the watch closed for a window is among the items of the report of that window."""
    stub = Stub(100 * WINDOW_NS)
    agent = Agent([settings(tmp_path)], stub, clock=ManualClock(101 * WINDOW_NS, 0))
    call = Call(flow="a-1", media="audio", direction="up", packets=3, lost=0)
    agent.calls["agra/p1"]._closed[stub.window.start_ns] = (call,)
    agent._ending = True
    await agent._hand_out()
    assert agent.offices["agra/p1"]._waiting[0].items == (call,)


def test_without_the_setting_nobody_watches(tmp_path: Path) -> None:
    """Off by default: no socket, no task, no flag."""
    agent = Agent([settings(tmp_path, call_interface="")], Stub(0), clock=ManualClock(0, 0))
    assert agent.calls == {}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(errno.EPERM, "Operation not permitted"), "CAP_NET_RAW"),
        (OSError(errno.ENODEV, "No such device"), "there is no interface lo"),
    ],
)
async def test_what_cannot_be_watched_is_said(
    error: OSError, words: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """No permission, no interface: one line with the remedy, and the agent goes on."""

    def refuse(_: str) -> PacketRing:
        raise error

    watch = CallWatch(settings(tmp_path), ManualClock(0, 0), ring=refuse)
    await watch._watch()
    await watch._watch()
    (record,) = caplog.records
    assert words in record.message
    assert not watch.live.watching


@pytest.mark.needs("capture")
def test_a_machine_without_the_interface_is_told() -> None:
    """The kernel's own refusal is the one that is explained."""
    with pytest.raises(OSError, match="No such device") as refused:
        PacketRing("none-such0")
    assert refused.value.errno == errno.ENODEV


def test_the_flag_falls_with_time() -> None:
    """Seen within a second, and not after it; before anything was seen, never."""
    clock = ManualClock(0, 5)
    live = LiveCall(clock)
    assert not live.seen_within(10**18)
    live.note()
    clock.advance(SECOND_NS)
    assert live.seen_within(SECOND_NS)
    clock.advance(1)
    assert not live.seen_within(SECOND_NS)


class Full:
    """A ring that was full."""

    def catch(self) -> None:
        return None

    def dropped(self) -> int:
        return 3


def test_a_window_with_missed_packets_is_left_out(tmp_path: Path) -> None:
    """What this machine missed would be told as lost on the line."""
    clock = ManualClock(100 * WINDOW_NS, 0)
    watch = CallWatch(settings(tmp_path), clock)
    watch.look(Full())  # type: ignore[arg-type]
    assert 100 * WINDOW_NS in watch._spoilt
    assert "packets were missed" in (watch._trouble.trouble or "")


def test_a_set_clock_spoils_no_duration(tmp_path: Path) -> None:
    """When the clock is set, what is at hand is forgotten: no gap or jitter comes of the step."""

    class Empty:
        def catch(self) -> None:
            return None

        def dropped(self) -> int:
            return 0

    clock = ManualClock(100 * WINDOW_NS, 0)
    watch = CallWatch(settings(tmp_path), clock)
    watch.look(Empty())  # type: ignore[arg-type]
    watch._meter._start_ns = 100 * WINDOW_NS
    clock.advance(SECOND_NS)
    watch.look(Empty())  # type: ignore[arg-type]
    assert watch._meter._start_ns == 100 * WINDOW_NS
    for step in (-3600 * SECOND_NS, 3600 * SECOND_NS):
        watch._meter._start_ns = 100 * WINDOW_NS
        clock.step(step)
        watch.look(Empty())  # type: ignore[arg-type]
        assert watch._meter._start_ns is None
