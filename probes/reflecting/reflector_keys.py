"""The file of keys by which a reflector knows its offices: a line each, `SSID KEY`, the key in hex; # begins a remark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.plain_file import read_plain

if TYPE_CHECKING:
    from pathlib import Path

LEAST_OCTETS: Final = 16
"""A shorter key is weaker than the 128 bits of the HMAC that it makes."""
_MOST_SSID: Final = 0xFFFF


class ReflectorKeysError(ValueError):
    """A line of the file says no SSID and key; the message tells where, what, and what to write instead."""


def read_keys(path: Path) -> dict[int, bytes]:
    """SSID -> key.

    Raises:
        OSError: the file cannot be read.
        ReflectorKeysError: a line of it is wrong.
    """
    found: dict[int, bytes] = {}
    text = read_plain(path).decode(errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        ssid, key = _entry(words, f"{path}:{number}")
        if ssid in found:
            raise ReflectorKeysError(f"{path}:{number}: SSID {ssid} stands there twice; leave one")
        found[ssid] = key
    return found


def _entry(words: list[str], where: str) -> tuple[int, bytes]:
    wanted = f"write SSID and KEY, as 4711 and {2 * LEAST_OCTETS} or more hex digits"
    if len(words) != 2:
        raise ReflectorKeysError(f"{where}: {len(words)} words; {wanted}")
    if not words[0].isdecimal() or len(words[0]) > 5 or not 1 <= int(words[0]) <= _MOST_SSID:
        raise ReflectorKeysError(f"{where}: {words[0][:20]!r} is no SSID (1 to {_MOST_SSID}); {wanted}")
    try:
        key = bytes.fromhex(words[1])
    except ValueError:
        raise ReflectorKeysError(f"{where}: the key is not in hex digits; {wanted}") from None
    if len(key) < LEAST_OCTETS:
        raise ReflectorKeysError(f"{where}: a key of {len(key)} octets is too short; {wanted}")
    return int(words[0]), key
