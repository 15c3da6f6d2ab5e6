"""What a probe was handed at the enrolment desk, kept in one file that only it may read, replaced whole.

While a new generation has not proved itself the one before is kept beside it, so that no failure between the two
locks the probe out.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from config.plain_file import MOST_SECRET_BYTES, must_be_replaceable, read_plain
from probes.kernel.system import sync_folder

if TYPE_CHECKING:
    from pathlib import Path

    from telemetry.grant import Grant

FILE: Final = "credentials.json"
AUTHORITY_FILE: Final = "hub-ca.pem"


class CredentialsError(Exception):
    """The credentials cannot be read or written; the text says which file and why."""


class Login(Struct, frozen=True, kw_only=True):
    """One generation."""

    generation: int
    user: str
    password: str
    command_key: str
    """Hex."""

    @property
    def key(self) -> bytes:
        """The command key."""
        return bytes.fromhex(self.command_key)

    def __repr__(self) -> str:
        return f"Login(generation={self.generation}, user={self.user!r})"


class Credentials(Struct, frozen=True, kw_only=True):
    """All of it."""

    site: str
    probe: str
    hubs: tuple[str, ...]
    """Addresses of the enrolment desk."""
    pin: str
    token_hash: str
    """Of the enrolment that this came of, so that it is not redeemed again at each start."""
    current: Login
    previous: Login | None = None
    """The generation before, until the hub knows that the current one is in use."""
    ssid: int = 0
    reflector_key: str = ""
    """Hex; for STAMP's authenticated mode."""
    language: str = ""
    """The deployment's; empty where the hub did not say."""

    def __repr__(self) -> str:
        return f"Credentials({self.site}/{self.probe}, {self.current!r}, previous={self.previous!r})"

    @property
    def logins(self) -> tuple[Login, ...]:
        """What the hub may know us by, newest first."""
        return (self.current,) if self.previous is None else (self.current, self.previous)

    def followed_by(self, grant: Grant) -> Credentials:
        """The next generation, with this one kept until that has proved itself."""
        return msgspec.structs.replace(
            self,
            current=login_of(grant),
            previous=self.current,
            ssid=grant.ssid,
            reflector_key=grant.reflector_key,
            language=grant.language or self.language,
        )


def login_of(grant: Grant) -> Login:
    """The part of a grant that opens doors."""
    return Login(
        generation=grant.generation, user=grant.user, password=grant.password, command_key=grant.command_key
    )


def load_credentials(path: Path) -> Credentials:
    """Read the file.

    Raises:
        CredentialsError: it is missing, damaged, or may not be read.
    """
    try:
        found = msgspec.json.decode(read_plain(path, MOST_SECRET_BYTES), type=Credentials)
        for login in found.logins:
            login.key  # noqa: B018 - is it hex?
    except OSError as error:
        raise CredentialsError(
            f"{path}: {error.strerror}; enrol this probe: tatpar probe --enrolment FILE"
        ) from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise CredentialsError(f"{path}: damaged ({error}); enrol this probe anew") from error
    return found


def save_credentials(path: Path, credentials: Credentials) -> None:
    """Put the file in place at once, mode 0600, durably.

    Raises:
        CredentialsError: the folder cannot be written.
    """
    write_private(path, msgspec.json.format(msgspec.json.encode(credentials)))


def write_private(path: Path, data: bytes) -> None:
    """Replace a file at once; nobody else may read it, and it outlives a power cut.

    Raises:
        CredentialsError: the folder cannot be written, or what is in the file's place is no plain file.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        must_be_replaceable(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise CredentialsError(f"{path}: {error.strerror}") from error
