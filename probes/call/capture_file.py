"""pcap and pcapng files, read in batches: where each packet's IP header is, and when it was captured.

The classic format with micro- or nanoseconds and either byte order; pcapng (IETF draft-ietf-opsawg-pcapng) with
enhanced, simple and obsolete packet blocks. Link layers: Ethernet, Linux cooked (both versions), raw IP, BSD loopback;
VLAN tags are stepped over. What stands behind the headers is not read.
"""

from __future__ import annotations

import mmap
import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from config.plain_file import open_plain
from probes.call.packets import Field

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

BATCH: Final = 1 << 15
SECOND_NS: Final = 10**9
MOST_TIME_NS: Final = 1 << 62
MOST_PACKET: Final = 1 << 18
"""As tcpdump's own bound; a longer packet means that the file is damaged."""

ETHERNET, RAW, RAW_OLD, NULL, LOOP, COOKED, COOKED_2, IPV4, IPV6 = 1, 101, 12, 0, 108, 113, 276, 228, 229
_IP_AFTER: Final = {
    ETHERNET: 14,
    COOKED: 16,
    COOKED_2: 20,
    RAW: 0,
    RAW_OLD: 0,
    IPV4: 0,
    IPV6: 0,
    NULL: 4,
    LOOP: 4,
}
"""Octets from the beginning of a packet to its IP header, without VLAN tags."""
_TYPE_AT: Final = {ETHERNET: 12, COOKED: 14, COOKED_2: 0}
"""Where the EtherType stands, for those that have one."""
_VLAN: Final = (0x8100, 0x88A8, 0x9100)
_IP: Final = (0x0800, 0x86DD)
_PCAP: Final = {b"\xd4\xc3\xb2\xa1": ("<", 1000), b"\xa1\xb2\xc3\xd4": (">", 1000), b"\x4d\x3c\xb2\xa1": ("<", 1), b"\xa1\xb2\x3c\x4d": (">", 1)}  # fmt: skip
_SECTION: Final = 0x0A0D0D0A
_INTERFACE, _OLD_PACKET, _SIMPLE, _ENHANCED = 1, 2, 3, 6
_RESOLUTION, _OFFSET = 9, 14
_MOST_INTERFACES: Final = 4096


class CaptureError(Exception):
    """The file is no capture, or one of a kind that is not read; the text is for the operator."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some packets of a capture, as `packets.datagrams` wants them."""

    octets: NDArray[np.uint8]
    ip_at: NDArray[np.int64]
    captured: NDArray[np.int64]
    time_ns: NDArray[np.int64]
    done_ratio: float
    """How much of the file has been read, 0..1."""


def read_capture(path: Path) -> Iterator[Batch]:
    """The IP packets of a capture file in its order, without other packets.

    A file that breaks off within a packet (a capture that was killed) is read up to there.

    Raises:
        CaptureError: the file is no capture, or of a link layer that is not read.
        OSError: it cannot be read.
    """
    with open_plain(path) as file:
        if os.fstat(file.fileno()).st_size < 24:
            raise CaptureError("it is too short to be a capture; name a pcap or pcapng file")
        # Not closed by hand: arrays look into it, and the last of them to go closes it.
        memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    yield from _batches(memory, np.frombuffer(memory, dtype=np.uint8))


def _batches(memory: mmap.mmap, octets: NDArray[np.uint8]) -> Iterator[Batch]:
    magic = memory[:4]
    if magic in _PCAP:
        records = _classic(memory)
    elif magic == _SECTION.to_bytes(4):
        records = _next_generation(memory)
    else:
        raise CaptureError(
            "it does not begin as a capture does; name a pcap or pcapng file (editcap -F pcapng converts others)"
        )
    size = len(octets)
    for links, places, lengths, times in records:
        for link in sorted(set(links)):
            mine = np.flatnonzero(np.asarray(links) == link)
            at, taken = np.asarray(places, np.int64)[mine], np.asarray(lengths, np.int64)[mine]
            time_ns = np.asarray(times, np.int64)[mine]
            done = float(at[-1] / size)
            batch = _located(octets, link, at, taken, time_ns, done)
            if len(batch.time_ns):
                yield batch


_Records = tuple[list[int], list[int], list[int], list[int]]


def _classic(memory: mmap.mmap) -> Iterator[_Records]:
    order, unit_ns = _PCAP[memory[:4]]
    link = struct.unpack_from(order + "I", memory, 20)[0] & 0x0FFFFFFF
    header = struct.Struct(order + "4I")
    at, size = 24, len(memory)
    while at + 16 <= size:
        places: list[int] = []
        lengths: list[int] = []
        times: list[int] = []
        while at + 16 <= size and len(places) < BATCH:
            seconds, fraction, taken, _ = header.unpack_from(memory, at)
            if taken > MOST_PACKET:
                raise CaptureError(f"it is damaged at octet {at}: a packet of {taken} octets")
            if at + 16 + taken > size:
                at = size
                break
            places.append(at + 16)
            lengths.append(taken)
            times.append(seconds * SECOND_NS + fraction * unit_ns)
            at += 16 + taken
        if places:
            yield [link] * len(places), places, lengths, times


