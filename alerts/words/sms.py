"""What a text message costs: in which alphabet it goes out, and as how many segments.

Source: 3GPP TS 23.038 §6.2.1 and §6.2.1.1 (the GSM 7 bit default alphabet and its extension table), §6.2.3 (UCS2);
3GPP TS 23.040 §9.2.3.24.1: a joined message gives 6 of each segment's 140 octets to its header.
"""

from __future__ import annotations

import unicodedata
from typing import Final, NamedTuple

BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""One septet each. The 128th code, 0x1B, is the escape to the extension table."""
EXTENSION: Final = frozenset("\f^{}\\[~]|€")
"""Two septets each: the escape, then the character."""
MOST_SEGMENTS: Final = 3
"""What a message of ours may cost at most."""
_PLAIN: Final = str.maketrans(
    {
        "\u00a0": " ",
        "\u202f": " ",
        "\u2010": "-",
        "\u2011": "-",
        "\u2012": "-",
        "\u2013": "-",
        "\u2014": "-",
        "\u2212": "-",
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u2026": "..",
    }
)


class Cost(NamedTuple):
    """How a text goes out."""

    alphabet: str
    """`GSM-7` or `UCS-2`."""
    units: int
    """Septets, or 16-bit units: an emoji is two."""
    segments: int


def cost(text: str) -> Cost:
    """Alphabet, units and segments of a text. A character of two units is never parted between two segments."""
    if all(sign in BASIC or sign in EXTENSION for sign in text):
        sizes = [2 if sign in EXTENSION else 1 for sign in text]
        return Cost("GSM-7", sum(sizes), _segments(sizes, 160, 153))
    sizes = [units(sign) for sign in text]
    return Cost("UCS-2", sum(sizes), _segments(sizes, 70, 67))


def units(text: str) -> int:
    """16-bit units of a text."""
    return len(text.encode("utf-16-le")) // 2


def plain(text: str) -> str:
    """A text without the typographic signs that would push it out of the GSM alphabet for nothing: dashes, quotes, no-break spaces."""
    return unicodedata.normalize("NFC", text).translate(_PLAIN)


def _segments(sizes: list[int], alone: int, joined: int) -> int:
    if sum(sizes) <= alone:
        return 1
    count, used = 1, 0
    for size in sizes:
        if used + size > joined:
            count, used = count + 1, 0
        used += size
    return count
