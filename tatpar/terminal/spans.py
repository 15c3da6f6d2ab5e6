"""Spans of time as people write them: `24h`, `7d`, `90m`, or the day on which it began."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_SPAN: Final = re.compile(r"(\d{1,6})\s*(m|h|d|w)")
_SECONDS: Final = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_REMEDY: Final = "write 90m, 24h, 7d or 2w, or when it begins, as 2026-11-24 or 2026-11-24T09:30"


class NoSuchSpanError(ValueError):
    """A text that is no span; says what to write instead."""


def begin_of(text: str, now_ns: int, zone: ZoneInfo) -> int:
    """When a span that ends now began, ns since the Unix epoch; local times are those of `zone`.

    Raises:
        NoSuchSpanError: the text is none, or lies ahead.
    """
    match = _SPAN.fullmatch(text.strip())
    if match is not None:
        begin_ns = now_ns - int(match[1]) * _SECONDS[match[2]] * 10**9
    else:
        try:
            when = datetime.fromisoformat(text.strip())
        except ValueError:
            raise NoSuchSpanError(f"{text!r} is no span of time; {_REMEDY}") from None
        begin_ns = int((when if when.tzinfo else when.replace(tzinfo=zone)).timestamp()) * 10**9
    if not 0 <= begin_ns < now_ns:
        raise NoSuchSpanError(f"{text!r} does not lie in the past; {_REMEDY}")
    return begin_ns
