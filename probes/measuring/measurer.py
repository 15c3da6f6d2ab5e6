"""The measurer: owns the measuring process, tells it what to measure, hands out closed windows."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import secrets
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from probes.backoff import Backoff
from probes.measuring.measuring_child import MeasuringChild
from probes.measuring.measuring_messages import Close, Moved, Open, Pace, Trouble, encode_orders
from probes.measuring.name_lookup import NameLookup
from probes.measuring.window_assembly import WindowAssembly
from probes.metering.meter import Meter
from probes.stamp.stamp_tlv import DEFAULT_PAYLOAD, signed_trailer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from probes.measuring.measuring_messages import Event, Order
    from probes.measuring.session import ClosedWindow, Session

LOOK_UP_EVERY_S: Final = 60.0
LOOK_UP_AGAIN_S: Final = 10.0
"""While a name has no answer."""
MAX_WINDOWS: Final = 16_384
"""Closed windows kept for whoever reads them: 56 offices for over an hour."""
_STEADY_S: Final = 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MeasurerCounters:
    """What went wrong since the start."""

    process_restarts: int = 0
    windows_dropped: int = 0
    """Closed windows that nobody fetched in time."""
    foreign_replies: int = 0
    not_authentic: int = 0
    """Replies of signed sessions that were not signed with their key."""


@dataclass(frozen=True, slots=True)
class _Live:
    """A session as the measuring process knows it."""

    number: int
    session: Session
    address: str


def _only_pace(live: _Live, session: Session, address: str) -> bool:
    """Whether nothing but the rate is another, so that the session can go on."""
    return (
        live.address == address
        and replace(live.session, rate_pps=session.rate_pps, host=session.host) == session
    )


def phase_of(session: Session) -> float:
    """Where in its interval a session sends, 0..1: by a hash, so that it is spread and does not change."""
    digest = hashlib.blake2b("/".join(session.key).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


class Measurer:
    """Measures any number of sessions in a process of its own.

    `start`, then `set_sessions` as often as wanted, read `windows`, `stop`. If the measuring process dies it is started
    again, and the windows concerned say so.

    Args:
        payload: UDP payload of test packets, octets.
    """

    def __init__(self, *, payload: int = DEFAULT_PAYLOAD) -> None:
        self._payload = payload
        self._wanted: dict[tuple[str, str], Session] = {}
        self._live: dict[tuple[str, str], _Live] = {}
        self._assembly = WindowAssembly()
        self._names = NameLookup()
        self._names_changed = asyncio.Event()
        self._closed: deque[ClosedWindow] = deque()
        self._news = asyncio.Event()
        self._next_number = 1
        self._child: MeasuringChild | None = None
        self._work: asyncio.Task[None] | None = None
        self._stopped = False
        self._restarts = 0
        self._dropped = 0
        self._troubles: dict[tuple[str, str], str] = {}

    # -- what others call

    async def start(self) -> None:
        """Start the measuring process.

        Raises:
            OSError: it cannot be started.
        """
        self._child = await MeasuringChild.start()
        self._work = asyncio.create_task(self._run(), name="measurer")
        self._work.add_done_callback(lambda _: self._news.set())

    async def set_sessions(self, sessions: Sequence[Session]) -> None:
        """Measure exactly these from now on. Unchanged sessions run on; a changed rate takes effect at once, a changed host or port with the next window.

        Raises:
            ValueError: two sessions have the same office and path, a rate is not positive,
                a key comes without an SSID, or the packet is too small to be signed.
        """
        wanted = {session.key: session for session in sessions}
        if len(wanted) < len(sessions):
            raise ValueError("two sessions have the same office and path: give each its own path")
        for session in sessions:
            if not session.rate_pps > 0:
                raise ValueError(
                    f"{session.office} {session.path}: rate {session.rate_pps} must be above 0 packets/s"
                )
            if session.secret and not session.ssid:
                raise ValueError(
                    f"{session.office} {session.path}: a key needs the SSID that the reflector knows it by"
                )
            if session.secret:
                signed_trailer(self._payload, session.dscp)
        self._wanted = wanted
        self._names_changed.set()
        await self._apply()

    async def windows(self) -> AsyncIterator[ClosedWindow]:
        """Closed windows, each once, until `stop`; for one reader.

        Raises:
            RuntimeError: the measurer failed for a reason of its own (its cause is chained).
        """
        while True:
            while self._closed:
                yield self._closed.popleft()
            if self._stopped:
                return
            if self._work is not None and self._work.done() and not self._work.cancelled():
                raise RuntimeError("the measurer failed") from self._work.exception()
            self._news.clear()
            await self._news.wait()

    async def stop(self) -> None:
        """Stop measuring. What was sent in the last 3 s counts as not sent; the rest comes as last, partial windows."""
        if self._work is not None:
            self._work.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._work
        await self._see_off()
        for window in self._assembly.abort(self._offices()):
            self._emit(window)
        self._stopped = True
        self._news.set()

    @property
    def counters(self) -> MeasurerCounters:
        """Counts since the start."""
        return MeasurerCounters(
            self._restarts, self._dropped, self._assembly.foreign, self._assembly.not_authentic
        )

    @property
    def faults(self) -> dict[tuple[str, str], str]:
        """Sessions that cannot be measured now, by (office, path), and why."""
        faults = dict(self._troubles)
        for key, session in self._wanted.items():
            why = self._names.faults.get(session.host)
            if why is not None and self._names.known(session.host) is None:
                faults[key] = f"host name {session.host!r} cannot be looked up: {why}"
        return faults

    @property
    def process_id(self) -> int | None:
        """The measuring process."""
        return None if self._child is None else self._child.process_id

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_names(), name="measurer: host names")
            group.create_task(self._supervise(), name="measurer: measuring process")

    async def _supervise(self) -> None:
        """Listen to the process; when it ends, say so in the windows at hand and start another."""
        backoff = Backoff(base_s=0.5, cap_s=10.0)
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            await self._listen()
            self._note_end(await self._see_off())
            if loop.time() - begun > _STEADY_S:
                backoff.reset()
            await self._start_again(backoff)
            await self._apply()

    async def _listen(self) -> None:
        while self._child is not None:
            message = await self._child.receive()
            if not message:
                return
            event = self._assembly.take(message)
            if event is not None:
                await self._heed(event)

    async def _see_off(self) -> str:
        child, self._child = self._child, None
        return "was not running" if child is None else await child.end()

    def _note_end(self, how: str) -> None:
        _log.error(
            "the measuring process %s; it is started again",
            how,
            extra={"event": "measuring-process.ended", "reason": how},
        )
        self._assembly.note_fault(f"the measuring process {how}; it was started again")
        for window in self._assembly.abort(self._offices()):
            self._emit(window)
        self._live.clear()
        self._troubles.clear()
        self._restarts += 1

    async def _start_again(self, backoff: Backoff) -> None:
        while True:
            await asyncio.sleep(backoff.next_s())
            try:
                self._child = await MeasuringChild.start()
            except OSError as error:
                _log.error(
                    "the measuring process cannot be started: %s",
                    error,
                    extra={"event": "measuring-process.not-started", "reason": str(error)},
                )
            else:
                return

    async def _heed(self, event: Event) -> None:
        if isinstance(event, Moved):
            await self._move(event.number)
        elif isinstance(event, Trouble):
            self._note_trouble(event)
        for number in self._assembly.complete():
            for window in self._assembly.close(number, self._offices()):
                self._emit(window)
                await asyncio.sleep(0)  # many offices close at once: let others have their turn

    def _note_trouble(self, event: Trouble) -> None:
        for key, live in self._live.items():
            if live.number == event.number:
                if event.text:
                    self._troubles[key] = (
                        f"no socket to {live.address} port {live.session.port}: {event.text}"
                    )
                else:
                    self._troubles.pop(key, None)

    # -- sessions

    async def _apply(self) -> None:
        """Tell the process what has changed between what it measures and what is wanted."""
        orders: list[Order] = [self._close(key) for key in set(self._live) - set(self._wanted)]
        for key, session in self._wanted.items():
            address, live = self._names.known(session.host), self._live.get(key)
            if address is None or (live is not None and live.session == session and live.address == address):
                continue
            if live is not None and _only_pace(live, session, address):
                orders.append(Pace(live.number, session.rate_pps))
                self._live[key] = _Live(live.number, session, address)
            else:
                orders.append(self._open(session, address, live))
        await self._send(orders)

    def _open(self, session: Session, address: str, before: _Live | None) -> Open:
        number = self._next_number
        self._next_number += 1
        ssid = session.ssid or secrets.randbelow(0xFFFF) + 1
        overhead = 48 if ":" in address else 28
        meter = Meter(session.path, overhead=overhead, payload=self._payload)
        self._assembly.add_session(number, session.office, session.path, ssid, meter)
        if before is not None:
            self._assembly.remove_session(before.number)
        self._live[session.key] = _Live(number, session, address)
        self._troubles.pop(session.key, None)
        return Open(
            number=number,
            address=address,
            port=session.port,
            ssid=ssid,
            rate_pps=session.rate_pps,
            phase=phase_of(session),
            payload=self._payload,
            replaces=None if before is None else before.number,
            key=session.secret,
            dscp=session.dscp,
            ptp=session.ptp,
        )

    def _close(self, key: tuple[str, str]) -> Close:
        live = self._live.pop(key)
        self._troubles.pop(key, None)
        self._assembly.remove_session(live.number)
        return Close(live.number)

    async def _move(self, number: int) -> None:
        """This machine has another address now: the session goes on from there, with the next window."""
        for key, live in list(self._live.items()):
            if live.number == number and key in self._wanted:
                _log.info(
                    "%s %s: our own address has changed, opened anew",
                    *key,
                    extra={"event": "session.moved", "subject": key[0], "path": key[1]},
                )
                await self._send([self._open(live.session, live.address, live)])

    async def _send(self, orders: list[Order]) -> None:
        if self._child is not None:  # one that is being started will be told everything
            await self._child.send(encode_orders(orders))

    async def _keep_names(self) -> None:
        """Look host names up again from time to time, and at once when there are new ones."""
        said: dict[str, str] = {}
        while True:
            self._names_changed.clear()
            await self._names.refresh({session.host for session in self._wanted.values()})
            _say_changes(said, self._names.faults)
            said = dict(self._names.faults)
            await self._apply()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_UP_AGAIN_S if said else LOOK_UP_EVERY_S):
                    await self._names_changed.wait()

    def _offices(self) -> list[str]:
        return list(dict.fromkeys(office for office, _ in self._wanted))

    def _emit(self, window: ClosedWindow) -> None:
        if len(self._closed) >= MAX_WINDOWS:
            self._closed.popleft()
            self._dropped += 1
        self._closed.append(window)
        self._news.set()


def _say_changes(before: dict[str, str], now: dict[str, str]) -> None:
    """Log names that cannot be looked up, and that can again; not those that still cannot."""
    for name in now.keys() - before.keys():
        _log.warning(
            "host name %r cannot be looked up: %s; its sessions wait, all others go on",
            name,
            now[name],
            extra={"event": "host-name.unknown", "host": name, "reason": now[name]},
        )
    for name in before.keys() - now.keys():
        _log.info(
            "host name %r is found again, or no longer needed",
            name,
            extra={"event": "host-name.found", "host": name},
        )
