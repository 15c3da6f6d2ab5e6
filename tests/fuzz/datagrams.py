"""Datagrams that a reflector on a public port may see: true packets of every kind, whole, cut, changed, and rubbish."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from probes.stamp import stamp_auth
from probes.stamp import stamp_tlv_codec as tlvs
from probes.stamp.packets import SenderPacket, reflect
from probes.stamp.stamp_tlv import trailer
from probes.stamp.timestamps import ntp64

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

_OWN = tuple(tlvs.LocationRequest)
_CHANGED, _CUT = 0.6, 0.3
LARGEST = 1472


def datagram(chance: random.Random, keys: Mapping[int, bytes]) -> bytes:
    """The next one; signed ones use one of the `keys` (SSID -> key), or an SSID that has none."""
    packet = bytearray(_whole(chance, keys))
    if chance.random() < _CHANGED:
        for _ in range(chance.choice((1, 1, 2, 8))):
            if packet:
                packet[chance.randrange(len(packet))] = chance.choice(
                    (0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256))
                )
    if chance.random() < _CUT:
        del packet[chance.randrange(len(packet) + 1) :]
    return bytes(packet)


def _whole(chance: random.Random, keys: Mapping[int, bytes]) -> bytes:
    kind = chance.randrange(8)
    if kind == 0:
        return chance.randbytes(chance.choice((0, 13, 14, 43, 44, 45, 111, 112, 113, 172, LARGEST)))
    ssid = chance.choice((*keys, 0, 4000))
    now = ntp64(time.time_ns())
    request = SenderPacket(chance.getrandbits(32), now, chance.choice((0x8001, 0x0001, 0xC0FF)), ssid)
    if kind == 1:
        return request.pack(trailer())
    if kind == 2:
        reply = reflect(request, sequence=1, received_at=now, sent_at=now, error_estimate=1, ttl=9)
        return reply.pack(trailer())
    tail = _tlvs(chance)
    if kind < 5:
        return request.pack(tail)
    key = keys.get(ssid, b"nobody's")
    tail += tlvs.integrity(key, request.sequence, tail).pack()
    return stamp_auth.pack_request(request, key, tail)


def _tlvs(chance: random.Random) -> bytes:
    made = (
        lambda: tlvs.extra_padding(chance.randrange(40)),
        lambda: tlvs.location(chance.choice(_OWN)),
        tlvs.timestamp_information,
        lambda: tlvs.class_of_service(chance.randrange(64)),
        lambda: tlvs.direct_measurement(chance.getrandbits(32)),
        lambda: tlvs.access_report(chance.randrange(3), chance.randrange(3)),
        tlvs.follow_up,
        lambda: tlvs.Tlv(chance.randrange(256), chance.randbytes(chance.randrange(20))),
    )
    return b"".join(chance.choice(made)().pack() for _ in range(chance.randrange(6)))
