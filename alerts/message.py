"""What an in-charge reads: which meeting and when, what will happen, the one thing to do, whom to call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from telemetry.words import say, say_told
from telemetry.words.format import of_hundred

if TYPE_CHECKING:
    from config.meetings import Meeting
    from config.settings import Deployment
    from config.sites import Site
    from telemetry.decisions import Verdict


@dataclass(frozen=True, slots=True)
class Message:
    """A message in one language, ready to send."""

    subject: str
    body: str


def compose(verdict: Verdict, meeting: Meeting, site: Site, deployment: Deployment) -> Message:
    """The message about an office that is not ready, in the office's language."""
    language = site.language
    zone = ZoneInfo(deployment.timezone)
    name = meeting.name(language)
    subject = say(
        language,
        "mail.subject",
        zone=zone,
        meeting=name,
        starts=verdict.starts_ns,
        state=say(language, f"state.{verdict.state.value}"),
    )
    message = say(
        language,
        "mail.message",
        zone=zone,
        meeting=name,
        starts=verdict.starts_ns,
        what=_what(verdict, language),
        action=say(language, f"action.{verdict.action.value}"),
    )
    lines = [site.name(language), message]
    if deployment.noc_phone:
        lines.append(say(language, "mail.help", phone=deployment.noc_phone))
    return Message(subject=subject, body="\n".join(lines) + "\n")


def _what(verdict: Verdict, language: str) -> str:
    """What will happen, with one number at most: how many of a hundred packets are lost."""
    if not verdict.reasons:
        return say(language, f"told.{verdict.state.value}")
    first = verdict.reasons[0]
    told = say_told(language, first)
    if first.code.value.startswith("loss") and first.value is not None:
        lost = say(language, "told.lost_of_hundred", n=max(1, of_hundred(first.value)))
        return f"{told} ({lost})"
    return told
