"""From captured octets to columns: IP, UDP and RTP headers of a whole batch at once, nothing behind them.

Fields are read in place, at any offset, through views of the capture that overlap octet by octet; no packet is copied.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

import numpy as np

from probes.call.demux import Kind, is_rtcp, kinds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Octets = NDArray[np.uint8]
    Offsets = NDArray[np.int64]

UDP: Final = 17
UDP_HEADER: Final = 8
RTP_HEADER: Final = 12
CHANNEL_HEADER: Final = 4
MOST_HEADERS: Final = 60 + UDP_HEADER + CHANNEL_HEADER + RTP_HEADER
"""The most octets of a packet that are ever looked at: IPv4 with options, UDP, a TURN channel, RTP."""
UNKNOWN_WAY: Final = 255

_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Datagrams:
    """UDP datagrams of a batch in order of capture: columns of shape (n,)."""

    time_ns: NDArray[np.int64]
    length: NDArray[np.int64]
    """Octets at the IP layer, as on the line."""
    kind: NDArray[np.uint8]
    flow: NDArray[np.uint64]
    """A number for source, destination and both ports, and for RTP its SSRC."""
    way: NDArray[np.uint8]
    """The packet type of a packet socket (4 is outgoing), 255 where the capture does not say."""
    sequence: NDArray[np.uint16]
    timestamp: NDArray[np.uint32]
    ssrc: NDArray[np.uint32]
    payload_type: NDArray[np.uint8]
    marker: NDArray[np.bool_]
    ip_at: Offsets
    """Where the IP header of each is in the octets it was read from; for `ends`."""

    def __len__(self) -> int:
        return len(self.time_ns)


@dataclass(frozen=True, slots=True, order=True)
class End:
    """One end of a flow."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


class Field:
    """Big-endian numbers of a capture at any octet."""

    def __init__(self, octets: Octets) -> None:
        self.u8 = octets
        self.u16 = self._view(">u2")
        self.u32 = self._view(">u4")
        self.u64 = self._view(">u8")

    def _view(self, kind: str) -> NDArray[np.uint64]:
        dtype = np.dtype(kind)
        room = max(len(self.u8) - dtype.itemsize + 1, 0)
        return np.ndarray((room,), dtype=dtype, buffer=self.u8, strides=(1,))


def datagrams(
    octets: Octets,
    ip_at: Offsets,
    captured: NDArray[np.int64],
    time_ns: NDArray[np.int64],
    way: NDArray[np.uint8] | None = None,
) -> Datagrams:
    """The UDP datagrams among some captured packets.

    Args:
        octets: the capture's memory, with at least 8 octets behind the last packet.
        ip_at: where each packet's IP header begins, shape (n,).
        captured: octets captured of each from there on, shape (n,).
        time_ns: when each was captured, shape (n,).
        way: packet types of a packet socket, shape (n,), if known.

    Fragments but the first, IPv6 with extension headers, and packets cut off before their first octet of
    payload are left out.
    """
    field = Field(octets)
    if way is None:
        way = np.full(len(ip_at), UNKNOWN_WAY, dtype=np.uint8)
    keep = np.flatnonzero(captured >= 20 + UDP_HEADER + 1)
    at = ip_at[keep]
    version = field.u8[at] >> 4
    header = np.where(version == 4, (field.u8[at] & 15).astype(np.int64) * 4, 40)
    is_v4 = (version == 4) & (field.u8[at + 9] == UDP) & (field.u16[at + 6] & 0x1FFF == 0) & (header >= 20)
    is_v6 = (version == 6) & (field.u8[at + 6] == UDP)
    fits = captured[keep] >= header + UDP_HEADER + 1
    some = np.flatnonzero((is_v4 | is_v6) & fits)
    keep, at, header, is_v6 = keep[some], at[some], header[some], is_v6[some]
    udp = at + header
    return _columns(field, at, udp, is_v6, captured[keep] - header - UDP_HEADER, time_ns[keep], way[keep])


def _columns(  # noqa: PLR0913, PLR0917 - columns
    field: Field,
    at: Offsets,
    udp: Offsets,
    is_v6: NDArray[np.bool_],
    caught: NDArray[np.int64],
    time_ns: NDArray[np.int64],
    way: NDArray[np.uint8],
) -> Datagrams:
    payload = udp + UDP_HEADER
    kind = kinds(field.u8[payload])
    # Media through a TURN server: the channel's number and length stand before the RTP header.
    inside = np.minimum(payload + CHANNEL_HEADER, len(field.u8) - 1)
    relayed = (kind == Kind.CHANNEL) & (caught >= CHANNEL_HEADER + RTP_HEADER)
    relayed &= field.u8[inside] >> 6 == 2
    rtp = np.where(relayed, payload + CHANNEL_HEADER, payload)
    media = relayed | ((kind == Kind.RTP) & (caught >= RTP_HEADER))
    kind[(kind == Kind.RTP) & ~media] = Kind.OTHER
    rtp = np.where(media, rtp, 0)  # what is no media is not read further
    second = field.u8[rtp + 1]
    kind[media] = np.where(is_rtcp(second[media]), Kind.RTCP, Kind.RTP)
    ssrc = np.where(kind == Kind.RTP, field.u32[rtp + 8], 0).astype(np.uint32)
    return Datagrams(
        time_ns=time_ns,
        length=np.where(is_v6, 40 + field.u16[at + 4].astype(np.int64), field.u16[at + 2]).astype(np.int64),
        kind=kind,
        flow=_flow_numbers(field, at, udp, is_v6, ssrc),
        way=way,
        sequence=field.u16[rtp + 2].astype(np.uint16),
        timestamp=field.u32[rtp + 4].astype(np.uint32),
        ssrc=ssrc,
        payload_type=second & np.uint8(0x7F),
        marker=second >= 0x80,
        ip_at=at,
    )


def _flow_numbers(
    field: Field, at: Offsets, udp: Offsets, is_v6: NDArray[np.bool_], ssrc: NDArray[np.uint32]
) -> NDArray[np.uint64]:
    """64 bits mixed from addresses, ports and SSRC: two flows of one number are as good as never seen."""
    mixed = _mix(field.u64[np.where(is_v6, at + 8, at + 12)].astype(np.uint64))
    for more in (16, 24, 32):  # an IPv4 header has both addresses in the first eight octets
        word = np.where(is_v6, field.u64[np.where(is_v6, at + more, at)].astype(np.uint64), np.uint64(more))
        mixed = _mix(mixed ^ word)
    ports = field.u32[udp].astype(np.uint64) << np.uint64(32)
    return _mix(mixed ^ (ports | ssrc.astype(np.uint64)))


def _mix(number: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Multiplications and shifts wrap around, as they must."""
    number = (number ^ (number >> np.uint64(29))) * _MIX
    return number ^ (number >> np.uint64(32))


def ends(octets: Octets, ip_at: int) -> tuple[End, End]:
    """Source and destination of the UDP datagram whose IP header begins there."""
    raw = octets[ip_at : ip_at + 60 + UDP_HEADER].tobytes()
    if raw[0] >> 4 == 6:
        source, destination, udp = raw[8:24], raw[24:40], 40
    else:
        source, destination, udp = raw[12:16], raw[16:20], (raw[0] & 15) * 4
    ports = raw[udp : udp + 2], raw[udp + 2 : udp + 4]
    return (
        End(str(ip_address(source)), int.from_bytes(ports[0])),
        End(str(ip_address(destination)), int.from_bytes(ports[1])),
    )
