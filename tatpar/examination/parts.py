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
from tatpar.examination.phrase import Figure, as_it_is, phrase
from telemetry.state.file import STATE_FILE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from config.settings import Settings
    from tatpar.examination.finding import Finding
    from tatpar.examination.phrase import Phrase

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

    broker, subject = settings.broker, phrase("broker")
    where = f"{broker.host}:{broker.port}"
    if not (data_dir / "identity").exists() and broker.is_public:
        return broken(subject, phrase("broker.not_started"), _start("broker"))
    try:
        login = hubs_login(broker, data_dir)
    except BrokerError as error:
        return broken(subject, as_it_is(str(error)), phrase("broker.do_run_as_services"))
    user, password = login() if login else (broker.user, broker.password)
    answer = asyncio.run(knock(broker.host, broker.port, user, password))
    if isinstance(answer, Answered):
        return fine(subject, phrase("broker.answers", where=where))
    return broken(subject, as_it_is(f"{where}: {answer}"), phrase("broker.do_start"))


def _collect(settings: Settings, data_dir: Path) -> Finding:  # noqa: ARG001 - one signature for all
    metrics = settings.metrics
    return _page("collect", metrics.host, metrics.port, "/healthz", _start("collect"))


def _wall(settings: Settings, data_dir: Path) -> Finding:  # noqa: ARG001
    return _page("wall", settings.wall.host, settings.wall.port, "/healthz", _start("wall"))


def _desk(settings: Settings, data_dir: Path) -> Finding:
    file = data_dir / "identity" / "authority.pem"
    remedy = _start("enroll --desk")
    try:
        context = ssl.create_default_context(cadata=_certificate(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        return broken(as_it_is("desk"), as_it_is(f"{file}: {error}"), remedy)
    context.check_hostname = False  # asked for at this machine's own address
    host, port = settings.desk_host, settings.enrolment.port
    return _page("desk", host, port, "/ca", remedy, context)


def _certificate(pem: str) -> str:
    """Only the certificate of a file that also holds the key."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    return pem[pem.index(begin) : pem.index(end) + len(end)]


def _page(  # noqa: PLR0913, PLR0917 - which page of whom
    name: str, host: str, port: int, path: str, remedy: Phrase, context: ssl.SSLContext | None = None
) -> Finding:
    """Is the page there, and does it say 200."""
    subject, address = as_it_is(name), "127.0.0.1" if is_wildcard(host) else host
    if context is None:
        connection = http.client.HTTPConnection(address, port, timeout=TIMEOUT_S)
    else:
        connection = http.client.HTTPSConnection(address, port, timeout=TIMEOUT_S, context=context)
    try:
        with contextlib.closing(connection):
            connection.request("GET", path)
            status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return broken(subject, as_it_is(f"{address}:{port}: {error}"), remedy)
    if status != http.client.OK:
        text = phrase("part.says", where=f"{address}:{port}{path}", status=str(status))
        return broken(subject, text, phrase("part.do_see_log"))
    return fine(subject, phrase("part.answers", where=f"{address}:{port}"))


def _beats(role: str) -> Callable[[Settings, Path], Finding]:
    def found(settings: Settings, data_dir: Path) -> Finding:  # noqa: ARG001
        from telemetry.state.db import StateDb  # noqa: PLC0415
        from telemetry.state.errors import StateError  # noqa: PLC0415

        subject, remedy = as_it_is(role), _start(role)
        file = data_dir / STATE_FILE
        if not file.exists():
            return broken(subject, phrase("part.no_file", file=str(file)), remedy)
        try:
            with contextlib.closing(StateDb(file)) as state:
                beat = state.beats().get(role)
        except StateError as error:
            return broken(subject, as_it_is(str(error)), phrase("decisions.do_restore"))
        age_s = time.time() - beat.at_ns / 1e9 if beat else None
        if age_s is None or age_s > SILENT_S:
            silent = phrase("role.never") if age_s is None else phrase("role.silent", age_s=Figure(age_s))
            return broken(subject, silent, remedy)
        return fine(subject, phrase("role.at_work"))

    return found


def _reflector(at: str) -> Finding:
    from tatpar.examination.ends import answers  # noqa: PLC0415

    subject, address = as_it_is("reflect"), parse_address(at)
    if address is None:
        return broken(subject, phrase("part.no_address", at=repr(at)), phrase("part.do_write_address"))
    if answers((address.host, address.port)):
        return fine(subject, phrase("part.answers", where=at))
    return broken(subject, phrase("part.silent", where=at), _start("reflect"))


def _start(command: str) -> Phrase:
    return phrase("part.do_start", command=command)


_PARTS: Final = {
    "broker": _broker,
    "collect": _collect,
    "watch": _beats("watch"),
    "alerts": _beats("alerts"),
    "wall": _wall,
    "desk": _desk,
}
NAMES: Final = (*_PARTS, "reflect")
