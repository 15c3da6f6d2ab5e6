"""An alert in words outside of a message: in a list, on the page behind a link, at an Alertmanager."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.facts import Audience, Facts, Form
from alerts.telling import without_meeting
from alerts.words import UnsaidError, render
from telemetry.alerting import Kind, Step
from telemetry.words import say, say_office

if TYPE_CHECKING:
    from alerts.facts import Text
    from config.config import Config
    from telemetry.alerting import Alert


def headline(
    alert: Alert, config: Config, language: str, now_ns: int, *, is_left_behind: bool = False
) -> str:
    """In one line, as the subject of a mail to the NOC; of one that looks well, that it does; of one whose shared fault is over (`is_left_behind`), that it was not its line."""
    if alert.kind is Kind.NOT_YOUR_LINE and not _well_ns(alert):
        return _not_its_line(alert, config, language, "was_not_its" if is_left_behind else "not_its")
    said = (
        _said(alert, config, language, now_ns, audience, Form.MAIL)
        for audience in (Audience.NOC, Audience.IN_CHARGE)  # "not your line" is said to in-charges only
    )
    return next((text.subject for text in said if text is not None), _bare(alert))


def description(
    alert: Alert, config: Config, language: str, now_ns: int, audience: Audience = Audience.NOC
) -> str:
    """In a few lines, in the words of who reads it."""
    text = _said(alert, config, language, now_ns, audience, Form.CHAT)
    return text.body if text is not None else _bare(alert)


def left_of(alert: Alert, now_ns: int) -> Alert:
    """What an alert that stands is still about: once its meeting is over, the office's silence, of which people were told before."""
    is_over = alert.ends_ns is not None and alert.ends_ns <= now_ns
    return without_meeting(alert) if is_over and alert.site and not alert.resolved_ns else alert


def _well_ns(alert: Alert) -> int | None:
    """Since when it is over, or has looked well: it stands a while longer, lest it come back."""
    return alert.resolved_ns or alert.clear_ns


def _said(  # noqa: PLR0913, PLR0917 - one argument for each thing that the words depend on
    alert: Alert, config: Config, language: str, now_ns: int, audience: Audience, form: Form
) -> Text | None:
    facts = Facts(
        kind=alert.kind,
        step=Step.RESOLVED if _well_ns(alert) else Step.RAISED,
        audience=audience,
        alert=alert.id,
        now_ns=now_ns,
        site=alert.site,
        sites=alert.sites,
        meeting=alert.meeting,
        occurrence_ns=alert.occurrence_ns,
        starts_ns=alert.starts_ns,
        reason=alert.reason,
        action=alert.action,
        factor=alert.factor or (alert.reason.factor if alert.reason is not None else None),
        probability=alert.probability,
        since_ns=alert.since_ns,
        unseen=alert.unseen,
        ended_ns=alert.ended_ns,
    )
    try:
        return render(facts, config, language, form)
    except (
        UnsaidError
    ):  # as a fault at headquarters to an in-charge: nobody is told so, somebody may look it up
        return None


def _not_its_line(alert: Alert, config: Config, language: str, subject: str) -> str:
    """Messages say it to the in-charge alone, as "your line"; whoever reads a list has other lines too."""
    office = say_office(language, config.registry, alert.site)
    return say(language, f"alerts.subject.{subject}", office=office, ref=alert.id)


def _bare(alert: Alert) -> str:
    return f"{alert.kind.value}: {alert.site or alert.incident}"
