"""What an office may ask of its test packets: a DSCP, whose fate the reflector tells, and PTP time stamps."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from probes.kernel_stamps import IP_RECVTOS
from probes.measurer import Measurer
from probes.office_settings import OfficeSettings
from probes.reflector import Reflector
from probes.reflector_policy import ReflectorPolicy
from probes.session import Session
from probes.signing_sessions import SessionMarks
from probes.stamp import PTP_FLAG, SenderPacket
from probes.timestamps import TAI_UTC_SECONDS, tai_ns
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY, OFFICE, EF, CS1 = b"k" * 32, 77, 46, 8


@pytest.fixture
def reflector() -> Iterator[tuple[str, int]]:
    """One on loopback that knows the office."""
    with Reflector([("127.0.0.1", 0)], policy=ReflectorPolicy(keys={OFFICE: KEY})) as one:
        thread = threading.Thread(target=one.serve, name="reflector")
        thread.start()
        yield one.addresses[0]
        one.stop()
        thread.join()


class Remarker:
    """A device on the way that marks every request anew, as a provider does, and lets replies through."""

    def __init__(self, to: tuple[str, int], dscp: int) -> None:
        self._near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._near.bind(("127.0.0.1", 0))
        self._near.setsockopt(socket.IPPROTO_IP, IP_RECVTOS, 1)
        self._far.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)
        self._far.connect(to)
        self.address: tuple[str, int] = self._near.getsockname()
        self.seen: list[tuple[bytes, int]] = []
        """Requests, and the DSCP that each came with."""
        self._office: Any = None

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for sock, on in ((self._near, self._request), (self._far, self._reply)):
            sock.setblocking(False)
            loop.add_reader(sock, on)

    def _request(self) -> None:
        data, beside, _, self._office = self._near.recvmsg(2048, 64)
        self.seen.append((data, beside[0][2][0] >> 2))
        self._far.send(data)

    def _reply(self) -> None:
        self._near.sendto(self._far.recv(2048), self._office)

    def close(self) -> None:
        for sock in (self._near, self._far):
            asyncio.get_running_loop().remove_reader(sock)
            sock.close()


@pytest.mark.parametrize("secret", [b"", KEY])
async def test_a_remarked_dscp_is_told_and_ptp_stamps_are_matched(
    reflector: tuple[str, int], secret: bytes
) -> None:
    """Through the whole measurer: sent with 46 and PTP, arrived with 8, which the window says; every reply is ours."""
    way = Remarker(reflector, CS1)
    await way.run()
    measurer = Measurer()
    await measurer.start()
    common = {"rate_pps": 50.0, "ssid": OFFICE if secret else 0, "secret": secret, "dscp": EF, "ptp": True}
    await measurer.set_sessions(
        [
            Session("agra", "main.way", *way.address, **common),
            Session("agra", "main.direct", *reflector, **common),
        ]
    )
    async with asyncio.timeout(60):
        while len(way.seen) < 40:
            await asyncio.sleep(0.05)
        await asyncio.sleep(3.1)  # packets of the last 3 s before a stop count as not sent
    await measurer.stop()
    windows = [window async for window in measurer.windows()]
    way.close()
    streams = [stream for window in windows for stream in window.streams]
    arrived = {(stream.path, stream.up.dscp) for stream in streams if stream.received}
    assert arrived == {("main.way", CS1), ("main.direct", EF)}
    assert all(stream.lost == 0 for stream in streams)
    assert any(stream.rtt is not None and stream.rtt.p50_ms < 50 for stream in streams)
    data, dscp = way.seen[0]
    assert dscp == EF
    if not secret:
        asked = SenderPacket.parse(data)
        assert asked.error_estimate & PTP_FLAG
        assert (
            abs(tai_ns(asked.timestamp) / SECOND_NS - TAI_UTC_SECONDS - windows[0].start_ns / SECOND_NS) < 60
        )


def test_the_offices_own_mark_goes_before_the_plans(tmp_path: Path) -> None:
    """The hub marks the fleet; an office that names a mark keeps it."""
    session = Session("agra/p1", "main.state", "127.0.0.1", 9, 10.0)

    def marked(planned: int, **own: Any) -> tuple[int, bool]:
        office = OfficeSettings(
            site="agra", probe="p1", broker_host="x", broker_port=1, spool=tmp_path / "s.db", **own
        )
        (found,) = SessionMarks(office).on([session], planned)
        return found.dscp, found.ptp

    assert marked(0) == (0, False)
    assert marked(EF) == (EF, False)
    assert marked(EF, dscp=CS1, ptp=True) == (CS1, True)
