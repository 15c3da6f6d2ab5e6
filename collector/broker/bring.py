"""Bringing a broker: mosquitto when it is on the machine, else the embedded one, or none when it runs elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from collector.broker import mosquitto, open_files
from collector.broker.address import BrokerAddress, Kind
from collector.broker.child import BrokerError, Child
from collector.broker.embedded import launch
from collector.broker.ports import free_port
from config.address import is_loopback

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from collector.broker.child import Recipe
    from collector.enrolment.doorkeeper import Doorkeeper
    from config.settings import Broker

log = logging.getLogger(__name__)
MQTT_PORT: Final = 1883
_TRIES: Final = 5


@asynccontextmanager
async def bring(settings: Broker, data_dir: Path) -> AsyncIterator[BrokerAddress]:
    """Run a broker for as long as the context lasts, and keep it running on its port.

    Raises:
        BrokerError: it cannot be brought up as the settings ask.
    """
    if settings.bring == "none":
        login = hubs_login(settings, data_dir)
        yield BrokerAddress(settings.host, settings.port or MQTT_PORT, Kind.EXTERNAL, login)
        return
    _refuse_open_house(settings)
    kind, program = choose(settings)
    if kind is Kind.EMBEDDED and not is_loopback(settings.host):
        raise BrokerError(
            f"broker.host {settings.host!r} is open to others, and the embedded broker has no TLS: install mosquitto"
        )
    async with contextlib.AsyncExitStack() as stack:
        door = await _door(settings, data_dir, stack)
        child, port = await _start(door.settings if door else settings, kind, program, data_dir, door)
        stack.push_async_callback(child.stop)
        watching = {"broker": child.watch()} | ({"doorkeeper": door.run(child)} if door else {})
        for name, duty in watching.items():
            stack.push_async_callback(_cancelled, asyncio.create_task(duty, name=f"{name}.{kind}"))
        where = f"{settings.host}:{port}"
        log.info("%s answers on %s", kind, where, extra={"event": "broker.started", "address": where})
        if door:
            open_files.say_if_few()
            where = f"{settings.public_host}:{settings.public_port}"
            extra = {"event": "broker.open-to-offices", "address": where}
            log.info("%s takes in offices on %s, with TLS", kind, where, extra=extra)
        yield BrokerAddress(settings.host, port, kind, door.login if door else None)


def hubs_login(settings: Broker, data_dir: Path) -> Callable[[], tuple[str, str]] | None:
    """Of a broker that another process of this hub has brought with a user of its own making; else None.

    Raises:
        BrokerError: it cannot be read.
    """
    if settings.user or not settings.is_public or not is_loopback(settings.host):
        return None
    from collector.enrolment.keys import KeyRing  # noqa: PLC0415 - only then is there one

    try:
        return KeyRing(data_dir / "identity").hub_login
    except (OSError, ValueError) as error:
        raise BrokerError(f"the hub's own user cannot be read: {error}") from error


async def _door(settings: Broker, data_dir: Path, stack: contextlib.AsyncExitStack) -> Doorkeeper | None:
    """Who keeps the listener for offices; None when there is none."""
    if not settings.is_public:
        return None
    from collector.enrolment.authority import AuthorityError  # noqa: PLC0415 - only then is cryptography needed
    from collector.enrolment.doorkeeper import Doorkeeper  # noqa: PLC0415
    from telemetry.state.errors import StateError  # noqa: PLC0415

    try:
        door = await asyncio.to_thread(Doorkeeper, settings, data_dir)
    except (AuthorityError, StateError, ValueError) as error:
        raise BrokerError(str(error)) from error
    except OSError as error:
        raise BrokerError(
            f"{error.filename}: {error.strerror}; identity and passwords are kept there"
        ) from error
    stack.callback(door.close)
    return door


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def choose(settings: Broker) -> tuple[Kind, str]:
    """Which broker it will be, and mosquitto's program when it is that.

    Raises:
        BrokerError: mosquitto was asked for and is not there.
    """
    program = mosquitto.find()
    if settings.bring == "embedded" or (
        settings.bring == "auto" and program is None and not settings.is_public
    ):
        return Kind.EMBEDDED, ""
    if program is None and settings.is_public:
        raise BrokerError("broker.public_host needs mosquitto, which is not on this machine; install it")
    if program is None:
        raise BrokerError(
            "broker.bring is 'mosquitto', which is not on this machine; install it, or write 'auto'"
        )
    return Kind.MOSQUITTO, program


async def _start(
    settings: Broker, kind: Kind, program: str, data_dir: Path, door: Doorkeeper | None
) -> tuple[Child, int]:
    """Start it; with port 0 on a free port, and on another when someone was faster."""
    for attempt in range(1, _TRIES + 1):
        port = settings.port or _free_port(settings.host)
        child = Child(_recipe(settings, kind, program, port, data_dir, door))
        try:
            await child.start()
        except BrokerError:
            await child.stop()
            if settings.port or attempt == _TRIES:
                raise
        except BaseException:
            await child.stop()
            raise
        else:
            return child, port
    raise BrokerError(f"{kind} found no free port")


def _recipe(  # noqa: PLR0913, PLR0917 - what it is made of
    settings: Broker, kind: Kind, program: str, port: int, data_dir: Path, door: Doorkeeper | None
) -> Recipe:
    try:
        if kind is Kind.MOSQUITTO:
            return mosquitto.recipe(program, settings, port, data_dir, door.public if door else None)
        return launch.recipe(settings, port, data_dir)
    except OSError as error:
        raise BrokerError(f"{error.filename}: {error.strerror}; the broker needs to write there") from error


def _free_port(host: str) -> int:
    try:
        return free_port(host)
    except OSError as error:
        raise BrokerError(f"broker.host {host!r} is none of this machine's: {error.strerror}") from error


def _refuse_open_house(settings: Broker) -> None:
    """Without a user anyone who reaches the port could write reports; that is for this machine alone."""
    if not settings.user and not is_loopback(settings.host):
        raise BrokerError(
            f"broker.host {settings.host!r} is open to others and broker.user is empty; set broker.user and "
            "broker.password, or write 127.0.0.1"
        )
