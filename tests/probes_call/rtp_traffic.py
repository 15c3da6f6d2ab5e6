"""Calls made up for tests: RTP as bytes with times, and captures of it written as a capture program would."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.random import Generator

START_NS = 1_795_406_400_000_000_000
SECRET = b"what was said is nobody's business"
"""The payload: must be found nowhere."""


@dataclass(frozen=True)
class Sent:
    """One UDP datagram at a time."""

    time_ns: int
    source: tuple[str, int]
    destination: tuple[str, int]
    payload: bytes


@dataclass(frozen=True)
class Stream:
    """A sender of RTP; `packets` makes what it sends."""

    ssrc: int
    payload_type: int
    rate_hz: int
    source: tuple[str, int] = ("10.1.2.3", 5004)
    destination: tuple[str, int] = ("203.0.113.9", 6004)
    start_ns: int = START_NS
    first_sequence: int = 0
    first_stamp: int = 0
    per_s: float = 50.0
    """Frames of sound or picture."""
    sizes: tuple[int, ...] = (160,)
    """Payload octets of the packets of a frame, in turn over frames: see `picture`."""
    marks: str = "never"
    """`never`, or `frame`: the last packet of each."""
    spread_ns: int = 0
    """Time between packets of a frame."""
    frame_sizes: tuple[tuple[int, ...], ...] = field(default=())

    def packets(self, frames: int) -> Iterator[Sent]:
        sequence = self.first_sequence
        for number in range(frames):
            sizes = self.frame_sizes[number % len(self.frame_sizes)] if self.frame_sizes else self.sizes
            stamp = self.first_stamp + round(number * self.rate_hz / self.per_s)
            for index, size in enumerate(sizes):
                marked = self.marks == "frame" and index == len(sizes) - 1
                yield Sent(
                    self.start_ns + round(number * 1e9 / self.per_s) + index * self.spread_ns,
                    self.source,
                    self.destination,
                    rtp(sequence, stamp, self.ssrc, self.payload_type, marked=marked, payload=secret(size)),
                )
                sequence += 1


def secret(size: int) -> bytes:
    return (SECRET * (size // len(SECRET) + 1))[:size]


def rtp(
    sequence: int, stamp: int, ssrc: int, payload_type: int, *, marked: bool = False, payload: bytes = b""
) -> bytes:
    second = payload_type | 0x80 * marked
    return (
        struct.pack(">BBHII", 0x80, second, sequence & 0xFFFF, stamp & 0xFFFFFFFF, ssrc & 0xFFFFFFFF)
        + payload
    )


def sound(ssrc: int = 0x1111, **more: object) -> Stream:
    """G.711 at 50 packets a second."""
    return Stream(**{"ssrc": ssrc, "payload_type": 0, "rate_hz": 8000, **more})  # type: ignore[arg-type]


def picture(ssrc: int = 0x2222, seed: int = 7, **more: object) -> Stream:
    """30 frames a second of four packets about a millisecond apart, of H.263's static payload type."""
    rng = np.random.default_rng(seed)
    frames = tuple((int(size),) * int(count) for size, count in zip(rng.integers(600, 1150, 97), rng.integers(2, 6, 97), strict=True))  # fmt: skip
    settled = {"ssrc": ssrc, "payload_type": 34, "rate_hz": 90_000, "per_s": 30.0, "frame_sizes": frames, "marks": "frame", "spread_ns": 900_000}  # fmt: skip
    return Stream(**{**settled, **more})  # type: ignore[arg-type]


def jittered(sent: Iterable[Sent], rng: Generator, mean_ms: float) -> list[Sent]:
    """Delayed by an exponential time, without overtaking."""
    found: list[Sent] = []
    last = 0
    for one in sorted(sent, key=lambda s: s.time_ns):
        last = max(last + 1000, one.time_ns + int(rng.exponential(mean_ms) * 1e6))
        found.append(Sent(last, one.source, one.destination, one.payload))
    return found


def in_order(*parts: Iterable[Sent]) -> list[Sent]:
    return sorted((one for part in parts for one in part), key=lambda s: s.time_ns)


def ip_packet(one: Sent) -> bytes:
    """IP and UDP headers before the payload, with checksums that a capture program would not mind."""
    source, destination = ip_address(one.source[0]), ip_address(one.destination[0])
    udp = struct.pack(">HHHH", one.source[1], one.destination[1], 8 + len(one.payload), 0)
    if source.version == 6:
        header = struct.pack(">IHBB", 6 << 28, len(udp) + len(one.payload), 17, 64)
        return header + source.packed + destination.packed + udp + one.payload
    header = struct.pack(">BBHHHBBH", 0x45, 0, 28 + len(one.payload), 0, 0x4000, 64, 17, 0)
    head = header + source.packed + destination.packed
    words = sum(struct.unpack(">10H", head))
    words = (words & 0xFFFF) + (words >> 16)
    head = head[:10] + struct.pack(">H", 0xFFFF - ((words & 0xFFFF) + (words >> 16))) + head[12:]
    return head + udp + one.payload


def ethernet(packet: bytes, vlans: tuple[int, ...] = ()) -> bytes:
    tags = b"".join(struct.pack(">HH", 0x8100, vlan) for vlan in vlans)
    kind = 0x86DD if packet[0] >> 4 == 6 else 0x0800
    return bytes.fromhex("020000000001020000000002") + tags + struct.pack(">H", kind) + packet


def write_pcap(path: Path, sent: Iterable[Sent], *, vlans: tuple[int, ...] = (), order: str = "<") -> Path:
    """A pcap file of nanoseconds with an Ethernet link."""
    parts = [struct.pack(order + "IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)]
    for one in sent:
        frame = ethernet(ip_packet(one), vlans)
        parts += [struct.pack(order + "IIII", one.time_ns // 10**9, one.time_ns % 10**9, len(frame), len(frame)), frame]  # fmt: skip
    path.write_bytes(b"".join(parts))
    return path


def write_pcapng(path: Path, sent: Iterable[Sent], *, order: str = "<") -> Path:
    """A pcapng file of nanoseconds."""

    def block(kind: int, body: bytes) -> bytes:
        body += b"\0" * (-len(body) % 4)
        return (
            struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)
        )

    parts = [block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))]
    options = struct.pack(order + "HHB3xHH", 9, 1, 9, 0, 0)
    parts.append(block(1, struct.pack(order + "HHI", 1, 0, 262144) + options))
    for one in sent:
        frame = ethernet(ip_packet(one))
        head = struct.pack(
            order + "IIIII", 0, one.time_ns >> 32, one.time_ns & 0xFFFFFFFF, len(frame), len(frame)
        )
        parts.append(block(6, head + frame))
    path.write_bytes(b"".join(parts))
    return path
