"""A message as a mail: the template's sentences a line each, and what a mail has room for besides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alerts.facts import Form, Text
from alerts.words.pattern import filled, pieces_of, places, sentence, template_name
from alerts.words.templates import Voice, voice_of
from telemetry.alerting import INCIDENTS, Kind, Step
from telemetry.decisions import Action
from telemetry.words.catalogues import template as words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alerts.facts import Facts
    from alerts.words.templates import Template
    from alerts.words.variables import Speaker

_END: Final = frozenset({"call", "call_brief", "call_office", "ref", "link"})
_HEADS: Final = frozenset({"head", "head_office", "head_meeting"})
_NOT_THE_LINES: Final = frozenset({*INCIDENTS, Kind.ROOM_DEVICE})
"""Of these the line's chance says nothing: 99 % beside a room device that is off would be read as all is well."""
_SAYS_SINCE: Final = frozenset({Kind.DOWN, Kind.DARK, Kind.ROOM_DEVICE})
MOST_NAMES: Final = 100
"""Offices that are named in a mail; the rest is a number."""


def mail(facts: Facts, language: str, template: Template, speaker: Speaker, brief: Speaker) -> Text:
    """Subject and body: which meeting, what, more of it for those who can use it, whom to call, how to acknowledge.

    `brief` says the variables as short as a text message does, for the subject.
    """
    linked = bool(facts.link) and template.may_link
    pieces = pieces_of(template, Form.MAIL, linked=linked)
    heads = [piece for piece in pieces if piece in _HEADS]
    middle = [piece for piece in pieces if piece not in _HEADS | _END]
    ends = [piece for piece in pieces if piece in _END]
    words = {piece: sentence(piece, language, Form.MAIL, speaker.phone) for piece in pieces}
    values = {name: speaker.value(name) for text in words.values() for name in places(text)}
    parts = []
    for group in (heads, middle, ends):
        lines = [filled(words[piece], (values[name] for name in places(words[piece]))) for piece in group]
        lines += _more(facts, speaker) if group is middle else []
        if group is ends and template.may_link and speaker.takes_replies:
            lines.append(speaker.say("alerts.mail.reply"))
        parts.append("\n".join(lines))
    return Text(
        template=template_name(template, language, linked=linked),
        variables=tuple(values[name] for piece in pieces for name in places(words[piece])),
        subject=_subject(facts, language, brief),
        body="\n\n".join(part for part in parts if part) + "\n",
    )


def _more(facts: Facts, speaker: Speaker) -> Iterator[str]:
    """What somebody wants to know who is no in-charge: the chance, the offices by name, from when to when."""
    if voice_of(facts.audience) is Voice.EVERYDAY or facts.step is Step.TEST:
        return
    alarm = facts.step not in {Step.RESOLVED, Step.MANY}
    if facts.probability is not None and alarm and facts.kind not in _NOT_THE_LINES:
        down = facts.reason is not None and facts.reason.is_down_now
        yield speaker.say(f"alerts.mail.chance{'_back' if down else ''}", chance=facts.probability)
    if facts.sites:
        yield speaker.say(
            "alerts.mail.offices", n=len(facts.sites), offices=speaker.names(facts.sites, MOST_NAMES)
        )
    if facts.since_ns is not None and facts.ended_ns is not None:
        began, ended = speaker.moment(facts.since_ns), speaker.moment(facts.ended_ns)
        yield speaker.say(f"alerts.mail.{'seen_' if facts.unseen else ''}from_to", since=began, until=ended)
    elif facts.since_ns is not None and not _says_since(facts):
        yield speaker.say(f"alerts.mail.since{'_or_before' if facts.unseen else ''}", since=facts.since_ns)
    if alarm and facts.kind in INCIDENTS and facts.factor is not None:
        yield speaker.say("alerts.mail.act", act=speaker.say(f"alerts.act_shared.{facts.factor.kind.value}"))
    elif alarm and facts.action is not Action.NONE:
        yield speaker.say("alerts.mail.act", act=speaker.act)


def _says_since(facts: Facts) -> bool:
    """Whether the template says already when it began."""
    in_reason = facts.reason is not None and facts.reason.since_ns is not None
    return in_reason or facts.kind in {*INCIDENTS, *_SAYS_SINCE} or facts.step is Step.MANY


def _asks(facts: Facts) -> bool:
    """Whether the subject says what to do: a telephone that lies on the table shows an in-charge that line and no more."""
    alarm = facts.step is not Step.RESOLVED and facts.action is not Action.NONE
    return alarm and voice_of(facts.audience) is Voice.EVERYDAY


def _subject(facts: Facts, language: str, brief: Speaker) -> str:
    if facts.step in {Step.MANY, Step.TEST}:
        kind = facts.step.value
    elif facts.kind in INCIDENTS:
        kind = "shared"
    elif facts.kind is Kind.NOT_YOUR_LINE:
        kind = "not_yours"
    else:
        kind = "office_meeting" if facts.meeting and facts.kind is not Kind.DOWN else "office"
        if _asks(facts):
            kind += "_do"
    if facts.step is Step.RESOLVED:
        kind += "_well"
    words = words_of(language, f"alerts.subject.{kind}", one=False)
    subject = filled(words, (brief.value(name) for name in places(words)))
    if voice_of(facts.audience) is Voice.EVERYDAY and facts.step is Step.ESCALATED:
        return subject
    return brief.say(f"alerts.step.{facts.step.value}", subject=subject)
