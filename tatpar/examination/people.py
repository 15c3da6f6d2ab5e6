"""Whether somebody can be told of every office."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.ladder import Ladder
from config.people import Role
from tatpar.examination.finding import fine, less

if TYPE_CHECKING:
    from config.config import Config
    from tatpar.examination.finding import Finding

_SHOWN = 5


def people(config: Config) -> Finding:
    """Offices of which nobody would be told, and people on the ladder who cannot be reached."""
    ladder = Ladder(config)
    roles = [Role(rung.role) for rung in ladder.rungs]
    alone = [
        site.id
        for site in config.registry.linked()
        if not any(ladder.people(role, site.id) for role in roles)
    ]
    if alone:
        text = f"nobody would be told of {_some(alone)}"
        return less("people", text, "give these offices a contact, or write people.csv (config/README.md)")
    unreachable = [person.id for person in ladder.unreachable()]
    if unreachable:
        text = f"no address on any of their channels: {_some(unreachable)}; the next rung is told instead"
        return less("people", text, "complete email, phone or channels in people.csv, or the sites' contacts")
    count = len(list(config.registry.linked()))
    gone = _unknown_meetings(config)
    if gone:
        text = f"people.csv names meetings that are not in the calendar: {', '.join(gone)}"
        return less("people", text, "write UIDs of the calendar (tatpar meetings), or leave them out")
    return fine("people", f"somebody can be told of each of the {count} linked offices")


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _unknown_meetings(config: Config) -> list[str]:
    known = {meeting.uid for meeting in config.calendar.meetings}
    return sorted({uid for person in config.people for uid in person.meetings} - known)
