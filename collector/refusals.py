"""Refusals in the log: a line when a kind of them begins and one when it is over, never one a message."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from telemetry.visible import visible
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.outcome import Refused

log = logging.getLogger(__name__)
OVER_NS: Final = 60 * SECOND_NS
"""A kind of refusal of which there was none for so long is over."""
_SHOWN: Final = 120


@dataclass(slots=True)
class _Spell:
    count: int
    last_ns: int


class Refusals:
    """Which kinds of messages are being refused just now."""

    def __init__(self) -> None:
        self._spells: dict[str, _Spell] = {}

    def note(self, refused: Sequence[Refused], now_ns: int) -> None:
        """Take in what a batch refused, which may be nothing, and tell what has begun and what is over."""
        for one in refused:
            spell = self._spells.setdefault(one.code.value, _Spell(0, now_ns))
            if not spell.count:
                where, why = visible(one.message.topic, _SHOWN), visible(one.detail, _SHOWN)
                log.warning(
                    "refusing messages: %s (first on %s: %s); see: tatpar refused",
                    *(one.code.value, where, why),
                    extra={"event": "refusals.began", "kind": one.code.value, "topic": where, "reason": why},
                )
            spell.count += 1
            spell.last_ns = now_ns
        for kind in [kind for kind, spell in self._spells.items() if now_ns - spell.last_ns >= OVER_NS]:
            count = self._spells.pop(kind).count
            extra = {"event": "refusals.over", "kind": kind, "count": count}
            log.info("no more messages are refused: %s (%d were)", kind, count, extra=extra)
