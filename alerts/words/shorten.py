"""Making a name fit: cut between words where that leaves enough, and never inside a written syllable."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from alerts.words.sms import units

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK: Final = "…"
"""Stands where something was left out."""
SMS_MARK: Final = ".."
"""The same in a text message: the GSM alphabet has no ellipsis."""
VIRAMA: Final = "\u094d"
_JOINERS: Final = frozenset("\u200c\u200d")
_LEAST_SHARE: Final = 0.5
"""A cut between words must leave so much of the room in use; otherwise the word is cut."""


def clusters(text: str) -> Iterator[str]:
    """The text in what people read as one sign: letter and marks, a Devanagari syllable whole, an emoji with all its joints.

    Extended grapheme clusters of Unicode's UAX 29 with the rule for Indic conjuncts (GB9c), as far as names need them:
    no Hangul, no flags.
    """
    cluster = ""
    for sign in text:
        if cluster and not _joins(cluster, sign):
            yield cluster
            cluster = ""
        cluster += sign
    if cluster:
        yield cluster


def shorten(text: str, limit: int, mark: str = MARK) -> str:
    """At most `limit` 16-bit units of a text; what is left out shows as `mark`, which counts."""
    if units(text) <= limit:
        return text
    room, kept = limit - units(mark), ""
    for cluster in clusters(text):
        if units(kept + cluster) > room:
            break
        kept += cluster
    rest = text[len(kept) :]
    whole_words = kept if rest.startswith(" ") else kept.rpartition(" ")[0]
    if units(whole_words) >= _LEAST_SHARE * room:
        kept = whole_words
    return kept.rstrip(" ,;:–-") + mark


def _joins(cluster: str, sign: str) -> bool:
    """Whether a sign belongs to what stands before it."""
    if unicodedata.category(sign).startswith("M") or sign in _JOINERS:
        return True
    if 0x1F3FB <= ord(sign) <= 0x1F3FF:  # skin tones
        return True
    before = cluster.rstrip("".join(_JOINERS))
    return cluster.endswith("\u200d") or (before.endswith(VIRAMA) and unicodedata.category(sign) == "Lo")
