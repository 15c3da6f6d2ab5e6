"""Datagrams of one connected socket where there is no recvmmsg: the same room as `SessionDatagrams`, one call each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from probes.kernel.system import MSG_ERRQUEUE

if TYPE_CHECKING:
    import socket


class PlainDatagrams:
    """Room for `slots` datagrams of up to `octets`; nothing is ever said beside them."""

    def __init__(self, slots: int, octets: int, control: int) -> None:
        self.slots, self.octets, self.control_octets = slots, octets, control
        self.data = memoryview(bytearray(slots * octets))
        """Slot `i` begins at `i * octets`."""
        self.control = memoryview(bytearray(slots * control))
        self._lengths = [0] * slots

    def receive(self, sock: socket.socket, flags: int = 0) -> int:
        """Read what is there into the slots from the first on, without waiting; how many came.

        Raises:
            OSError: the socket has an error to tell, for instance that the far end refused an earlier packet.
        """
        if flags & MSG_ERRQUEUE:
            return 0
        for slot in range(self.slots):
            try:
                datagram = sock.recv(65_536)
            except (BlockingIOError, InterruptedError):
                return slot
            except OSError:
                if slot:
                    return slot  # it is told at the next go
                raise
            self._lengths[slot] = len(datagram)
            kept = datagram[: self.octets]
            self.data[slot * self.octets : slot * self.octets + len(kept)] = kept
        return self.slots

    def length(self, slot: int) -> int:
        """Octets of a datagram as received, even when it did not fit."""
        return self._lengths[slot]

    @staticmethod
    def control_length(slot: int) -> int:  # noqa: ARG004 - the signature of `SessionDatagrams`
        """Nothing is said beside a datagram."""
        return 0
