"""What the reflector does with the packets of rehearsals: they knock at its port, and get a socket of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from probes.rehearsing.reception import Admitted
from probes.rehearsing.wire import is_ours

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from probes.reflecting.reflector_batch import RequestBatch
    from probes.reflecting.reflector_counters import ReflectorCounters
    from probes.rehearsing.reception import Reception


class Knocks:
    """Of one bound address."""

    def __init__(self, reception: Reception, batch: RequestBatch, counters: ReflectorCounters) -> None:
        self._reception = reception
        self._batch = batch
        self._counters = counters
        self._admitted: list[Admitted] = []

    def is_one(self, at: int, length: int) -> bool:
        """Whether a request is one of a rehearsal."""
        return is_ours(self._batch.data[at : at + length])

    def answer(self, slot: int, at: int, length: int, keys: Mapping[int, bytes]) -> bool:
        """An answer no longer than the packet itself, or a session on a socket of its own; whether there is a reply."""
        batch = self._batch
        address, port = batch.source(slot)
        source = port.to_bytes(2) + address
        reply, terms = self._reception.knock(bytes(batch.data[at : at + length]), source, keys)
        if terms is not None:
            self._admitted.append(Admitted(terms, batch.whence(slot), batch.as_received(slot)[1]))
        if not 0 < len(reply) <= length:
            self._counters.knocks += 1
            return False
        batch.data[at : at + len(reply)] = reply
        batch.replies.lengths[slot] = len(reply)
        return True

    def open_sessions(
        self, listening: socket.socket, answer_strays: Callable[[socket.socket, bytes], None]
    ) -> None:
        """Give each rehearsal that was admitted in this batch its socket.

        What came to it before it knew its peer was meant for the listening one: `answer_strays` answers that from the
        address that was asked.
        """
        while self._admitted:
            one = self._admitted.pop()
            try:
                with self._reception.socket_for(one, listening) as sock:
                    answer_strays(sock, one.asked)
                    self._reception.hand_over(one, sock)
            except OSError:
                self._counters.send_failed += 1
                self._reception.give_up(one)
