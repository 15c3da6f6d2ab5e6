"""The office's machine: is it enrolled, does it find and reach its hub, what waits, what answers it."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import ssl
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from config.errors import ConfigError
from probes.publishing.plan import chart
from probes.publishing.probe_file import load_probe_file
from tatpar.examination import beside
from tatpar.examination.ends import ask
from tatpar.examination.finding import broken, fine, less
from telemetry.codec import MessageError, decode_control
from telemetry.control import Plan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from probes.publishing.office_settings import OfficeSettings
    from tatpar.examination.finding import Finding

TIMEOUT_S: Final = 5.0
MANY: Final = 40
"""Reports that wait: ten minutes of them."""


def office(file: Path, data_dir: Path) -> Iterator[Finding]:
    """What is the matter with this office's probe, in the order in which it would be mended."""
    if not file.exists():
        remedy = (
            "run: tatpar probe --enrolment FILE --data " + f"{data_dir}, with the file that the hub gave out"
        )
        yield broken("enrolment", f"there is no {file}: this office is not enrolled", remedy)
        return
    try:
        settings = load_probe_file(file, data_dir)
    except ConfigError as error:
        yield broken("settings", str(error), "mend this line, or ask the hub for a new enrolment file")
        return
    yield fine("enrolment", f"{settings.key}, reports to {settings.broker_host}:{settings.broker_port}")
    yield from _way(settings)
    yield from _kept(settings)


def _way(office: OfficeSettings) -> Iterator[Finding]:
    """From here to the hub: name, port, TLS. No log-in, which would push the running probe out."""
    host, port = office.broker_host, office.broker_port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        text = f"the name {host} is not known here ({error.strerror})"
        yield broken(
            "name of the hub", text, "see that this machine has a DNS server, or write the hub's address"
        )
        return
    yield fine("name of the hub", f"{host} is {found[0][4][0]}")
    subject = "way to the hub"
    try:
        plain = socket.create_connection((host, port), timeout=TIMEOUT_S)
    except TimeoutError:
        text = f"nothing comes back from {host}, TCP port {port}"
        yield broken(subject, text, f"ask whoever keeps the firewall or the line to let TCP port {port} out")
        return
    except OSError as error:
        text = f"{host}, TCP port {port}: {error.strerror or error}"
        yield broken(
            subject, text, "see that this machine is on the network, and ask the hub whether its broker runs"
        )
        return
    with plain:
        yield _spoken(office, plain, host)


def _spoken(office: OfficeSettings, plain: socket.socket, host: str) -> Finding:
    subject = "way to the hub"
    if office.tls_ca is None:
        return fine(subject, "open, without TLS")
    try:
        context = ssl.create_default_context(cafile=str(office.tls_ca))
        with context.wrap_socket(plain, server_hostname=host) as sock:
            return fine(subject, f"open, with {sock.version()}")
    except ssl.SSLCertVerificationError as error:
        text = f"whoever answers there does not prove to be our hub ({error.verify_message})"
        remedy = "compare this machine's clock with the right time; if it is right, tell the hub at once"
        return broken(subject, text, remedy)
    except OSError as error:
        return broken(subject, f"no TLS: {error}", "see that nothing between here and the hub looks into TLS")


def _kept(office: OfficeSettings) -> Iterator[Finding]:
    """What the probe keeps on the disk, read beside it."""
    if not office.spool.exists():
        yield less("probe", "it has never run here", "start it: systemctl start tatpar-probe")
        return
    try:
        with contextlib.closing(
            sqlite3.connect(f"{office.spool.absolute().as_uri()}?mode=ro", uri=True)
        ) as spool:
            waiting, plan = spool.execute("SELECT reports, plan FROM spool").fetchone()
            ran = spool.execute("SELECT version FROM run").fetchone()
    except (sqlite3.Error, TypeError) as error:
        yield broken(
            "spool", f"{office.spool}: {error}", "start the probe again; it moves a damaged spool aside"
        )
        return
    here = version("tatpar")
    if ran and ran[0] != here:
        yield less("version", f"{here} is installed, {ran[0]} ran last", "systemctl restart tatpar-probe")
    else:
        yield fine("version", here)
    if waiting > MANY:
        remedy = "they go out by themselves once the hub can be reached; see what is broken above"
        yield less("reports", f"{waiting} wait to be taken by the hub", remedy)
    else:
        yield fine("reports", f"{waiting} wait to be taken by the hub")
    yield from _ends(office, plan)


def _ends(office: OfficeSettings, plan: bytes | None) -> Iterator[Finding]:
    """The reflectors of the hub's last plan."""
    if not plan:
        yield less(
            "plan", "the hub has sent none yet", "start the probe, and see that the hub's collector runs"
        )
        yield from beside.of_office(office, None)
        return
    try:
        last = decode_control(plan, Plan)
    except MessageError:
        return
    for target in chart(last, office.ends).targets:
        yield from (ask(target.path, str(reflector)) for reflector in target.reflectors)
    yield from beside.of_office(office, last)
