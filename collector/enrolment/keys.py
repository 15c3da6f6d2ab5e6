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

    def hub_password(self) -> str:
        """The hub's own password at a broker that it brings."""
        made = secrets.token_urlsafe(32).encode()
        file = self._folder / "hub-password"
        return (file.read_bytes() if file.exists() else create_private(file, made)).decode()

    def renew_hub_password(self) -> None:
        """Another one; whoever keeps the broker notices, and the hub's connections take it up."""
        write_private(self._folder / "hub-password", secrets.token_urlsafe(32).encode())

    def _drawn(self, use: str, credential: Credential) -> bytes:
        whose = f"tatpar 1\0{use}\0{credential.site}\0{credential.probe}\0{credential.generation}\0".encode()
        return hmac.new(self._master, whose + credential.salt, hashlib.sha256).digest()
