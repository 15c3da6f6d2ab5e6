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
from tatpar.examination.phrase import as_it_is, phrase
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
        text = phrase("enrolment.none", file=str(file))
        yield broken(phrase("enrolment"), text, phrase("enrolment.do_run", data=str(data_dir)))
        return
    try:
        settings = load_probe_file(file, data_dir)
    except ConfigError as error:
        yield broken(phrase("settings"), as_it_is(str(error)), phrase("settings.do_mend"))
        return
    hub = f"{settings.broker_host}:{settings.broker_port}"
    yield fine(phrase("enrolment"), phrase("enrolment.reports_to", probe=settings.key, hub=hub))
    yield from _way(settings)
    yield from _kept(settings)


def _way(office: OfficeSettings) -> Iterator[Finding]:
    """From here to the hub: name, port, TLS. No log-in, which would push the running probe out."""
    host, port = office.broker_host, office.broker_port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        text = phrase("name.unknown", host=host, why=str(error.strerror))
        yield broken(phrase("name"), text, phrase("name.do_see_dns"))
        return
    yield fine(phrase("name"), phrase("name.is", host=host, address=str(found[0][4][0])))
    subject = phrase("way")
    try:
        plain = socket.create_connection((host, port), timeout=TIMEOUT_S)
    except TimeoutError:
        text = phrase("way.swallowed", host=host, port=str(port))
        yield broken(subject, text, phrase("way.do_ask_firewall", port=str(port)))
        return
    except OSError as error:
        text = phrase("way.refused", host=host, port=str(port), why=str(error.strerror or error))
        yield broken(subject, text, phrase("way.do_see_network"))
        return
    with plain:
        yield _spoken(office, plain, host)


def _spoken(office: OfficeSettings, plain: socket.socket, host: str) -> Finding:
    subject = phrase("way")
    if office.tls_ca is None:
        return fine(subject, phrase("way.open_plain"))
    try:
        context = ssl.create_default_context(cafile=str(office.tls_ca))
        with context.wrap_socket(plain, server_hostname=host) as sock:
            return fine(subject, phrase("way.open", version=str(sock.version())))
    except ssl.SSLCertVerificationError as error:
        text = phrase("way.not_our_hub", why=error.verify_message)
        return broken(subject, text, phrase("way.do_compare_clock"))
    except OSError as error:
        return broken(subject, phrase("way.no_tls", why=str(error)), phrase("way.do_see_between"))


def _kept(office: OfficeSettings) -> Iterator[Finding]:
    """What the probe keeps on the disk, read beside it."""
    if not office.spool.exists():
        yield less(phrase("probe"), phrase("probe.never_ran"), phrase("probe.do_start"))
        return
    try:
        with contextlib.closing(
            sqlite3.connect(f"{office.spool.absolute().as_uri()}?mode=ro", uri=True)
        ) as spool:
            waiting, plan = spool.execute("SELECT reports, plan FROM spool").fetchone()
            ran = spool.execute("SELECT version FROM run").fetchone()
    except (sqlite3.Error, TypeError) as error:
        text = as_it_is(f"{office.spool}: {error}")
        yield broken(phrase("spool"), text, phrase("spool.do_start_again"))
        return
    here = version("tatpar")
    if ran and ran[0] != here:
        text = phrase("version.differs", here=here, ran=str(ran[0]))
        yield less(phrase("version"), text, as_it_is("systemctl restart tatpar-probe"))
    else:
        yield fine(phrase("version"), as_it_is(here))
    if waiting > MANY:
        yield less(phrase("reports"), phrase("reports.wait", count=waiting), phrase("reports.do_nothing"))
    else:
        yield fine(phrase("reports"), phrase("reports.wait", count=waiting))
    yield from _ends(office, plan)


def _ends(office: OfficeSettings, plan: bytes | None) -> Iterator[Finding]:
    """The reflectors of the hub's last plan."""
    if not plan:
        yield less(phrase("plan"), phrase("plan.none"), phrase("plan.do_start"))
        yield from beside.of_office(office, None)
        return
    try:
        last = decode_control(plan, Plan)
    except MessageError:
        return
    for target in chart(last, office.ends).targets:
        yield from (ask(target.path, str(reflector)) for reflector in target.reflectors)
    yield from beside.of_office(office, last)
