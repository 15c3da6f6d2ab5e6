"""From an enrolment file to a probe that may speak: redeem the token, keep what comes, write `probe.toml`.

A crash at any point is mended by running it again: the random number that goes with the token is on the disk before
it is sent, so that the desk knows us again, and what it hands out is on the disk before the old is let go.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import tomllib
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta, Struct

from config.address import parse_address
from config.toml_file import TomlFile
from probes.enrolment import desk_client
from probes.enrolment.credentials import (
    AUTHORITY_FILE,
    FILE,
    Credentials,
    CredentialsError,
    Login,
    load_credentials,
    login_of,
    save_credentials,
    write_private,
)

if TYPE_CHECKING:
    from pathlib import Path

    from telemetry.grant import Grant

PROBE_FILE: Final = "probe.toml"
NONCE_FILE: Final = "redeeming.json"
_writing: Final = threading.Lock()
"""Held from reading the credentials to writing them."""
Text = Annotated[str, Meta(min_length=1)]


class Enrolment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The one file that an office gets from its hub."""

    hub: Annotated[tuple[Text, ...], Meta(min_length=1)]
    """`host:port` of the enrolment desk."""
    pin: Text
    token: Annotated[str, Meta(min_length=16, max_length=128)]

    @property
    def token_hash(self) -> str:
        """What may be kept of the token."""
        return hashlib.sha256(self.token.encode()).hexdigest()


class _Attempt(Struct, frozen=True, kw_only=True):
    """What is on the disk before the token is sent."""

    token_hash: str
    nonce: str


def load_enrolment(path: Path) -> Enrolment:
    """Read an enrolment file.

    Raises:
        ConfigError: it is missing or wrong: where, what, and what to write instead.
    """
    file = TomlFile(path)
    found = file.convert(file.tables, Enrolment)
    for place, address in enumerate(found.hub):
        if parse_address(address) is None:
            raise file.wrong(
                ("hub", place), f'"{address}" is not host:port', 'write it as "hub.example:8443"'
            )
    if not found.pin.startswith("sha256/"):
        raise file.wrong(("pin",), f'the pin "{found.pin}" is none', "copy the file from the hub once more")
    return found


def is_redeemed(enrolment: Enrolment, data_dir: Path) -> bool:
    """Whether this very enrolment was redeemed into this folder before."""
    try:
        kept = load_credentials(data_dir / FILE)
    except CredentialsError:
        return False
    return kept.token_hash == enrolment.token_hash and (data_dir / PROBE_FILE).exists()


def redeem_into(enrolment: Enrolment, data_dir: Path) -> Credentials:
    """Redeem a token, once, and put everything that a probe needs into its data folder.

    Raises:
        DeskError: the hub cannot be reached, is another, or refuses.
        CredentialsError: the folder cannot be written.
    """
    nonce = _nonce(enrolment, data_dir)
    grant, host = desk_client.redeem(enrolment.hub, enrolment.pin, enrolment.token, nonce)
    before = _before(data_dir, grant)
    kept = Credentials(
        site=grant.site,
        probe=grant.probe,
        hubs=enrolment.hub,
        pin=enrolment.pin,
        token_hash=enrolment.token_hash,
        current=login_of(grant),
        previous=before,
        ssid=grant.ssid,
        reflector_key=grant.reflector_key,
        language=grant.language,
    )
    if grant.broker_ca:
        write_private(data_dir / AUTHORITY_FILE, grant.broker_ca.encode())
    _settle_settings(grant, host, data_dir / PROBE_FILE)
    save_credentials(data_dir / FILE, kept)
    (data_dir / NONCE_FILE).unlink(missing_ok=True)
    return kept


def redeem_next(kept: Credentials, token: str, path: Path) -> Credentials:
    """Take up the next generation of what is in a file; the one before stays valid until `confirm`.

    Raises:
        DeskError: the hub cannot be reached, is another, or refuses.
        CredentialsError: the file cannot be written.
    """
    nonce = hashlib.sha256(f"{kept.current.command_key}{token}".encode()).hexdigest()
    grant, _ = desk_client.redeem(kept.hubs, kept.pin, token, nonce)
    if (grant.site, grant.probe) != (kept.site, kept.probe):
        raise desk_client.RefusedError(f"the token is for {grant.site}/{grant.probe}")
    following = kept.followed_by(grant)
    with _writing:
        if grant.broker_ca:
            write_private(path.parent / AUTHORITY_FILE, grant.broker_ca.encode())
        save_credentials(path, following)
    return following


def confirm(kept: Credentials, path: Path) -> Credentials:
    """Tell the hub that the current generation is in use, and forget the one before.

    Raises:
        DeskError: the hub cannot be told; the one before is kept.
        CredentialsError: the file cannot be written.
    """
    whose = (kept.site, kept.probe, kept.current.generation)
    desk_client.confirm(kept.hubs, kept.pin, whose, kept.current.key)
    with _writing:
        now = load_credentials(
            path
        )  # while we spoke to the hub, a command may have brought another generation
        if now.current.generation == kept.current.generation:
            now = msgspec.structs.replace(now, previous=None)
            save_credentials(path, now)
    return now


def _nonce(enrolment: Enrolment, data_dir: Path) -> str:
    """Ours for this token, the same at every attempt."""
    path = data_dir / NONCE_FILE
    try:
        attempt = msgspec.json.decode(path.read_bytes(), type=_Attempt)
    except (OSError, msgspec.MsgspecError):
        attempt = None
    if attempt is None or attempt.token_hash != enrolment.token_hash:
        attempt = _Attempt(token_hash=enrolment.token_hash, nonce=secrets.token_urlsafe(32))
        write_private(path, msgspec.json.encode(attempt))
    return attempt.nonce


def _before(data_dir: Path, grant: Grant) -> Login | None:
    """The generation that this probe had until now, if it is the same probe."""
    try:
        kept = load_credentials(data_dir / FILE)
    except CredentialsError:
        return None
    same = (kept.site, kept.probe) == (grant.site, grant.probe)
    return kept.current if same and kept.current.generation != grant.generation else None


def _settle_settings(grant: Grant, host: str, path: Path) -> None:
    """Write `probe.toml`; one that is there stays when it names this probe and broker, else it is set aside."""
    addresses = [address for address in map(parse_address, grant.brokers) if address is not None]
    if not addresses:
        raise desk_client.RefusedError("the hub names no broker that can be understood")
    if path.exists():
        if _names(path, grant, [(one.host, one.port) for one in addresses]):
            return
        path.replace(path.with_name(f"{path.name}.old"))
    broker = next((one for one in addresses if one.host == host), addresses[0])
    trust = f'ca = "{AUTHORITY_FILE}"\n' if grant.broker_ca else "insecure = true\n"
    text = (
        "# Written by `tatpar probe --enrolment`. Every key: config/defaults/probe.toml in the program.\n"
        f'site = "{grant.site}"\nprobe = "{grant.probe}"\n\n[broker]\n'
        f'host = "{broker.host}"\nport = {broker.port}\nroot = "{grant.root}"\n'
        f'credentials = "{FILE}"\n{trust}'
    )
    write_private(path, text.encode())


def _names(path: Path, grant: Grant, brokers: list[tuple[str, int]]) -> bool:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    broker = tables.get("broker")
    if not isinstance(broker, dict):
        return False
    whose = (tables.get("site"), tables.get("probe", "p1"), broker.get("credentials"))
    return whose == (grant.site, grant.probe, FILE) and (broker.get("host"), broker.get("port")) in brokers
