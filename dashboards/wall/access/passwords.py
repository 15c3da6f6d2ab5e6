"""Passwords: Argon2id (RFC 9106) by the `cryptography` library, in the PHC string format."""

from __future__ import annotations

import os
from functools import cache
from typing import Final

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

SHORTEST: Final = 10
LONGEST: Final = 256
_MEMORY_KIB: Final = 19_456  # OWASP's password storage cheat sheet: 19 MiB, two passes, one lane
_PASSES: Final = 2


class PasswordError(ValueError):
    """It cannot be used: why, and what to write instead."""


def check(password: str, name: str) -> None:
    """Raise PasswordError when a password is too easily guessed, or too long (NIST SP 800-63B 3.1.1.2: length, no recipes)."""
    if len(password) < SHORTEST:
        raise PasswordError(
            f"a password has at least {SHORTEST} characters; several words are easy to remember"
        )
    if len(password) > LONGEST:
        raise PasswordError(f"a password has at most {LONGEST} characters")
    if name.lower() in password.lower():
        raise PasswordError("the password holds the name; take other words")
    if len(set(password)) < 5:
        raise PasswordError("the password repeats a few characters; take several words")


def hashed(password: str) -> str:
    """What is kept of a password."""
    return _kdf().derive_phc_encoded(_bytes(password))


def fits(password: str, secret: str | None) -> bool:
    """Whether it is the password; takes as long when there is nobody (None) as when there is."""
    try:
        Argon2id.verify_phc_encoded(_bytes(password), secret or _nobody())
    except (InvalidKey, ValueError):
        return False
    return secret is not None


def _kdf() -> Argon2id:
    return Argon2id(salt=os.urandom(16), length=32, iterations=_PASSES, lanes=1, memory_cost=_MEMORY_KIB)


@cache
def _nobody() -> str:
    return _kdf().derive_phc_encoded(os.urandom(16))


def _bytes(password: str) -> bytes:
    return password[:LONGEST].encode()
