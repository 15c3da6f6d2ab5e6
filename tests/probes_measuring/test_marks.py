"""What an office may ask of its test packets: a DSCP, whose fate the reflector tells, and PTP time stamps."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from probes.kernel.kernel_stamps import IP_RECVTOS
from probes.measuring.measurer import Measurer
from probes.measuring.session import Session
from probes.publishing.office_settings import OfficeSettings
from probes.publishing.signing_sessions import SessionMarks
from probes.reflecting.reflector import Reflector
from probes.reflecting.reflector_policy import ReflectorPolicy
from probes.stamp.packets import PTP_FLAG, SenderPacket
from probes.stamp.timestamps import TAI_UTC_SECONDS, tai_ns
from telemetry.windows import SECOND_NS
from tests.probes_measuring.judging import gather, judged, until

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
    """A device on the way that marks every request anew, as a provider does, and takes the mark off replies."""

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


async def test_a_remarked_dscp_is_told_and_ptp_stamps_are_matched(reflector: tuple[str, int]) -> None:
    """Through the whole measurer, unsigned and signed: sent with 46 and PTP, arrived with 8, and the replies with none, which the window says."""
    plain, signed = Remarker(reflector, CS1), Remarker(reflector, CS1)
    await plain.run()
    await signed.run()
    measurer = Measurer()
    await measurer.start()
    marked = {"rate_pps": 50.0, "dscp": EF, "ptp": True}
    with_key = {"ssid": OFFICE, "secret": KEY}
    await measurer.set_sessions(
        [
            Session("agra", "main.plain", *plain.address, **marked),
            Session("agra", "main.signed", *signed.address, **marked, **with_key),
            Session("agra", "main.direct", *reflector, **marked, **with_key),
        ]
    )
    paths = ("main.plain", "main.signed", "main.direct")
    await until(lambda: all(judged(measurer, "agra", path) > 10 for path in paths))
    windows = await gather(measurer)
    for way in (plain, signed):
        way.close()
    streams = [stream for window in windows for stream in window.streams if stream.received]
    assert {(one.path, one.up.dscp, one.down.dscp) for one in streams} == {
        ("main.plain", CS1, 0),
        ("main.signed", CS1, 0),
        ("main.direct", EF, EF),
    }
    assert all(one.rtt is not None for one in streams)
    data, dscp = plain.seen[0]
    asked = SenderPacket.parse(data)
    assert (dscp, asked.error_estimate & PTP_FLAG) == (EF, PTP_FLAG)
    assert abs(tai_ns(asked.timestamp) / SECOND_NS - TAI_UTC_SECONDS - windows[0].start_ns / SECOND_NS) < 300


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
