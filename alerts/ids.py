"""Ids of alerts: six letters and digits that can be read over the telephone."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without 0 and O, 1, I and L, which look or sound like each other."""
LENGTH: Final = 6


def new_id(subject: str, now_ns: int, is_taken: Callable[[str], bool]) -> str:
    """An id that is not taken; the same subject and time give the same, so that a repeated decision is the same one."""
    attempt = 0
    while True:
        number = int.from_bytes(sha256(f"{subject}/{now_ns}/{attempt}".encode()).digest(), "big")
        letters = []
        for _ in range(LENGTH):
            number, digit = divmod(number, len(ALPHABET))
            letters.append(ALPHABET[digit])
        found = "".join(letters)
        if not is_taken(found):
            return found
        attempt += 1
