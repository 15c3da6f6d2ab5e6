"""When a verdict has lasted long enough to tell somebody: a flap of a few seconds wakes nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry.decisions import State
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telemetry.decisions import Verdict

HOLD_NS: Final = 30 * SECOND_NS

Key = tuple[str, str, int]
"""Office, meeting, occurrence."""


class Hold:
    """Remembers since when each (office, occurrence) has been not ready; restarts forget, and hold again."""

    def __init__(self, hold_ns: int = HOLD_NS) -> None:
        self._hold_ns = hold_ns
        self._since: dict[Key, int] = {}

    def lasting(self, verdicts: Iterable[Verdict], now_ns: int) -> list[Verdict]:
        """Of the current verdicts those that have been not ready for the hold time."""
        bad = {key_of(v): v for v in verdicts if v.state is State.NOT_READY}
        self._since = {key: self._since.get(key, now_ns) for key in bad}
        return [v for key, v in bad.items() if now_ns - self._since[key] >= self._hold_ns]


def key_of(verdict: Verdict) -> Key:
    """What a verdict is about."""
    return (verdict.site, verdict.meeting, verdict.occurrence_ns)
