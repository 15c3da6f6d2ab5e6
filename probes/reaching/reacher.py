"""All questions of the process, each every so often, spread over the time by a hash; a task of the agent, never of the measuring process.

An answer belongs to the window in which it came. What was not answered is asked again soon: one lost packet switches no device off.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
import ssl
import zlib
from collections import deque
from typing import TYPE_CHECKING, Final

from probes.reaching.answer import Answer, answer_of
from probes.reaching.asking import ask
from telemetry.messages import Reach
from telemetry.windows import SECOND_NS, window_start

if TYPE_CHECKING:
    from probes.reaching.targets import Asked, Questions
    from probes.workers import Workers
    from telemetry.clock import WallClock

TICK_S: Final = 0.5
AGAIN_S: Final = 15.0
"""What was not answered is asked again after so long, or after the usual time where that is less."""
MOST_AT_ONCE: Final = 16
MOST_KEPT: Final = 64
"""Answers of an office that wait for their window."""

_log = logging.getLogger(__name__)
_Key = tuple[str, "Asked"]


class Reacher:
    """Asks for every office of the process."""

    def __init__(self, clock: WallClock, workers: Workers, tls: ssl.SSLContext | None = None) -> None:
        """`tls`: what vouches for certificates; None: the machine's own authorities."""
        self._clock = clock
        self._workers = workers
        self._tls = tls
        self._every_ns: dict[_Key, int] = {}
        self._due_ns: dict[_Key, int] = {}
        self._asking: set[_Key] = set()
        self._answers: dict[str, deque[tuple[int, Reach]]] = {}
        self._slots = asyncio.Semaphore(MOST_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def set_questions(self, office: str, wanted: Questions) -> None:
        """What an office asks after. Replaces what it asked before; what stays keeps its time."""
        every_ns = round(wanted.every_s * SECOND_NS)
        keys = {(office, asked) for asked in wanted.asked}
        for key in [key for key in self._every_ns if key[0] == office and key not in keys]:
            del self._every_ns[key], self._due_ns[key]
        now_ns = self._clock.monotonic_ns()
        for key in keys:
            if self._every_ns.get(key) != every_ns:
                self._every_ns[key] = every_ns
                self._due_ns[key] = now_ns + self._first_ns(key, every_ns)

    def take(self, office: str, start_ns: int) -> tuple[Reach, ...]:
        """The answers that came in a closed window; what was never fetched is forgotten."""
        waiting = self._answers.get(office)
        if not waiting:
            return ()
        mine = tuple(item for at_ns, item in waiting if at_ns == start_ns)
        self._answers[office] = deque(((at, item) for at, item in waiting if at > start_ns), MOST_KEPT)
        return mine

    async def run(self) -> None:
        """Ask until cancelled."""
        try:
            while True:
                self._begin_due()
                await asyncio.sleep(TICK_S)
        finally:
            for task in self._tasks:
                task.cancel()

    def _first_ns(self, key: _Key, every_ns: int) -> int:
        """The first time soon, for who starts a probe wants to see; spread, for many offices may start at once."""
        spread_ns = min(every_ns, round(AGAIN_S * SECOND_NS))
        return zlib.crc32(f"{key[0]} {key[1]}".encode()) % max(spread_ns, 1)

    def _begin_due(self) -> None:
        now_ns = self._clock.monotonic_ns()
        for key, due_ns in self._due_ns.items():
            if due_ns <= now_ns and key not in self._asking:
                self._asking.add(key)
                task = asyncio.create_task(self._ask(key), name=f"{key[0]} reach {key[1].target}")
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _ask(self, key: _Key) -> None:
        office, asked = key
        answer: Answer | None = None
        try:
            async with self._slots:
                answer = await self._answer(asked)
        except Exception:  # noqa: BLE001 - one question's fault stays its own
            _log.exception(
                "%s: %s could not be asked",
                office,
                asked.check,
                extra={"event": "reach.fault", "subject": office, "check": f"{asked.check}"},
            )
        finally:
            self._asking.discard(key)
            if key in self._every_ns:
                again_ns = self._every_ns[key]
                if answer is None or not answer.answered:
                    again_ns = min(again_ns, round(AGAIN_S * SECOND_NS))
                self._due_ns[key] = self._clock.monotonic_ns() + again_ns
        if answer is not None and key in self._every_ns:
            kept = self._answers.setdefault(office, deque(maxlen=MOST_KEPT))
            kept.append((window_start(self._clock.now_ns()), item_of(asked, answer)))

    async def _answer(self, asked: Asked) -> Answer:
        if asked.check.method == "tls" and self._tls is None:
            self._tls = await self._workers.in_network(ssl.create_default_context)
        try:
            where = await self._workers.in_network(address_of, asked.check.host)
        except (OSError, UnicodeError) as error:
            return answer_of(error)
        tls = self._tls or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return await ask(asked.check, where, self._clock.monotonic_ns, tls)


def address_of(host: str) -> tuple[socket.AddressFamily, str]:
    """The address of a host, the one that the machine prefers.

    Raises:
        OSError: it has none, or the name server does not answer.
    """
    with contextlib.suppress(ValueError):
        found = ipaddress.ip_address(host)
        return (socket.AF_INET if found.version == 4 else socket.AF_INET6), host
    family, _, _, _, where = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
    return family, str(where[0])


def item_of(asked: Asked, answer: Answer) -> Reach:
    """The answer as a report tells it."""
    return Reach(
        target=asked.target,
        method=asked.check.method,
        address=asked.check.address,
        answered=answer.answered,
        outcome=answer.outcome,
        took_ms=answer.took_ms,
        connect_ms=answer.connect_ms,
        handshake_ms=answer.handshake_ms,
        certificate_until_ns=answer.certificate_until_ns,
        error=answer.why[:200] or None,
    )
