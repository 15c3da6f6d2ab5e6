"""Mosquitto as our own broker: where it is, what it is told, who may do what."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from collector.broker import open_files
from collector.broker.child import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from config.settings import Broker
    from telemetry.state.credentials import Credential

SBIN: Final = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
"""Where packages put it, which is not on every user's PATH."""
MAX_PACKET_BYTES: Final = 320 * 1024
QUEUED_MESSAGES: Final = 200_000
QUEUED_BYTES: Final = 256 * 1024 * 1024
_PBKDF2_ROUNDS: Final = 101  # mosquitto's own number


@dataclass(frozen=True, slots=True)
class Public:
    """The listener for offices: TLS, named users, each with its own topics."""

    host: str
    port: int
    certificate: Path
    """Key and chain in one file."""
    access: Path
    passwords: Path


def find() -> str | None:
    """Path of the program, or None when it is not on the machine."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=os.pathsep.join(SBIN))


def recipe(program: str, settings: Broker, port: int, data_dir: Path, public: Public | None = None) -> Recipe:
    """Write configuration, passwords and access list, and say how to start it.

    Raises:
        OSError: the folder cannot be written.
    """
    folder = (data_dir / "mosquitto").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "store").mkdir(exist_ok=True)
    logs = (data_dir / "logs").absolute()
    logs.mkdir(parents=True, exist_ok=True)
    _write_private(
        folder / "acl", hub_access(settings.root, [settings.user]) if public else access_list(settings)
    )
    if settings.user:
        lone = password_lines([(settings.user, settings.password)])
        _write_private(folder / "passwords", lone if public else _passwords(folder / "passwords", settings))
    _write_private(folder / "mosquitto.conf", configuration(settings, port, folder, public))
    return Recipe(
        name="mosquitto",
        command=(program, "-c", str(folder / "mosquitto.conf")),
        host=settings.host,
        port=port,
        log_file=logs / "mosquitto.log",
        pid_file=folder / "mosquitto.pid",
        user=settings.user,
        password=settings.password,
    )


def configuration(settings: Broker, port: int, folder: Path, public: Public | None = None) -> str:
    """Mosquitto's configuration file."""
    lines = [
        "# written by tatpar at every start: change tatpar.toml, or run a broker of your own (broker.bring = 'none')",
        "per_listener_settings true",
        "persistence true",
        f"persistence_location {folder / 'store'}/",
        "autosave_interval 30",
        "persistent_client_expiration 1d",
        # past these it drops silently; the collector reads $SYS, and the probes send again what is not `stored`
        f"max_queued_messages {QUEUED_MESSAGES}",
        f"max_queued_bytes {QUEUED_BYTES}",
        "max_inflight_messages 10000",
        f"max_packet_size {MAX_PACKET_BYTES}",
        "sys_interval 5",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "connection_messages false",
        "log_timestamp_format %Y-%m-%dT%H:%M:%S",
    ]
    if os.geteuid() == 0:
        lines += ["# else it drops to a user who cannot read this folder", "user root"]
    lines += [
        f"listener {port} {settings.host}",
        f"acl_file {folder / 'acl'}",
        f"allow_anonymous {'false' if settings.user else 'true'}",
    ]
    if settings.user:
        lines.append(f"password_file {folder / 'passwords'}")
    if public is not None:
        lines += _public_listener(public)
    return "\n".join(lines) + "\n"


def _public_listener(public: Public) -> list[str]:
    return [
        f"listener {public.port} {public.host}",
        "protocol mqtt",
        f"acl_file {public.access}",
        f"password_file {public.passwords}",
        "allow_anonymous false",
        f"certfile {public.certificate}",
        f"keyfile {public.certificate}",
        "tls_version tlsv1.2",  # the least
        # else one probe could take another's connection over, or the collector's, by calling itself the same
        "use_username_as_clientid true",
        f"max_connections {open_files.places()}",
        "max_qos 1",
    ]


def hub_access(root: str, users: Iterable[str]) -> str:
    """The hub's own part, on the listener that only this machine reaches."""
    return "".join(f"user {user}\ntopic readwrite {root}/#\ntopic read $SYS/#\n" for user in users)


def password_lines(logins: Iterable[tuple[str, str]]) -> str:
    """A password file of users and passwords."""
    return "".join(f"{user}:{password_hash(password)}\n" for user, password in logins)


WRITES: Final = ("report", "backlog", "presence", "answer")
READS: Final = ("stored", "plan", "command")


def probe_access(root: str, credentials: Iterable[Credential]) -> str:
    """Exact lines for each probe's user: it writes and reads what is its own and nothing else."""
    lines = ["# written by tatpar from its state database"]
    for one in credentials:
        own = f"{root}/{one.site}/{one.probe}"
        lines.append(f"user {one.user}")
        lines += [f"topic write {own}/{leaf}" for leaf in WRITES]
        lines += [f"topic read {own}/{leaf}" for leaf in READS]
    return "\n".join(lines) + "\n"


def probe_passwords(credentials: Iterable[Credential]) -> str:
    """The password file of the listener for offices."""
    return "".join(f"{one.user}:{one.password_hash}\n" for one in credentials)


def access_list(settings: Broker) -> str:
    """Who may do what: the hub everything below the root; a probe, known by its site's id, only its own.

    Mosquitto refuses `/`, `+` and `#` in a name that it puts into a pattern, so a pattern can hold the site but
    not site and probe: enrolled probes have a listener of their own with exact lines (`probe_access`).
    """
    root = settings.root
    hub = [f"topic readwrite {root}/#", "topic read $SYS/#"]
    if settings.user:
        hub = [f"user {settings.user}", *hub]
    writes = [f"pattern write {root}/%u/+/{leaf}" for leaf in ("report", "backlog", "presence", "answer")]
    reads = [f"pattern read {root}/%u/+/{leaf}" for leaf in ("stored", "plan", "command")]
    return "\n".join([*hub, *writes, *reads]) + "\n"


def password_hash(password: str) -> str:
    """A password as mosquitto's password file holds it: `$7$rounds$salt$hash`, PBKDF2 with SHA-512."""
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _PBKDF2_ROUNDS)
    return f"$7${_PBKDF2_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def _passwords(file: Path, settings: Broker) -> str:
    """The hub's line in front of those of other users, which stay as they are."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        lines = []
    others = [line for line in lines if line and line.partition(":")[0] != settings.user]
    return "\n".join([f"{settings.user}:{password_hash(settings.password)}", *others]) + "\n"


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
