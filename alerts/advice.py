"""What an in-charge was told to do, and whether it still helps.

A fault is told from its first window, which may have been broken for a second or two of its fifteen: sound alone may seem to hold then, and
not any more in the next window. Whoever was told to join with less is told once more when less will not do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry.alerting import Kind, Severity
from telemetry.decisions import Action

if TYPE_CHECKING:
    from telemetry.alerting import Alert

_ASKS_OF_THE_LINE: Final = {Action.LOWER_PROFILE: 2, Action.AUDIO_ONLY: 1}
"""Ways to join with less, by what they still ask of the line."""
_NO_WAY_TO_JOIN: Final = frozenset({Action.CALL_PROVIDER, Action.RESTART_ROUTER, Action.CHECK_POWER})
"""What is advised when the line carries nothing. Another line, or a device that is off, does not make the earlier advice wrong."""
_KINDS: Final = frozenset({Kind.NOT_READY, Kind.DARK})


def misleads(alert: Alert, now_ns: int) -> bool:
    """Whether its in-charges were told to join with less, and the line no longer carries even that.

    Only in the last half hour (`urgent_min`): before that reminders say what is to be done by then.
    """
    told = _ASKS_OF_THE_LINE.get(alert.advised)
    if told is None or alert.kind not in _KINDS or alert.turned_ns is not None:
        return False
    if alert.severity is not Severity.URGENT or alert.starts_ns is None or alert.starts_ns <= now_ns:
        return False
    return alert.action in _NO_WAY_TO_JOIN or _ASKS_OF_THE_LINE.get(alert.action, told) < told
