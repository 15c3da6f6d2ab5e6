"""The authenticated mode from the sending socket to the record that the meter gets."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from probes.kernel.kernel_stamps import IP_RECVTOS
from probes.measuring.measurer import Measurer
from probes.measuring.measuring_messages import Open, decode_orders, encode_orders
from probes.measuring.records import REPLY
from probes.measuring.reply_reader import ReplyReader
from probes.measuring.session import Session
from probes.measuring.session_sender import SessionSender
from probes.reflecting.reflector import Reflector
from probes.reflecting.reflector_policy import ReflectorPolicy
from probes.stamp import stamp_auth
from probes.stamp.packets import REFLECTOR, SenderPacket, reflect
from probes.stamp.stamp_tlv import DEFAULT_PAYLOAD, Mode, signed_trailer
from probes.stamp.timestamps import ntp64
from telemetry.messages import StampSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

KEY, OFFICE = b"k" * 32, 77


def order(port: int, *, key: bytes = KEY, number: int = 1, address: str = "127.0.0.1", dscp: int = 0) -> Open:
    made = Open(
        number, address, port, OFFICE, rate_pps=10.0, phase=0.0, payload=DEFAULT_PAYLOAD, key=key, dscp=dscp
    )
    ((back,),) = (decode_orders(message) for message in encode_orders([made]))
    assert isinstance(back, Open)
    return back


def replies_of(
    reader_and_out: tuple[ReplyReader, list[NDArray[np.void]]], senders: Sequence[SessionSender], count: int
) -> NDArray[np.void]:
    """All that is bound to come, as replies or as what is not authentic: a busy kernel hands datagrams on late."""
    reader, out = reader_and_out
    out.clear()
    until = time.monotonic() + 60
    while sum(map(len, out)) + reader.not_authentic < count and time.monotonic() < until:
        reader.read(senders, time.monotonic_ns(), 0, ambiguous=False)
    found = np.concatenate(out)
    return found[
        np.argsort(found["session"], kind="stable")
    ]  # each session's in the order in which they came


@pytest.fixture
def reading() -> tuple[ReplyReader, list[NDArray[np.void]]]:
    out: list[NDArray[np.void]] = []
    return ReplyReader(lambda records: out.append(np.frombuffer(records, dtype=REPLY)), lambda _: None), out


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_signed_and_unsigned_sessions_side_by_side(
    reading: tuple[ReplyReader, list[NDArray[np.void]]], host: str
) -> None:
    """Both come back as the same records, with the reflector's facts, whichever layout they had on the wire."""
    with Reflector([(host, 0)], policy=ReflectorPolicy(keys={OFFICE: KEY})) as reflector:
        port = reflector.addresses[0][1]
        senders = [
            SessionSender(order(port, key=key, number=number, address=host, dscp=46), 0x8001)
            for number, key in enumerate((b"", KEY, b"", KEY), start=1)
        ]
        for sender in senders:
            sender.open()
            sender.set_error_estimate(0x8002)
        t1 = time.time_ns()
        for sender in senders:
            assert sender.send(t1)
            assert sender.send(t1 + 1000)
        while reflector.counters.received < 8:
            reflector.serve_once(10.0)
        found = replies_of(reading, senders, 8)
        for sender in senders:
            sender.close()
    assert reflector.counters.answered == 8
    assert found["session"].tolist() == [1, 1, 2, 2, 3, 3, 4, 4]
    assert found["sequence"].tolist() == found["number"].tolist() == [0, 1] * 4
    assert found["t1"].tolist() == [ntp64(t1), ntp64(t1 + 1000)] * 4
    assert set(found["ssid"].tolist()) == {OFFICE}
    assert set(found["mode"].tolist()) == {Mode.STATEFUL}
    assert set(found["t2_by"].tolist()) == {StampSource.KERNEL}
    assert set(found["octets"].tolist()) == {DEFAULT_PAYLOAD}
    assert (found["t2"] <= found["t3"]).all()
    assert reading[0].not_authentic == 0


def test_what_is_not_authentic_is_no_reply(reading: tuple[ReplyReader, list[NDArray[np.void]]]) -> None:
    """A reply that was changed, unsigned or signed by another is dropped and counted; changed TLVs are not read."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.bind(("127.0.0.1", 0))
        far.settimeout(60)
        far.setsockopt(socket.IPPROTO_IP, IP_RECVTOS, 1)
        sender = SessionSender(order(far.getsockname()[1], dscp=46), 0x8001)
        sender.open()
        assert sender.send(time.time_ns())
        raw, beside, _, back = far.recvmsg(2048, 64)
        assert [(kind, data[0]) for _, kind, data in beside] == [(socket.IP_TOS, 46 << 2)]
        request = stamp_auth.parse_request(raw, KEY)
        assert (len(raw), request.sequence, request.ssid) == (DEFAULT_PAYLOAD, 0, OFFICE)
        reply = reflect(request, sequence=5, received_at=1, sent_at=2, error_estimate=1, ttl=64)
        good = stamp_auth.pack_reply(reply, KEY, raw[stamp_auth.BASE :])
        far.sendto(good[:50] + bytes((good[50] ^ 1,)) + good[51:], back)
        far.sendto(stamp_auth.pack_reply(reply, b"other"), back)
        far.sendto(reply.pack(bytes(REFLECTOR.size)), back)
        far.sendto(good[:100], back)
        facts = bytearray(good)
        facts[stamp_auth.BASE] = 0  # as if understood
        far.sendto(facts, back)
        found = replies_of(reading, [sender], 5)
        sender.close()
    assert found["number"].tolist() == [5]
    assert found["mode"].tolist() == [Mode.UNKNOWN]
    assert reading[0].not_authentic == 4


async def test_a_key_needs_its_ssid_and_room() -> None:
    """Sets of sessions that could not be signed are refused before anything is sent."""
    with pytest.raises(ValueError, match="needs the SSID"):
        await Measurer().set_sessions([Session("agra", "main.state", "127.0.0.1", 9, 10.0, secret=KEY)])
    with pytest.raises(ValueError, match="cannot be made"):
        await Measurer(payload=44).set_sessions(
            [Session("agra", "main.state", "127.0.0.1", 9, 10.0, ssid=OFFICE, secret=KEY)]
        )
    assert "kkkk" not in repr(Session("agra", "main.state", "127.0.0.1", 9, 10.0, ssid=OFFICE, secret=KEY))
    assert signed_trailer(112) == b""
    assert SenderPacket(1, 2, 3).ssid == 0
