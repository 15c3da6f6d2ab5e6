"""The relays' event loop: epoll for sockets, a heap for packets that are due, nothing else.

It runs on monotonic time, so that a step of the machine's clock neither holds packets back nor lets them go early.
`epoll` waits in whole milliseconds, so the next due time is a timer descriptor (timerfd_create(2)), which is set anew only when
the next due time changes: programming a timer costs more than all the rest on a virtual machine.
"""

from __future__ import annotations

import ctypes
import os
import select
import time
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

READ: Final = select.EPOLLIN
WRITE: Final = select.EPOLLOUT
_TFD_TIMER_ABSTIME: Final = 1
BREATH_S: Final = 100e-6
"""In a crowd the loop rests so long before it looks again, and takes what has come together: at most so much later (and the
kernel's timer slack of 50 µs)."""
_CROWDED_PER_S: Final = 8_000.0
_CROWD: Final = 256


class _Timer:
    """A timerfd on monotonic time; Python has none before 3.13."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.fd: int = self._libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._spec = (ctypes.c_long * 4)()  # struct itimerspec: interval, value; each seconds, nanoseconds
        self._set = self._libc.timerfd_settime
        self._set.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
        self._at = ctypes.addressof(self._spec)

    def set(self, due_ns: int) -> None:
        """Be ready at a monotonic time."""
        self._spec[2], self._spec[3] = divmod(due_ns, 1_000_000_000)
        self._set(self.fd, _TFD_TIMER_ABSTIME, self._at, None)


class _Pace:
    """Whether so much happens that waking for each packet costs more than it is worth (as network cards moderate interrupts)."""

    def __init__(self) -> None:
        self.is_crowded = False
        self._happened = 0
        self._since_ns = time.monotonic_ns()

    def note(self, happened: int) -> None:
        """So many descriptors were ready in a turn."""
        self._happened += happened
        if self._happened < _CROWD:
            return
        now_ns = time.monotonic_ns()
        per_s = self._happened * 1e9 / max(now_ns - self._since_ns, 1)
        self.is_crowded = per_s > (_CROWDED_PER_S / 2 if self.is_crowded else _CROWDED_PER_S)
        self._happened, self._since_ns = 0, now_ns


class Reactor:
    """Calls handlers when their descriptors are ready, and callbacks when they are due."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Callable[[int], None]] = {}
        self._heap: list[tuple[int, int, Callable[[int, Any], None], Any]] = []
        self._serial = count()
        self._running = True
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.watch(self._wake, READ, lambda _events: self._woken())
        self._timer = _Timer()
        self._armed_ns = 0
        self._pace = _Pace()
        self._epoll.register(self._timer.fd, READ | select.EPOLLET)
        self.offset_ns = time.time_ns() - time.monotonic_ns()
        """Real minus monotonic time, as of the last wake-up."""
        self.turns = 0
        """How often the loop has gone round."""

    def _woken(self) -> None:
        os.eventfd_read(self._wake)

    def watch(self, fd: int, events: int, handler: Callable[[int], None]) -> None:
        """Call `handler(events)` whenever the descriptor is ready (level-triggered)."""
        self._handlers[fd] = handler
        self._epoll.register(fd, events)

    def change(self, fd: int, events: int) -> None:
        """Wait for other events on a watched descriptor."""
        self._epoll.modify(fd, events)

    def unwatch(self, fd: int) -> None:
        """Forget a descriptor; nothing is reported of it any more, not even an error."""
        if self._handlers.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def at(self, due_ns: int, callback: Callable[[int, Any], None], argument: Any = None) -> None:  # noqa: ANN401 - passed through
        """Call `callback(due_ns, argument)` at a monotonic time."""
        heappush(self._heap, (due_ns, next(self._serial), callback, argument))

    @property
    def is_crowded(self) -> bool:
        """Whether the loop rests between its turns."""
        return self._pace.is_crowded

    @property
    def waiting(self) -> int:
        """How many callbacks are due later."""
        return len(self._heap)

    def stop(self) -> None:
        """Let `run` return; may be called from a signal handler or another thread."""
        self._running = False
        self.wake()

    def wake(self) -> None:
        """End the current wait, as after `at` from another thread."""
        os.eventfd_write(self._wake, 1)

    def run(self) -> None:
        """Work until stopped."""
        handlers, poll = self._handlers, self._epoll.poll
        while self._running:
            self._do_due()
            if self._pace.is_crowded:
                time.sleep(BREATH_S)
            ready = poll()
            self.offset_ns = time.time_ns() - time.monotonic_ns()
            self.turns += 1
            self._pace.note(len(ready))
            for fd, events in ready:
                # An earlier handler of this round may have closed it; the timer has none.
                handler = handlers.get(fd)
                if handler is not None:
                    handler(events)

    def _do_due(self) -> None:
        """Call what is due, and set the timer for what is due next."""
        heap, monotonic_ns = self._heap, time.monotonic_ns
        while heap:
            next_ns = heap[0][0]
            if next_ns > monotonic_ns():
                if next_ns != self._armed_ns:
                    self._timer.set(next_ns)
                    self._armed_ns = next_ns
                return
            due_ns, _, callback, argument = heappop(heap)
            callback(due_ns, argument)

    def close(self) -> None:
        """Let go of the loop's own descriptors."""
        self._epoll.close()
        os.close(self._wake)
        os.close(self._timer.fd)
