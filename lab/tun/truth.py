"""Reading the truth log of a link that carries all IP: which packets, of which flow, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from lab.errors import LabError
from lab.line.truth import DOWN, UP
from lab.tun.flow import Flow, Packets
from lab.tun.log import HEAD, RECORD

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

ICMP: Final = 1
TCP: Final = 6
UDP: Final = 17
ICMPV6: Final = 58
_IPV6_HEADER: Final = 40


@dataclass(frozen=True, slots=True)
class TunTruth:
    """Every record of a log in order of sealing, with columns of shape (n,) taken out of the packets' heads."""

    records: NDArray[np.void]
    version: NDArray[np.uint8]
    """4 or 6."""
    protocol: NDArray[np.uint8]
    """IP protocol; of IPv6 the next header (extension headers are not followed)."""
    transport_at: NDArray[np.int64]
    """Where in the packet the transport header begins."""
    source_port: NDArray[np.uint16]
    """TCP and UDP; of ICMP the type and code."""
    target_port: NDArray[np.uint16]
    """TCP and UDP; of ICMP the checksum."""
    identifier: NDArray[np.uint16]
    """ICMP echo: identifier; else whatever stands there."""
    number: NDArray[np.uint16]
    """ICMP echo: sequence number; else whatever stands there."""

    def udp(self, *, office_port: int | None = None, hub_port: int | None = None, version: int = 4) -> Flow:
        """The UDP packets between these ports; None: any."""
        return self._by_ports(UDP, office_port, hub_port, version)

    def tcp(self, *, office_port: int | None = None, hub_port: int | None = None, version: int = 4) -> Flow:
        """The TCP segments between these ports; None: any."""
        return self._by_ports(TCP, office_port, hub_port, version)

    def icmp(self, identifier: int | None = None, *, version: int = 4) -> Flow:
        """The ICMP messages with this identifier, as of echoes and their replies; None: all."""
        mine = self._of(ICMPV6 if version == 6 else ICMP, version)
        if identifier is not None:
            mine &= self.identifier == identifier
        return self._flow(mine)

    def everything(self) -> Flow:
        """All packets as one flow."""
        return self._flow(np.ones(len(self.records), dtype=np.bool_))

    def _of(self, protocol: int, version: int) -> NDArray[np.bool_]:
        return np.asarray((self.protocol == protocol) & (self.version == version))

    def _by_ports(self, protocol: int, office_port: int | None, hub_port: int | None, version: int) -> Flow:
        mine = self._of(protocol, version)
        goes_up = self.records["direction"] == UP
        if office_port is not None:
            mine &= np.where(goes_up, self.source_port, self.target_port) == office_port
        if hub_port is not None:
            mine &= np.where(goes_up, self.target_port, self.source_port) == hub_port
        return self._flow(mine)

    def _flow(self, mine: NDArray[np.bool_]) -> Flow:
        up, down = (mine & (self.records["direction"] == way) for way in (UP, DOWN))
        return Flow(
            Packets(self.records[up], self.transport_at[up]),
            Packets(self.records[down], self.transport_at[down]),
        )


def read_tun_truth(folder: Path) -> TunTruth:
    """The truth log in a folder, with what its segments still hold.

    Raises:
        LabError: there is none.
    """
    if not folder.is_dir():
        raise LabError(f"there is no truth log in {folder}")
    parts = [np.empty(0, dtype=RECORD)]
    for path in sorted(folder.glob("packets-*.bin")):
        raw = path.read_bytes()
        whole = len(raw) // RECORD.itemsize * RECORD.itemsize  # the last record may be half written
        parts.append(np.frombuffer(raw[:whole], dtype=RECORD))
    return taken_apart(np.concatenate(parts))


def taken_apart(records: NDArray[np.void]) -> TunTruth:
    """Records of a log, with the columns that stand in the packets' heads."""
    head = records["head"]
    version = (head[:, 0] >> 4).astype(np.uint8)
    is_6 = version == 6
    at = np.where(is_6, _IPV6_HEADER, (head[:, 0] & 15).astype(np.int64) * 4)
    rows = np.arange(len(records))

    def half(offset: int) -> NDArray[np.uint16]:
        """Two octets of the transport header in network order."""
        place = np.minimum(at + offset, HEAD - 2)
        return np.asarray(head[rows, place].astype(np.uint16) << 8 | head[rows, place + 1], dtype=np.uint16)

    return TunTruth(
        records,
        version,
        np.where(is_6, head[:, 6], head[:, 9]).astype(np.uint8),
        at,
        half(0),
        half(2),
        half(4),
        half(6),
    )