@dataclass(slots=True)
class _Interface:
    link: int
    units_per_s: int = 10**6
    offset_s: int = 0

    def time_ns(self, units: int) -> int:
        return units * SECOND_NS // self.units_per_s + self.offset_s * SECOND_NS


def _next_generation(memory: mmap.mmap) -> Iterator[_Records]:
    at, size, order = 0, len(memory), "<"
    interfaces: list[_Interface] = []
    found: _Records = ([], [], [], [])
    while at + 12 <= size:
        if memory[at : at + 4] == _SECTION.to_bytes(4):
            order = "<" if memory[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            interfaces = []
        kind, length = struct.unpack_from(order + "II", memory, at)
        if length < 12 or length % 4:
            raise CaptureError(f"it is damaged at octet {at}: a block of {length} octets")
        if at + length > size:
            break
        if kind == _INTERFACE:
            _must_hold(at, length, 20)
            _describe(interfaces, _interface(memory, order, at, length))
        elif kind in (_ENHANCED, _OLD_PACKET):
            _must_hold(at, length, 32)
            _add_packet(memory, order, at, interfaces, found, old=kind == _OLD_PACKET)
        elif kind == _SIMPLE:
            raise CaptureError(
                "it has no times (simple packet blocks); capture it with tcpdump -w or dumpcap"
            )
        at += length
        if len(found[0]) >= BATCH:
            yield found
            found = ([], [], [], [])
    if found[0]:
        yield found


def _describe(interfaces: list[_Interface], one: _Interface) -> None:
    """Raise CaptureError when there are more than any machine has: a file of nothing else would fill the memory."""
    if len(interfaces) >= _MOST_INTERFACES:
        raise CaptureError(f"it is damaged: it describes more than {_MOST_INTERFACES} interfaces")
    interfaces.append(one)


def _must_hold(at: int, length: int, least: int) -> None:
    """Raise CaptureError when a block is shorter than what it says it holds."""
    if length < least:
        raise CaptureError(f"it is damaged at octet {at}: a block of {length} octets")


def _interface(memory: mmap.mmap, order: str, at: int, length: int) -> _Interface:
    found = _Interface(struct.unpack_from(order + "H", memory, at + 8)[0])
    place, end = at + 16, at + length - 4
    while place + 4 <= end:
        code, size = struct.unpack_from(order + "HH", memory, place)
        if code == _RESOLUTION and size >= 1:
            power = memory[place + 4]
            found.units_per_s = 2 ** (power & 0x7F) if power & 0x80 else 10**power
        elif code == _OFFSET and size == 8 and place + 12 <= end:
            found.offset_s = struct.unpack_from(order + "q", memory, place + 4)[0]
        if code == 0:
            break
        place += 4 + size + -size % 4
    return found


def _add_packet(  # noqa: PLR0913 - where, and whither
    memory: mmap.mmap, order: str, at: int, interfaces: list[_Interface], found: _Records, *, old: bool
) -> None:
    number = struct.unpack_from(order + ("H" if old else "I"), memory, at + 8)[0]
    high, low, taken = struct.unpack_from(order + "III", memory, at + 12)
    _must_hold(at, struct.unpack_from(order + "I", memory, at + 4)[0], 32 + taken)
    if number >= len(interfaces):
        raise CaptureError(f"it is damaged at octet {at}: a packet of an interface that it does not describe")
    interface = interfaces[number]
    time_ns = interface.time_ns(high << 32 | low)
    if not 0 <= time_ns < MOST_TIME_NS:
        raise CaptureError(f"it is damaged at octet {at}: a time that is none")
    for column, value in zip(found, (interface.link, at + 28, taken, time_ns), strict=True):
        column.append(value)


def _located(  # noqa: PLR0913, PLR0917 - columns
    octets: NDArray[np.uint8],
    link: int,
    at: NDArray[np.int64],
    taken: NDArray[np.int64],
    time_ns: NDArray[np.int64],
    done: float,
) -> Batch:
    """The packets that are IP, from their IP header on."""
    if link not in _IP_AFTER:
        raise CaptureError(
            f"its link layer {link} is not read; Ethernet, Linux cooked, raw IP and loopback are"
        )
    # Some fields are read a few octets further than a packet goes; only at the file's end is there nothing behind.
    safe = at + _IP_AFTER[link] + 64 < len(octets)
    if not safe.all():
        octets = np.concatenate([octets[int(at[0]) :], np.zeros(128, np.uint8)])
        at = at - at[0]
    ip_at = at + _IP_AFTER[link]
    if link in _TYPE_AT:
        field = Field(octets)
        kind = field.u16[at + _TYPE_AT[link]]
        for _ in range(2):
            tagged = np.isin(kind, _VLAN)
            kind = np.where(tagged, field.u16[ip_at + 2], kind)
            ip_at = ip_at + 4 * tagged
        some = np.flatnonzero(np.isin(kind, _IP))
        at, ip_at, taken, time_ns = at[some], ip_at[some], taken[some], time_ns[some]
    return Batch(octets, ip_at, taken - (ip_at - at), time_ns, done)
