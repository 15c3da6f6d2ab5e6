"""Bringing a broker: mosquitto when it is on the machine, else the embedded one, or none when it runs elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from collector.broker import mosquitto
from collector.broker.address import BrokerAddress, Kind
from collector.broker.child import BrokerError, Child
from collector.broker.embedded import launch
from collector.broker.ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from collector.broker.child import Recipe
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
        yield BrokerAddress(settings.host, settings.port or MQTT_PORT, Kind.EXTERNAL)
        return
    _refuse_open_house(settings)
    kind, program = choose(settings)
    child, port = await _start(settings, kind, program, data_dir)
    watching = asyncio.create_task(child.watch(), name=f"broker.{kind}")
    log.info("%s answers on %s:%d", kind, settings.host, port)
    try:
        yield BrokerAddress(settings.host, port, kind)
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        await child.stop()


def choose(settings: Broker) -> tuple[Kind, str]:
    """Which broker it will be, and mosquitto's program when it is that.

    Raises:
        BrokerError: mosquitto was asked for and is not there.
    """
    program = mosquitto.find()
    if settings.bring == "embedded" or (settings.bring == "auto" and program is None):
        return Kind.EMBEDDED, ""
    if program is None:
        raise BrokerError(
            "broker.bring is 'mosquitto', which is not on this machine; install it, or write 'auto'"
        )
    return Kind.MOSQUITTO, program


async def _start(settings: Broker, kind: Kind, program: str, data_dir: Path) -> tuple[Child, int]:
    """Start it; with port 0 on a free port, and on another when someone was faster."""
    for attempt in range(1, _TRIES + 1):
        port = settings.port or _free_port(settings.host)
        child = Child(_recipe(settings, kind, program, port, data_dir))
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


def _recipe(settings: Broker, kind: Kind, program: str, port: int, data_dir: Path) -> Recipe:
    try:
        if kind is Kind.MOSQUITTO:
            return mosquitto.recipe(program, settings, port, data_dir)
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
    if settings.user or settings.host == "localhost":
        return
    try:
        is_loopback = ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise BrokerError(
            f"broker.host {settings.host!r} is open to others and broker.user is empty; set broker.user and "
            "broker.password, or write 127.0.0.1"
        )
