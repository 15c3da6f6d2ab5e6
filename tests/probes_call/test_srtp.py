"""SRTP as a phone would send it (RFC 3711, AES-CM with HMAC-SHA1-80): measured as plain RTP is, for headers stay plain."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from probes.call.call_meter import CallRule
from probes.call.measure_file import measure_file
from tests.probes_call.rtp_traffic import SECRET, Sent, jittered, picture, write_pcap

if TYPE_CHECKING:
    from pathlib import Path

MASTER_KEY = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139")
MASTER_SALT = bytes.fromhex("0EC675AD498AFEEBB6960B3AABE6")


def keystream(key: bytes, counter: int, size: int) -> bytes:
    cipher = Cipher(algorithms.AES(key), modes.CTR(counter.to_bytes(16))).encryptor()
    return cipher.update(bytes(size))


def derived(label: int, size: int) -> bytes:
    """Session keys, RFC 3711 4.3.1, key derivation rate 0."""
    x = int.from_bytes(MASTER_SALT) ^ (label << 48)
    return keystream(MASTER_KEY, x << 16, size)


def protected(packet: bytes, rollover: int) -> bytes:
    """One SRTP packet: payload under AES-CM, ten octets of HMAC-SHA1 behind it."""
    key, authority, salt = derived(0, 16), derived(1, 20), derived(2, 14)
    index = rollover << 16 | int.from_bytes(packet[2:4])
    counter = int.from_bytes(salt) << 16 ^ int.from_bytes(packet[8:12]) << 64 ^ index << 16
    stream = keystream(key, counter, len(packet) - 12)
    hidden = packet[:12] + bytes(a ^ b for a, b in zip(packet[12:], stream, strict=True))
    return hidden + hmac.new(authority, hidden + rollover.to_bytes(4), hashlib.sha1).digest()[:10]


def test_the_keys_are_those_of_the_rfc() -> None:
    """The derivation gives RFC 3711 B.3's values, so what is sent here is SRTP indeed."""
    assert derived(0, 16).hex().upper() == "C61E7A93744F39EE10734AFE3FF7A087"
    assert derived(2, 14).hex().upper() == "30CBBC08863D8C85D49DB34A9AE1"
    assert derived(1, 20).hex().upper().startswith("CEBE321F6FF7716B6FD4AB49AF256A15")


def test_an_srtp_picture_is_measured_as_the_same_in_the_clear(tmp_path: Path) -> None:
    """Over the wrap-around too: the same losses, jitter, frames and freezes; only ten octets more a packet."""
    rng = np.random.default_rng(4)
    plain = [
        one
        for k, one in enumerate(
            jittered(picture(first_sequence=65_300, payload_type=96).packets(300), rng, 2)
        )
        if k % 61 != 60
    ]
    rolled = [
        Sent(one.time_ns, one.source, one.destination, protected(one.payload, int(one.payload[2] < 0x80)))
        for one in plain
    ]
    assert not any(SECRET[:12] in one.payload for one in rolled)
    (clear,) = measure_file(write_pcap(tmp_path / "clear.pcap", plain), CallRule()).flows
    (hidden,) = measure_file(write_pcap(tmp_path / "hidden.pcap", rolled), CallRule()).flows
    a, b = clear.figures(), hidden.figures()
    assert b.octets == a.octets + 10 * len(plain)
    for name in ("packets", "expected", "lost", "jitter_ms", "jitter_max_ms", "frames", "freezes", "rate_hz"):
        assert getattr(a, name) == getattr(b, name), name
    assert a.lost > 10
    assert hidden.media == "video"
