"""STAMP packets and time stamps: which function answers which topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from probes import timestamps
from probes.stamp import BASE, SenderPacket, reflect
from probes.timestamps import ErrorEstimate

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]


def _fields(stamp: int, second: str) -> Json:
    return {"seconds": stamp >> 32, second: stamp & 0xFFFF_FFFF, "hex": f"{stamp:016x}"}


def _ntp64(given: Json) -> Json:
    return _fields(timestamps.ntp64(given["unix_ns"]), "fraction")


def _ntp64_decode(given: Json) -> Json:
    stamp = given["seconds"] << 32 | given["fraction"]
    return {"unix_ns": timestamps.unix_ns(stamp, given["era"])}


def _ptp(given: Json) -> Json:
    return _fields(timestamps.ptp64(given["tai_ns"]), "nanoseconds")


def _estimate_decode(given: Json) -> Json:
    found = ErrorEstimate.decode(given["value"])
    return {
        "S": int(found.synchronised),
        "Z": int(found.ptp),
        "scale": found.scale,
        "multiplier": found.multiplier,
        "seconds": found.seconds,
    }


def _estimate_encode(given: Json) -> Json:
    found = ErrorEstimate.of(given["seconds"], synchronised=bool(given["S"]), ptp=bool(given["Z"]))
    return {"value": found.encode(), "decoded_seconds": found.seconds}


def _sender(given: Json) -> Json:
    stamp = timestamps.ntp64(given["unix_ns"])
    packet = SenderPacket(given["seq"], stamp, given["error_estimate"], given["ssid"]).pack()
    return {"hex": packet.hex(), "length": len(packet)}


def _reflector(given: Json) -> Json:
    received = bytes.fromhex(given["received_packet_hex"])
    reply = reflect(
        SenderPacket.parse(received),
        sequence=given["reflector_seq"],
        received_at=timestamps.ntp64(given["rx_unix_ns"]),
        sent_at=timestamps.ntp64(given["tx_unix_ns"]),
        error_estimate=given["error_estimate"],
        ttl=given["received_ttl"],
    ).pack(received[BASE:])
    return {"hex": reply.hex(), "length": len(reply)}


STAMP_TOPICS: Final[dict[str, Callable[[Json], Json]]] = {
    "error_estimate_decode": _estimate_decode,
    "error_estimate_encode": _estimate_encode,
    "ntp64": _ntp64,
    "ntp64_decode": _ntp64_decode,
    "ptp_truncated64": _ptp,
    "stamp_reflector_unauth": _reflector,
    "stamp_sender_unauth": _sender,
}
