"""STAMP packets, time stamps and the search for capacity: which function answers which topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from probes.rate_adjustment import RateState
from probes.stamp import stamp_auth, timestamps
from probes.stamp import stamp_tlv_codec as tlvs
from probes.stamp.packets import BASE, SenderPacket, reflect
from probes.stamp.timestamps import ErrorEstimate

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


def _request(given: Json) -> SenderPacket:
    stamp = timestamps.ntp64(given["unix_ns"])
    return SenderPacket(given["seq"], stamp, given["error_estimate"], given["ssid"])


def _signed(packet: bytes) -> Json:
    return {"hex": packet.hex(), "hmac_hex": packet[96:112].hex(), "length": len(packet)}


def _sender_auth(given: Json) -> Json:
    return _signed(stamp_auth.pack_request(_request(given), bytes.fromhex(given["key_hex"])))


def _reflector_auth(given: Json) -> Json:
    key, received = bytes.fromhex(given["key_hex"]), bytes.fromhex(given["received_packet_hex"])
    request = stamp_auth.parse_request(received, key)
    reply = reflect(
        request,
        sequence=given["reflector_seq"] if given.get("mode") == "stateful" else request.sequence,
        received_at=timestamps.ntp64(given["rx_unix_ns"]),
        sent_at=timestamps.ntp64(given["tx_unix_ns"]),
        error_estimate=given["error_estimate"],
        ttl=given["received_ttl"],
    )
    return _signed(stamp_auth.pack_reply(reply, key, received[stamp_auth.BASE :]))


def _mac(given: Json) -> Json:
    return {
        "hex": stamp_auth.truncated_mac(bytes.fromhex(given["key_hex"]), given["data_ascii"].encode()).hex()
    }


def _integrity(given: Json) -> Json:
    before = bytes.fromhex(given["preceding_tlvs_hex"])
    found = tlvs.integrity(bytes.fromhex(given["key_hex"]), given["seq"], before)
    return {"hmac_tlv_hex": found.pack().hex()}


def _tlv(given: Json) -> Json:
    fields = given["fields"]
    makers: dict[int, Callable[[], tlvs.Tlv]] = {
        1: lambda: tlvs.extra_padding(fields["length"]),
        2: lambda: tlvs.location(tlvs.LocationRequest(fields["subtlv"])),
        3: tlvs.timestamp_information,
        4: lambda: tlvs.class_of_service(fields["dscp1"]),
        5: lambda: tlvs.direct_measurement(fields["s_txc"]),
        6: lambda: tlvs.access_report(fields["access_id"], fields["return_code"]),
        7: tlvs.follow_up,
        252: lambda: tlvs.private(252, fields["pen"], b"nokia"),  # the rows leave the value to their source
        200: lambda: tlvs.Tlv(200, b"abcd"),
    }
    return {"hex": makers[fields["type"]]().pack().hex()}


def _rate(given: Json) -> Json:
    state = RateState(*given["start"])
    states = []
    for errors, delay in given["feedback"]:
        state = state.after(errors, delay)
        states.append([state.row, state.bad])
    return {"states": states}


STAMP_TOPICS: Final[dict[str, Callable[[Json], Json]]] = {
    "error_estimate_decode": _estimate_decode,
    "error_estimate_encode": _estimate_encode,
    "ntp64": _ntp64,
    "ntp64_decode": _ntp64_decode,
    "ptp_truncated64": _ptp,
    "hmac_sha256_128": _mac,
    "rfc9097_rate_adj": _rate,
    "stamp_hmac_tlv": _integrity,
    "stamp_reflector_auth": _reflector_auth,
    "stamp_sender_auth": _sender_auth,
    "stamp_tlv_encode": _tlv,
    "stamp_reflector_unauth": _reflector,
    "stamp_sender_unauth": _sender,
}
