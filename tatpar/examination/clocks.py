"""Offices' clocks that are wrong, as the collector found them, and those that were until not long ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tatpar.examination.finding import fine, less
from tatpar.examination.phrase import Span, phrase
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tatpar.examination.finding import Finding
    from telemetry.state.clocks import WrongClock


def clocks(found: Iterable[WrongClock], now_ns: int) -> Iterator[Finding]:
    """One finding a clock; nothing where all are right."""
    for one in found:
        about = phrase("clocks", who=f"{one.site}/{one.probe}")
        off = Span(one.off_s)
        fast = one.ahead_ns > 0
        if one.until_ns is None:
            text = phrase("clocks.fast", off=off) if fast else phrase("clocks.slow", off=off)
            yield less(about, text, phrase("clocks.do_ntp"))
            continue
        ago = Span(max(now_ns - one.until_ns, 0) / SECOND_NS)
        was_fast = phrase("clocks.was_fast", off=off, ago=ago)
        yield fine(about, was_fast if fast else phrase("clocks.was_slow", off=off, ago=ago))
