"""Who was turned away at the enrolment desk: tokens of ours by the record, everybody else by the desk's heartbeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct, ValidationError, convert

from telemetry.state.tokens import REFUSED

if TYPE_CHECKING:
    from telemetry.state.db import StateDb

_DESK: Final = "enroll"
"""Role of its heartbeat."""


class TurnedAway(Struct, frozen=True, kw_only=True):
    """One refusal, or of a stranger's all since the desk's start."""

    at_ns: int
    """Of several, the last."""
    peer: str
    """Its address."""
    reason: str
    """`redeemed`, `expired` or `revoked` of a token of ours; `unknown`, `too_many`, `malformed`, `not_found`, `unavailable`."""
    site: str = ""
    probe: str = ""
    """Whose token it was; empty where it was none of ours."""
    count: int = 1


def turned_away(state: StateDb, limit: int) -> list[TurnedAway]:
    """The latest, newest first.

    Raises:
        StateError: the state database cannot be read.
    """
    ours = [
        TurnedAway(
            at_ns=one.at_ns,
            peer=one.who,
            reason=one.what.removeprefix(REFUSED),
            site=one.site,
            probe=one.probe,
        )
        for one in state.refused_tokens(limit)
    ]
    return sorted([*ours, *_strays(state)], key=lambda one: -one.at_ns)[:limit]


def _strays(state: StateDb) -> list[TurnedAway]:
    beat = state.beats().get(_DESK)
    if beat is None:
        return []
    try:
        return convert(beat.detail.get("strays", []), list[TurnedAway])
    except ValidationError:  # of another release
        return []
