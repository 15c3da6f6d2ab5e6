"""Who may speak: certificates, the access list at the broker, probes that are enrolled and silent."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from typing import TYPE_CHECKING, Final

from collector.enrolment.authority import RENEW_DAYS, Authority, AuthorityError
from collector.enrolment.doorkeeper import FOLDER, rules_for
from config.address import is_wildcard
from tatpar.examination.finding import broken, fine, less
from tatpar.examination.phrase import Figure, as_it_is, phrase, some
from telemetry.state.credentials import Standing
from telemetry.state.db import StateDb
from telemetry.state.errors import StateError
from telemetry.state.file import STATE_FILE
from telemetry.windows import DAY_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.settings import Settings
    from tatpar.examination.finding import Finding

_SOON_DAYS: Final = 365
_TIMEOUT_S: Final = 3.0
_LOOKS: Final = 5
_LOOK_S: Final = 0.3
SILENT_NS: Final = 300 * SECOND_NS


def identity(settings: Settings, data_dir: Path, now_ns: int) -> Iterator[Finding]:
    """Everything about it; nothing where there is no identity yet, for looking makes none."""
    folder = data_dir / FOLDER
    if not (folder / "authority.pem").exists():
        if settings.desk_host:
            yield fine(phrase("identity"), phrase("identity.none"))
        return
    try:
        authority = Authority(folder, now_ns)
    except (AuthorityError, OSError) as error:
        yield broken(phrase("identity"), as_it_is(str(error)), phrase("identity.do_restore"))
        return
    yield _authority(authority, now_ns)
    if settings.broker.is_public:
        yield _certificate(authority, "broker", settings, now_ns)
        yield _served(authority, settings)
    if settings.desk_host:
        yield _certificate(authority, "desk", settings, now_ns)
    yield from _probes(settings, data_dir, now_ns)


def _authority(authority: Authority, now_ns: int) -> Finding:
    days = (authority.until_ns - now_ns) / DAY_NS
    subject = phrase("authority")
    if days > _SOON_DAYS:
        return fine(subject, phrase("authority.years", pin=authority.pin, years=Figure(days / 365)))
    return less(subject, phrase("authority.days", days=Figure(days)), phrase("authority.do_anew"))


def _certificate(authority: Authority, which: str, settings: Settings, now_ns: int) -> Finding:
    names = settings.broker.names if which == "broker" else settings.desk_names
    found = authority.served(which)
    subject = phrase("certificate", which=which)
    start = phrase("certificate.do_start")
    if found is None:
        return less(subject, phrase("certificate.none"), start)
    days = (found.until_ns - now_ns) / DAY_NS
    if days <= 0:
        return broken(subject, phrase("certificate.expired", days=Figure(-days)), start)
    if found.names != frozenset(names):
        text = phrase("certificate.names", own=", ".join(sorted(found.names)), settings=", ".join(names))
        return less(subject, text, start)
    if days < RENEW_DAYS / 2:
        return less(subject, phrase("certificate.not_renewed", days=Figure(days, 1)), start)
    return fine(subject, phrase("certificate.good", days=Figure(days)))


def _served(authority: Authority, settings: Settings) -> Finding:
    """Shake hands as an office does."""
    broker, subject = settings.broker, phrase("listener")
    host = "localhost" if is_wildcard(broker.public_host) else broker.public_host
    where = f"{broker.names[0]}:{broker.public_port}"
    context = ssl.create_default_context(cadata=authority.certificate_pem)
    try:
        with (
            socket.create_connection((host, broker.public_port), timeout=_TIMEOUT_S) as plain,
            context.wrap_socket(plain, server_hostname=broker.names[0]) as sock,
        ):
            return fine(subject, phrase("listener.answers", where=where, version=str(sock.version())))
    except ssl.SSLError as error:
        why = getattr(error, "verify_message", "") or error.reason or str(error)
        return broken(subject, as_it_is(f"{where}: {why}"), phrase("listener.do_start_again"))
    except OSError as error:
        return less(subject, as_it_is(f"{where}: {error.strerror or error}"), phrase("listener.do_start"))


def _probes(settings: Settings, data_dir: Path, now_ns: int) -> Iterator[Finding]:
    if not (data_dir / STATE_FILE).exists():
        return
    try:
        with contextlib.closing(StateDb(data_dir / STATE_FILE)) as state:
            if settings.broker.is_public:
                yield _access(state, settings, data_dir, now_ns)
            yield _silent(state, now_ns)
    except StateError as error:
        yield broken(phrase("enrolments"), as_it_is(str(error)), phrase("decisions.do_restore"))


def _access(state: StateDb, settings: Settings, data_dir: Path, now_ns: int) -> Finding:
    folder = data_dir / FOLDER
    for look in range(_LOOKS):  # a hub that runs needs a moment after each change
        rules = rules_for(state, settings.broker.root, now_ns)
        wrong = [
            name
            for name, text in (("acl", rules.access), ("passwords", rules.passwords))
            if _read(folder / name) != text
        ]
        if not wrong:
            return fine(phrase("access"), phrase("access.in_step", users=rules.users))
        time.sleep(_LOOK_S if look < _LOOKS - 1 else 0)
    text = phrase("access.differs", file=str(folder / wrong[0]))
    return broken(phrase("access"), text, phrase("access.do_start"))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _silent(state: StateDb, now_ns: int) -> Finding:
    """Probes that are enrolled and not there."""
    presence = state.presence()
    standings = state.standings(now_ns)
    enrolled = sorted(whose for whose, standing in standings.items() if standing is Standing.ENROLLED)
    invited = sum(standing is Standing.INVITED for standing in standings.values())
    taken = {(one.site, one.probe): one.taken_ns or 0 for one in state.credentials()}
    silent = [
        f"{site}/{probe}"
        for site, probe in enrolled
        if not ((seen := presence.get((site, probe))) and seen.online)
        and now_ns - max(taken[site, probe], seen.since_ns if seen else 0) > SILENT_NS
    ]
    subject, text = phrase("enrolments"), phrase("enrolments.count", enrolled=len(enrolled), invited=invited)
    if not silent:
        return fine(subject, text)
    minutes = SILENT_NS // SECOND_NS // 60
    text = phrase("enrolments.silent", counted=text, minutes=minutes, names=some(silent))
    return less(subject, text, phrase("enrolments.do_see"))
