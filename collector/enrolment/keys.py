"""The secrets of every probe, all drawn from one master key and a salt: the state database holds none of them.

HMAC-SHA-256 as a key derivation (NIST SP 800-108): one label for each use, so that no secret says anything of another.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Final

from collector.enrolment.private_files import create_private, private_folder, write_private

if TYPE_CHECKING:
    from pathlib import Path

    from telemetry.state.credentials import Credential

MASTER_BYTES: Final = 32
HUB_USER: Final = "hub"


class KeyRing:
    """Draws passwords and keys from the master key in a folder; the key is made at the first need."""

    def __init__(self, folder: Path) -> None:
        """Take the key from the folder, or make it.

        Raises:
            OSError: the folder cannot be read or written.
            ValueError: the key in it is damaged.
        """
        self._folder = private_folder(folder)
        file = folder / "master.key"
        found = (
            file.read_bytes() if file.exists() else create_private(file, secrets.token_bytes(MASTER_BYTES))
        )
        if len(found) != MASTER_BYTES:
            raise ValueError(f"{file}: {len(found)} bytes are no master key; restore it from a backup")
        self._master = found

    def password(self, credential: Credential) -> str:
        """Of the broker's user."""
        return base64.urlsafe_b64encode(self._drawn("password", credential)).decode().rstrip("=")

    def command_key(self, credential: Credential) -> bytes:
        """Signs commands and answers."""
        return self._drawn("command", credential)

    def reflector_key(self, credential: Credential) -> bytes:
        """HMAC key of STAMP's authenticated mode."""
        return self._drawn("reflector", credential)

    def hub_login(self) -> tuple[str, str]:
        """The hub's own user and password at a broker that it brings."""
        file = self._folder / "hub-login"
        made = f"1:{secrets.token_urlsafe(32)}".encode()
        number, _, password = (
            (file.read_bytes() if file.exists() else create_private(file, made)).decode().partition(":")
        )
        return f"{HUB_USER}.{number}", password

    def renew_hub_login(self) -> None:
        """Another user with another password: so the one before stays good until nobody uses it any more."""
        number = int(self.hub_login()[0].rpartition(".")[2]) + 1
        write_private(self._folder / "hub-login", f"{number}:{secrets.token_urlsafe(32)}".encode())

    def _drawn(self, use: str, credential: Credential) -> bytes:
        whose = f"tatpar 1\0{use}\0{credential.site}\0{credential.probe}\0{credential.generation}\0".encode()
        return hmac.new(self._master, whose + credential.salt, hashlib.sha256).digest()
