"""What an in-charge was told to do, and whether it still helps.

A fault is told from its first window, which may have been broken for a second or two of its fifteen: sound alone may seem to hold then, and
not any more in the next window. Whoever was told to join with less is told once more when less will not do. And who was told that there is
nothing to do, and then there is, hears that at once and not with the next reminder.
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
_NOTHING: Final = frozenset({Action.NONE, Action.WAIT_HEADQUARTERS})
_KINDS: Final = frozenset({Kind.NOT_READY, Kind.DARK})
_OF_THE_OFFICE: Final = _KINDS | {Kind.AT_RISK, Kind.ROOM_DEVICE}


def misleads(alert: Alert, now_ns: int) -> bool:
    """Whether what its in-charges were told is wrong now: that there is nothing to do, or to join with less than the line carries.

    The second only in the last half hour (`urgent_min`): before that reminders say what is to be done by then.
    """
    if alert.turned_ns is not None or alert.starts_ns is None or alert.starts_ns <= now_ns:
        return False
    return _is_to_do(alert) or _asks_too_much(alert)


def _is_to_do(alert: Alert) -> bool:
    is_asked = alert.action not in _NOTHING and alert.action is not Action.WATCH
    return alert.advised in _NOTHING and is_asked and alert.kind in _OF_THE_OFFICE


def _asks_too_much(alert: Alert) -> bool:
    told = _ASKS_OF_THE_LINE.get(alert.advised)
    if told is None or alert.kind not in _KINDS or alert.severity is not Severity.URGENT:
        return False
    return alert.action in _NO_WAY_TO_JOIN or _ASKS_OF_THE_LINE.get(alert.action, told) < told
