"""What is wrong now, of one office or one incident, before anything is decided about it."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from telemetry.alerting import Kind
from telemetry.decisions import Action, Factor, Reason

_RANKS: Final = {Kind.NOT_YOUR_LINE: 0, Kind.AT_RISK: 1, Kind.ROOM_DEVICE: 1, Kind.DARK: 3, Kind.DOWN: 3}


class Condition(Struct, frozen=True, kw_only=True):
    """One trouble; the same fields as of the alert that may come of it."""

    subject: str
    kind: Kind
    since_ns: int
    site: str = ""
    incident: str = ""
    meeting: str = ""
    occurrence_ns: int | None = None
    starts_ns: int | None = None
    ends_ns: int | None = None
    reason: Reason | None = None
    action: Action = Action.NONE
    probability: float | None = None
    severe: bool = False
    factor: Factor | None = None
    sites: tuple[str, ...] = ()
    """Of an incident; of an office's trouble the office alone."""
    begins: bool = True
    """False: it keeps up an alert that is there, and begins none."""
    may_be_shared: bool = False
    """A shared fault that others have been found to suffer from may prove to be its cause: it waits until that is known."""
    muted: bool = False
    """Announced beforehand, or no longer bad and not yet well: nothing is begun and nothing is said."""
    is_mild: bool = False
    """Muted for nothing but that it is less bad than what anybody is told of so early: a line that comes and goes is so between two faults, and is not well."""

    @property
    def is_dated(self) -> bool:
        """Whether `since_ns` is when a fault was seen first, and not when something was foretold."""
        return not self.site or (self.reason is not None and self.reason.since_ns is not None)

    def began_unseen(self, began_ns: int) -> bool:
        """Whether a trouble that is dated from `began_ns` on may have begun earlier by what its reason says; what joined it later says nothing of that."""
        return self.reason is not None and self.reason.unseen and self.since_ns <= began_ns

    @property
    def rank(self) -> int:
        """How bad it is: rises when it gets worse."""
        return 2 * _RANKS.get(self.kind, 2) + self.severe
