"""Whether one part of the hub is at work: what a container's health check and a person with one service ask."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import ssl
import time
from typing import TYPE_CHECKING, Final

from config.address import is_wildcard, parse_address
from tatpar.examination.finding import broken, fine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from config.settings import Settings
    from tatpar.examination.finding import Finding

TIMEOUT_S: Final = 5.0
SILENT_S: Final = 300.0
"""A part may work out a forecast between two signs of life."""


def part(name: str, settings: Settings, data_dir: Path, at: str) -> Finding:
    """Examine one part; `at` is where a reflector listens."""
    if name == "reflect":
        return _reflector(at)
    return _PARTS[name](settings, data_dir)


def _broker(settings: Settings, data_dir: Path) -> Finding:
    """Does it let the hub itself in."""
    from collector.broker.bring import hubs_login  # noqa: PLC0415 - of the hub's install
    from collector.broker.child import BrokerError  # noqa: PLC0415
    from collector.broker.knock import Answered, knock  # noqa: PLC0415

    broker = settings.broker
    where = f"{broker.host}:{broker.port}"
    if not (data_dir / "identity").exists() and broker.is_public:
        return broken("broker", "it has not started yet", "start it: tatpar broker")
    try:
        login = hubs_login(broker, data_dir)
    except BrokerError as error:
        return broken("broker", str(error), "run this as the user of the services")
    user, password = login() if login else (broker.user, broker.password)
    answer = asyncio.run(knock(broker.host, broker.port, user, password))
    if isinstance(answer, Answered):
        return fine("broker", f"{where} answers")
    return broken("broker", f"{where}: {answer}", "start it: tatpar broker; see logs/mosquitto.log")


def _collect(settings: Settings, data_dir: Path) -> Finding:  # noqa: ARG001 - one signature for all
    metrics = settings.metrics
    return _page("collect", metrics.host, metrics.port, "/healthz", "start it: tatpar collect")


def _wall(settings: Settings, data_dir: Path) -> Finding:  # noqa: ARG001
    return _page("wall", settings.wall.host, settings.wall.port, "/healthz", "start it: tatpar wall")


def _desk(settings: Settings, data_dir: Path) -> Finding:
    file = data_dir / "identity" / "authority.pem"
    remedy = "start it: tatpar enroll --desk"
    try:
        context = ssl.create_default_context(cadata=_certificate(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        return broken("desk", f"{file}: {error}", remedy)
    context.check_hostname = False  # asked for at this machine's own address
    host, port = settings.desk_host, settings.enrolment.port
    return _page("desk", host, port, "/ca", remedy, context)


def _certificate(pem: str) -> str:
    """Only the certificate of a file that also holds the key."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    return pem[pem.index(begin) : pem.index(end) + len(end)]


def _page(  # noqa: PLR0913, PLR0917 - which page of whom
    subject: str, host: str, port: int, path: str, remedy: str, context: ssl.SSLContext | None = None
) -> Finding:
    """Is the page there, and does it say 200."""
    address = "127.0.0.1" if is_wildcard(host) else host
    if context is None:
        connection = http.client.HTTPConnection(address, port, timeout=TIMEOUT_S)
    else:
        connection = http.client.HTTPSConnection(address, port, timeout=TIMEOUT_S, context=context)
    try:
        with contextlib.closing(connection):
            connection.request("GET", path)
            status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return broken(subject, f"{address}:{port}: {error}", remedy)
    if status != http.client.OK:
        return broken(subject, f"{address}:{port}{path} says {status}", "see the log of this part")
    return fine(subject, f"{address}:{port} answers")


def _beats(role: str) -> Callable[[Settings, Path], Finding]:
    def found(settings: Settings, data_dir: Path) -> Finding:  # noqa: ARG001
        from telemetry.state.db import StateDb  # noqa: PLC0415
        from telemetry.state.errors import StateError  # noqa: PLC0415

        remedy = f"start it: tatpar {role}"
        file = data_dir / "state.db"
        if not file.exists():
            return broken(role, f"there is no {file}", remedy)
        try:
            with contextlib.closing(StateDb(file)) as state:
                beat = state.beats().get(role)
        except StateError as error:
            return broken(role, str(error), "restore state.db from a backup")
        age_s = time.time() - beat.at_ns / 1e9 if beat else None
        if age_s is None or age_s > SILENT_S:
            return broken(role, "silent" if age_s is None else f"silent for {age_s:.0f} s", remedy)
        return fine(role, "at work")

    return found


def _reflector(at: str) -> Finding:
    from tatpar.examination.ends import answers  # noqa: PLC0415

    address = parse_address(at)
    if address is None:
        return broken("reflect", f"{at!r} is no address", "write --at HOST:PORT, as 127.0.0.1:862")
    if answers((address.host, address.port)):
        return fine("reflect", f"{at} answers")
    return broken("reflect", f"{at} does not answer", "start it: tatpar reflect")


_PARTS: Final = {
    "broker": _broker,
    "collect": _collect,
    "watch": _beats("watch"),
    "alerts": _beats("alerts"),
    "wall": _wall,
    "desk": _desk,
}
NAMES: Final = (*_PARTS, "reflect")
