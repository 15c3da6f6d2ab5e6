r"""Other people's words where people read them: what would steer a terminal, or hide, is shown as its number instead.

An office's machine may answer, or be called, anything at all. Control characters clear a screen and set its title;
bidirectional overrides turn a line round; a line end begins a line that looks like ours. As `\u001b` they are only read.
The numbers are written as JSON writes them, so that JSON which goes through here still says the same.
"""

from __future__ import annotations

import re
from typing import Final

_NEVER: Final = (
    "\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f"  # control characters but tab and the ends of lines
    "\\u061c\\u200b\\u200e\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb"  # direction, and what has no width
    "\\ud800-\\udfff\\U000e0000-\\U000e007f"  # halves of letters; tags that nobody sees
)  # not the two joiners (U+200C, U+200D): Hindi is written with them
_IN_TEXT: Final = re.compile(f"[{_NEVER}]|\\r(?!\\n)")
_IN_A_LINE: Final = re.compile(f"[{_NEVER}\\t\\n\\r\\u2028\\u2029]")


def visible(text: str, most: int | None = None) -> str:
    """Somebody's words as a part of one line, of at most so many characters of theirs."""
    cut = text if most is None or len(text) <= most else f"{text[:most]}…"
    return _IN_A_LINE.sub(_number, cut)


def visible_lines(text: str) -> str:
    """A whole text, whose tabs and ends of lines stay."""
    return _IN_TEXT.sub(_number, text)


def _number(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
