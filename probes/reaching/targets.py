"""What an office asks after: its own settings before the hub's plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from config.reach import MOST_CHECKS, parse_check

if TYPE_CHECKING:
    from collections.abc import Iterable

    from config.reach import ReachCheck
    from probes.publishing.office_settings import OfficeSettings
    from telemetry.control import Plan

ROOM: Final = "room"
EDGE: Final = "edge"


class Asked(NamedTuple):
    """One question, and what it is about: `room` or `edge`."""

    target: str
    check: ReachCheck


class Questions(NamedTuple):
    """All questions of an office, how often each is asked, and what was left out of a plan, a line each."""

    asked: tuple[Asked, ...] = ()
    every_s: float = 60.0
    cut: tuple[str, ...] = ()


def questions(plan: Plan | None, office: OfficeSettings) -> Questions:
    """What to ask; of each target the office's own questions win over the plan's.

    A plan can name any host, so the questions are few, and none says more than that somebody is there.
    """
    if not office.reach_enabled:
        return Questions()
    asked: list[Asked] = []
    cut: list[str] = []
    for target, own in ((ROOM, office.reach_room), (EDGE, office.reach_edges)):
        planned = () if plan is None else (each.ask for each in plan.reach if each.target == target)
        asked += _few(target, own or planned, cut)
    every_s = Questions().every_s if plan is None else plan.reach_every_s
    return Questions(tuple(asked), every_s, tuple(cut))


def _few(target: str, texts: Iterable[str], cut: list[str]) -> list[Asked]:
    found: list[Asked] = []
    for text in dict.fromkeys(texts):
        check = parse_check(text)
        if check is None:
            cut.append(f"{target}: {text!r:.60} is no question that this version knows")
        elif len(found) >= MOST_CHECKS:
            cut.append(f"{target}: more than {MOST_CHECKS} questions")
        else:
            found.append(Asked(target, check))
    return found
