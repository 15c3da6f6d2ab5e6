"""What a message says, before it has words: the contract between who decides and who finds the words."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from telemetry.alerting import Kind, Step
from telemetry.decisions import Action, Factor, Reason


class Form(StrEnum):
    """What a channel carries."""

    MAIL = "mail"
    """A subject and as many lines as it takes."""
    SMS = "sms"
    """One text within the budget: three segments at most."""
    CHAT = "chat"
    """One text, no budget but that of a screen: WhatsApp, Telegram, a webhook."""


class Audience(StrEnum):
    """How it is said: everyday words for an in-charge, names and numbers for the rest."""

    IN_CHARGE = "in_charge"
    REGIONAL = "regional"
    NOC = "noc"


class Facts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that a message may say; ids, not names: the words look names up in the reader's language."""

    kind: Kind
    step: Step
    audience: Audience
    alert: str
    """Id of the alert: the reference that people name on the telephone."""
    now_ns: int
    site: str = ""
    sites: tuple[str, ...] = ()
    """Offices of an incident, or of the many."""
    meeting: str = ""
    """UID; with the occurrence's start below."""
    occurrence_ns: int | None = None
    starts_ns: int | None = None
    reason: Reason | None = None
    action: Action = Action.NONE
    factor: Factor | None = None
    """Of a shared fault: which provider, region, headquarters."""
    probability: float | None = None
    since_ns: int | None = None
    ended_ns: int | None = None
    unseen: bool = False
    """It may have begun earlier than `since_ns`: nobody saw it begin."""
    unanswered: str = ""
    """Name of the person below on the ladder who has not acknowledged, of an escalation."""
    count: int = 1
    """How many messages it stands for, of the many."""
    link: str = ""
    """Acknowledges when it is followed; empty: there is none."""


class Text(Struct, frozen=True, kw_only=True):
    """A message in words."""

    template: str
    """Its number, as `T07-hi`."""
    variables: tuple[str, ...]
    subject: str
    """Empty in an SMS and a chat."""
    body: str
