"""The numbered templates: which message of which alert is which number, and of which sentences it is made.

A number is for ever: providers have it on file. A template that is no longer sent keeps its row; a new one takes a free number.
With a link that acknowledges the number has an `L` behind it: providers count that as a template of its own.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from alerts.facts import Audience, Form
from telemetry.alerting import INCIDENTS, Kind, Step


class Voice(StrEnum):
    """How it is said."""

    EVERYDAY = "everyday"
    TECHNICAL = "technical"


class Known(StrEnum):
    """The one number that a message to an in-charge may name besides."""

    NOTHING = "nothing"
    OF_HUNDRED = "of_hundred"
    """How many of a hundred packets are lost."""
    LINE = "line"
    """The provider's number of the line, and that the provider is to be called."""


class Template(Struct, frozen=True):
    """One registered message."""

    number: int
    pieces: tuple[str, ...]
    """Keys of its sentences in the catalogues, without `alerts.sms.` or `alerts.long.`."""
    may_link: bool = False
    """Whether it can be acknowledged, and so carry a link."""

    def links(self, form: Form) -> bool:
        """Whether it carries a link in a form: a text message has no room for that and the number of a hundred."""
        return self.may_link and not (form is Form.SMS and "will_of_hundred" in self.pieces)

    @property
    def name(self) -> str:
        """As `T07`."""
        return f"T{self.number:02d}"


class UnsaidError(Exception):
    """Nobody is ever told such a thing; a programming mistake, never the operator's."""


_ALARM: Final = ("do", "call")
TEMPLATES: Final[tuple[Template, ...]] = (
    # To an in-charge.
    Template(1, ("head", "will_of_hundred", *_ALARM), may_link=True),
    Template(2, ("head", "will", *_ALARM), may_link=True),
    Template(3, ("head", "may", *_ALARM), may_link=True),
    Template(4, ("head", "still", *_ALARM), may_link=True),
    Template(5, ("head", "worse", *_ALARM), may_link=True),
    Template(6, ("head", "well", "call")),
    Template(7, ("head_office", "no_contact", *_ALARM), may_link=True),
    Template(8, ("head_office", "still_no_contact", *_ALARM), may_link=True),
    Template(9, ("head_office", "contact_again", "call")),
    Template(10, ("head", "not_yours", "call")),
    Template(11, ("head_office", "not_yours", "call")),
    Template(12, ("head", "not_yours_over", "call")),
    Template(13, ("head_office", "not_yours_over", "call")),
    Template(14, ("head", "will", "call_company", "call"), may_link=True),
    # To a regional in-charge and the NOC, of one office.
    Template(21, ("head", "state", "call_office"), may_link=True),
    Template(22, ("head", "state_still", "call_office"), may_link=True),
    Template(23, ("head", "state", "unanswered", "call_office"), may_link=True),
    Template(24, ("head", "state_worse", "call_office"), may_link=True),
    Template(25, ("head", "well", "call_office")),
    Template(26, ("head_office", "no_contact", "call_office"), may_link=True),
    Template(27, ("head_office", "still_no_contact", "call_office"), may_link=True),
    Template(28, ("head_office", "no_contact", "unanswered", "call_office"), may_link=True),
    Template(29, ("head_office", "contact_again", "call_office")),
    # To a regional in-charge and the NOC, of a fault that offices share.
    Template(31, ("head_meeting", "shared", "ref"), may_link=True),
    Template(32, ("shared", "ref"), may_link=True),
    Template(33, ("head_meeting", "shared_still", "ref"), may_link=True),
    Template(34, ("shared_still", "ref"), may_link=True),
    Template(35, ("head_meeting", "shared", "unanswered", "ref"), may_link=True),
    Template(36, ("shared", "unanswered", "ref"), may_link=True),
    Template(37, ("head_meeting", "shared_worse", "ref"), may_link=True),
    Template(38, ("shared_worse", "ref"), may_link=True),
    Template(39, ("shared_over", "ref")),
    # To anybody.
    Template(41, ("many", "call_brief")),
    Template(42, ("test", "call"), may_link=True),
    Template(43, ("many",)),
)
BY_NUMBER: Final = {template.number: template for template in TEMPLATES}

MEETING_KINDS: Final = (Kind.NOT_READY, Kind.AT_RISK, Kind.DARK, Kind.ROOM_DEVICE)
"""An office's troubles that are told for the sake of a meeting."""

