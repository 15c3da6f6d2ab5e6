"""Which letters standard output can show. What it cannot show is said in English, with signs of ASCII: never a traceback."""

from __future__ import annotations

import os
import sys
from typing import Final

_OF: Final = {"hi": "हिंदी ज़रूर"}
"""Letters without which nothing can be said in the language; English makes do with ASCII."""
_OURS_TOO: Final = {"C.UTF-8", "C.utf8", "UTF-8"}
"""What Python itself writes into LC_CTYPE where the operator's locale is C (PEP 538)."""
_BARE: Final = {"C", "POSIX"}
_PLAIN_SIGNS: Final = str.maketrans({"●": "*", "▲": "!", "■": "#", "→": "->", "−": "-"})


def language_to_show(asked: str | None, own: str) -> str:
    """The language to speak: `asked` (`--lang`) before our `own`, and English where the letters cannot be shown.

    Whoever asks by name gets it wherever the bytes can be written, whatever we think of the screen.
    """
    wanted = asked or own
    if not _can_be_written(_OF.get(wanted, "")):
        return "en"
    return wanted if asked or wanted not in _OF or _has_the_letters() else "en"


def as_shown(text: str) -> str:
    """A text as standard output can take it: plain signs for ours, `?` for other letters that it has not."""
    if _can_be_written(text):
        return text
    encoding = _encoding()
    return text.translate(_PLAIN_SIGNS).encode(encoding, "replace").decode(encoding)


def _encoding() -> str:
    return getattr(sys.stdout, "encoding", None) or "utf-8"


def _can_be_written(text: str) -> bool:
    try:
        text.encode(_encoding())
    except UnicodeEncodeError:
        return False
    return True


def _has_the_letters() -> bool:
    """No under LANG=C, which asks for ASCII; nor on a screen whose one font has no Devanagari, and nobody shapes it."""
    locale = os.environ.get("LC_ALL") or _ctype() or os.environ.get("LANG")
    if locale in _BARE:
        return False
    if not sys.stdout.isatty():
        return True
    if os.name == "nt":
        return "WT_SESSION" in os.environ  # Windows Terminal; the old console finds no other font
    return os.environ.get("TERM") != "linux"  # the text console of the kernel: 512 letters at most


def _ctype() -> str | None:
    found = os.environ.get("LC_CTYPE")
    return None if found in _OURS_TOO else found
