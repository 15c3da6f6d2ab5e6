"""The headquarters' reflectors that this machine itself serves."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import psutil

from collector.backoff import Backoff
from collector.enrolment.private_files import write_private
from config.address import parse_address
from probes.kernel.low_ports import low_port_remedy
from probes.reflecting.reflector_process import ReflectorProcess
from tatpar.examination.ends import answers
from telemetry.state.errors import StateError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
    from pathlib import Path
    from typing import Any

    from config.settings import Headquarters


_log = logging.getLogger(__name__)
_LOOKUPS: Final = 16
_LOOK_S: Final = 0.5
_STEADY_S: Final = 60.0
KEYS_S: Final = 4.0
"""An office uses its new key as soon as it has it: the reflector must know it before the office's next rehearsal knocks."""


def local_binds(headquarters: Iterable[Headquarters]) -> dict[str, tuple[str, int]]:
    """Of each headquarters the first reflector whose host is an address of this machine.

    Names are looked up all at once: without a name server each takes its time to fail.
    """
    own = {entry.address for entries in psutil.net_if_addrs().values() for entry in entries}
    written = [(end.id, parse_address(reflector)) for end in headquarters for reflector in end.reflectors]
    named = [(end, address) for end, address in written if address is not None]
    with ThreadPoolExecutor(_LOOKUPS, "look up reflectors") as pool:
        found = list(pool.map(_addresses, (address.host for _, address in named)))
    binds: dict[str, tuple[str, int]] = {}
    for (end, address), addresses in zip(named, found, strict=True):
        if own & addresses:
            binds.setdefault(end, address)
    return binds


def running_already(binds: Mapping[str, tuple[str, int]]) -> dict[str, tuple[str, int]]:
    """Those of the addresses at which a reflector runs already (a `tatpar reflect`, or another program's): it serves."""
    fixed = {end: address for end, address in binds.items() if address[1] and _taken(address)}
    return {end: address for end, address in fixed.items() if answers(address)}


def _taken(address: tuple[str, int]) -> bool:
    family, kind, _, _, where = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind) as sock:
        try:
            sock.bind(where)
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _addresses(host: str) -> set[str]:
    with contextlib.suppress(OSError):
        return {str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)}
    return set()


@asynccontextmanager
async def reflecting(
    binds: Mapping[str, tuple[str, int]],
    log_file: Path,
    *,
    keys: Callable[[], str] | None = None,
    rehearsal_bps: float = 0.0,
) -> AsyncIterator[dict[str, tuple[str, int]]]:
    """Serve a reflector for each end in one process of its own, started again when it dies; yields where each was bound.

    `keys` makes the text of the keys file (tatpar reflect --keys); it is asked again from time to time.

    Raises:
        OSError: an address is taken, or not ours to bind; the message says which.
    """
    if not binds:
        yield {}
        return
    log_file.parent.mkdir(parents=True, exist_ok=True)
    keys_file = log_file.with_name("reflector.keys")
    if keys is not None:
        write_private(keys_file, keys().encode())
    process = ReflectorProcess(
        list(binds.values()),
        log_file=log_file,
        keys_file=None if keys is None else keys_file,
        rehearsal_bps=0.0 if keys is None else rehearsal_bps,
    )
    try:
        bound = await asyncio.to_thread(process.start)
    except OSError as error:
        raise _explained(error, binds.values()) from error
    beside = [asyncio.create_task(_keep(process, _ends(asyncio.current_task())), name="reflector: keep")]
    if keys is not None:
        beside.append(asyncio.create_task(_follow(process, keys_file, keys), name="reflector: keys"))
    try:
        yield dict(zip(binds, bound, strict=True))
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await asyncio.to_thread(process.stop)


def _explained(error: OSError, binds: Collection[tuple[str, int]]) -> OSError:
    """Why no reflector can listen there, and what to do."""
    where = ", ".join(f"{host}:{port}" for host, port in binds)
    remedy = low_port_remedy((port for _, port in binds), error)
    if remedy is not None:
        return OSError(
            f"no reflector can listen on {where}: {remedy}; addresses stand under [[headquarters]]"
        )
    return OSError(
        f"no reflector can listen on {where} ({error.strerror or error}), and none answers there; free the port, "
        "or name another reflector under [[headquarters]]"
    )


def _ends(owner: asyncio.Task[Any] | None) -> Callable[[], bool]:
    """Whether the hub is on its way down: its rooms may take seconds to end, and the reflector goes after them."""
    return lambda: owner is not None and owner.cancelling() > 0


async def _keep(process: ReflectorProcess, ends: Callable[[], bool] = lambda: False) -> None:
    """Start it again whenever it has died: without it every office's line to this headquarters looks broken.

    Whoever stops the hub may send SIGTERM to all its processes at once (systemd does): a reflector that went in order
    is missed only when `ends` says no a moment later.
    """
    backoff, clock = Backoff(0.2, 15.0), asyncio.get_running_loop()
    began_s = clock.time()
    while True:
        await _nap(_LOOK_S)
        status = process.ended_with
        if status is None:
            continue
        if status in {0, -signal.SIGTERM}:
            await _nap(_LOOK_S)
        if ends():
            return
        reason = _reason(status)
        extra = {"event": "reflector.gone", "reason": reason}
        _log.error("the reflector ended with %s; starting it again", reason, extra=extra)
        if clock.time() - began_s > _STEADY_S:
            backoff.reset()
        else:  # it dies as soon as it lives: not twice a second
            await _nap(backoff.next_s())
        while True:
            if await _started_again(process):
                break
            await _nap(backoff.next_s())
        began_s = clock.time()


async def _nap(wait_s: float) -> None:
    await asyncio.sleep(wait_s)


def _reason(status: int) -> str:
    """With what it ended, in a word."""
    if status >= 0:
        return f"status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:  # of a real-time signal Python knows no name
        return f"signal {-status}"


async def _started_again(process: ReflectorProcess) -> bool:
    starting = asyncio.ensure_future(asyncio.to_thread(process.start_again))
    try:
        await asyncio.shield(starting)
    except (OSError, RuntimeError, ValueError) as error:  # no memory, no thread, no answer that can be read
        extra = {"event": "reflector.not-started", "reason": str(error)}
        _log.error("the reflector cannot be started again: %s", error, extra=extra)
        return False
    except asyncio.CancelledError:  # who stops it must find it started or not, and nothing between
        await asyncio.wait([starting])
        raise
    where = ", ".join(f"{host}:{port}" for host, port in process.addresses)
    _log.warning(
        "the reflector answers again at %s", where, extra={"event": "reflector.recovered", "addresses": where}
    )
    return True


async def _follow(process: ReflectorProcess, file: Path, keys: Callable[[], str]) -> None:
    """Have the reflector know who has been enrolled, renewed or revoked since."""
    before = await asyncio.to_thread(file.read_text, encoding="utf-8")
    while True:
        await asyncio.sleep(KEYS_S)
        with contextlib.suppress(OSError, StateError):  # another look will do
            now = await asyncio.to_thread(keys)
            if now != before:
                await asyncio.to_thread(write_private, file, now.encode())
                process.read_keys_again()
                before = now