_Rows = dict[tuple[Voice, Kind, Step], tuple[int, int]]
"""By who hears it, of what and at which step: its number with a meeting, and without one."""


def _same(number: int) -> tuple[int, int]:
    return (number, number)


def _of_a_meeting() -> _Rows:
    """An office's trouble, told for the sake of a meeting."""
    rows: _Rows = {}
    for kind in MEETING_KINDS:
        raised = 3 if kind is Kind.AT_RISK else 2
        rows |= {
            (Voice.EVERYDAY, kind, Step.RAISED): _same(raised),
            (Voice.EVERYDAY, kind, Step.ESCALATED): _same(raised),
            (Voice.EVERYDAY, kind, Step.REMINDED): _same(4),
            (Voice.EVERYDAY, kind, Step.WORSE): _same(5),
            (Voice.EVERYDAY, kind, Step.RESOLVED): _same(6),
            (Voice.TECHNICAL, kind, Step.RAISED): _same(21),
            (Voice.TECHNICAL, kind, Step.REMINDED): _same(22),
            (Voice.TECHNICAL, kind, Step.ESCALATED): _same(23),
            (Voice.TECHNICAL, kind, Step.WORSE): _same(24),
            (Voice.TECHNICAL, kind, Step.RESOLVED): _same(25),
        }
    return rows


def _of_silence() -> _Rows:
    """No contact with an office, whatever meetings come."""
    rows: _Rows = {}
    for voice, first, again, escalated, over in (
        (Voice.EVERYDAY, 7, 8, 7, 9),
        (Voice.TECHNICAL, 26, 27, 28, 29),
    ):
        rows |= {
            (voice, Kind.DOWN, Step.RAISED): _same(first),
            (voice, Kind.DOWN, Step.REMINDED): _same(again),
            (voice, Kind.DOWN, Step.WORSE): _same(again),
            (voice, Kind.DOWN, Step.ESCALATED): _same(escalated),
            (voice, Kind.DOWN, Step.RESOLVED): _same(over),
        }
    return rows


def _of_a_shared_fault() -> _Rows:
    """The fault itself, to those who look after many offices; to an in-charge that it is not the office's line."""
    rows: _Rows = {
        (Voice.EVERYDAY, Kind.NOT_YOUR_LINE, Step.RAISED): (10, 11),
        (Voice.EVERYDAY, Kind.NOT_YOUR_LINE, Step.RESOLVED): (12, 13),
    }
    for kind in INCIDENTS:
        rows |= {
            (Voice.TECHNICAL, kind, Step.RAISED): (31, 32),
            (Voice.TECHNICAL, kind, Step.REMINDED): (33, 34),
            (Voice.TECHNICAL, kind, Step.ESCALATED): (35, 36),
            (Voice.TECHNICAL, kind, Step.WORSE): (37, 38),
            (Voice.TECHNICAL, kind, Step.RESOLVED): _same(39),
        }
    return rows


def _of_anything() -> _Rows:
    """Many at once, and a test."""
    rows: _Rows = {}
    for kind in Kind:
        rows |= {
            (Voice.EVERYDAY, kind, Step.MANY): _same(41),
            (Voice.TECHNICAL, kind, Step.MANY): _same(43),
        }
        rows |= {(voice, kind, Step.TEST): _same(42) for voice in Voice}
    return rows


SAID: Final = _of_a_meeting() | _of_silence() | _of_a_shared_fault() | _of_anything()
"""Every message that can be sent."""
_PLAINLY: Final = 2
_WITH: Final = {Known.NOTHING: _PLAINLY, Known.OF_HUNDRED: 1, Known.LINE: 14}


def voice_of(audience: Audience) -> Voice:
    """Everyday words for an in-charge, names and numbers for the rest."""
    return Voice.EVERYDAY if audience is Audience.IN_CHARGE else Voice.TECHNICAL


def template_of(kind: Kind, step: Step, audience: Audience, *, meeting: bool, known: Known) -> Template:
    """The template of a message; raises UnsaidError for one that nobody is ever sent.

    `meeting`: there is one to be named.
    """
    voice = voice_of(audience)
    row = SAID.get((voice, kind, step))
    if row is None:
        raise UnsaidError(f"there is no message of {kind.value}, {step.value}, to {audience.value}")
    number = row[0 if meeting else 1]
    if kind is Kind.NOT_READY and number == _PLAINLY:
        number = _WITH[known]
    return BY_NUMBER[number]
