"""Tokens: what a browser holds, and the hash of it that we keep."""

from __future__ import annotations

from hashlib import blake2b
from secrets import token_urlsafe
from typing import Final

LONGEST: Final = 128
_RANDOM_BYTES: Final = 32


def new_token() -> str:
    """256 random bits that may stand in a cookie and in an address."""
    return token_urlsafe(_RANDOM_BYTES)


def hash_of(token: str) -> bytes:
    """What is kept of a token: it has so many random bits that a plain hash cannot be turned back."""
    return blake2b(token.encode(), digest_size=32, person=b"tatpar-session").digest()


def csrf_of(secret: str | bytes, name: str = "") -> str:
    """What only pages of ours know, who were told it by `/api/me`: of a session's token, or of a secret and a name."""
    key = secret.encode() if isinstance(secret, str) else secret
    return blake2b(name.encode(), key=key[:64], digest_size=16, person=b"tatpar-csrf").hexdigest()
