"""The STAMP Session-Reflector: any number of bound addresses in one loop, thousands of sessions."""

from __future__ import annotations

import os
import select
import threading
import time
from typing import TYPE_CHECKING, Final

from probes.kernel.clock_discipline import error_estimate, read_discipline
from probes.reflecting.reflector_counters import ReflectorCounters
from probes.reflecting.reflector_policy import ReflectorPolicy
from probes.reflecting.reflector_socket import ReflectorSocket
from probes.rehearsing.reception import Reception
from probes.stamp.timestamps import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

CLOCK_EVERY_NS: Final = 15 * SECOND_NS
IDLE_WAIT_S: Final = 1.0


class Reflector:
    """Answers STAMP and TWAMP-Light senders on every bound address until stopped.

    Args:
        binds: `(host, port)`; port 0 takes a free one; an IPv6 host binds IPv6 only.
        stateful: number replies per session; else repeat the sender's number.
        kernel_stamps: False takes T2 in user space (for comparison).
        policy: whom it answers, and how much.

    Raises:
        OSError: an address cannot be bound.
    """

    def __init__(
        self,
        binds: Sequence[tuple[str, int]],
        *,
        stateful: bool = True,
        kernel_stamps: bool = True,
        policy: ReflectorPolicy | None = None,
    ) -> None:
        self._sockets: dict[int, ReflectorSocket] = {}
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll = select.epoll()
        self._epoll.register(self._wake, select.EPOLLIN)
        self._stopping = False
        self._ending = threading.RLock()  # a signal handler may interrupt `close` in the same thread
        self._closed = False
        self._clock_read_ns = 0
        self._reception: Reception | None = None
        policy = policy or ReflectorPolicy()
        try:
            if policy.rehearsal_bps:
                self._reception = Reception(policy.rehearsal_bps)
                self._epoll.register(self._reception.fileno(), select.EPOLLIN)
            for host, port in binds:
                end = ReflectorSocket(
                    host,
                    port,
                    stateful=stateful,
                    kernel_stamps=kernel_stamps,
                    policy=policy,
                    reception=self._reception,
                )
                self._sockets[end.fileno()] = end
                self._epoll.register(end.fileno(), select.EPOLLIN)
        except OSError:
            self.close()
            raise

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where it listens, in the order of `binds`."""
        return [end.address for end in self._sockets.values()]

    @property
    def counters(self) -> ReflectorCounters:
        """Sum over all addresses."""
        return sum((end.counters for end in self._sockets.values()), ReflectorCounters())

    def set_keys(self, keys: Mapping[int, bytes]) -> None:
        """Know these offices from now on (SSID -> key); for the serving thread, or a signal handler in it."""
        for end in self._sockets.values():
            end.set_keys(keys)

    def serve(self) -> None:
        """Answer until `stop` is called."""
        while not self._stopping:
            self.serve_once(IDLE_WAIT_S)

    def serve_once(self, timeout_s: float) -> None:
        """Wait for packets at most so long and answer what is there."""
        now = time.monotonic_ns()
        if now - self._clock_read_ns >= CLOCK_EVERY_NS or not self._clock_read_ns:
            self._keep_house(now)
        for fileno, _ in self._epoll.poll(timeout_s):
            end = self._sockets.get(fileno)
            if end is not None:
                end.answer_waiting()
            elif self._reception is not None and fileno == self._reception.fileno():
                self._hear(self._reception)

    def _hear(self, reception: Reception) -> None:
        """Take in what the rehearsals' process says; when it has died, begin another."""
        fileno = reception.fileno()
        reception.hear()
        if reception.is_dead:
            self._epoll.unregister(fileno)
            reception.start_again()
            self._epoll.register(reception.fileno(), select.EPOLLIN)

    def _keep_house(self, now_ns: int) -> None:
        self._clock_read_ns = now_ns
        estimate = error_estimate(read_discipline())
        for end in self._sockets.values():
            end.keep_house(estimate, now_ns)

    def stop(self) -> None:
        """End `serve`; may be called from another thread or a signal handler, also after `close`."""
        self._stopping = True
        with self._ending:
            if not self._closed:  # its number may be somebody else's by now
                os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """Give back every socket; a second time does nothing."""
        with self._ending:
            if self._closed:
                return
            self._closed = True
            self._epoll.close()
            os.close(self._wake)
        for end in self._sockets.values():
            end.close()
        if self._reception is not None:
            self._reception.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
