"""The settings of `[alerts]`: who is told of trouble, when, how, and how it leaves the house."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from config.section import MAX_LEAD_MIN, ListenPort, Port, Section

Minutes = Annotated[float, Meta(ge=0, le=MAX_LEAD_MIN)]
PersonsLimit = Annotated[int, Meta(ge=1, le=1000)]


class Rung(Section, frozen=True, kw_only=True):
    """One rung of the alert ladder: who is told, from when, and how long is waited for an acknowledgement."""

    role: Literal["in_charge", "regional", "noc"]
    from_min: Minutes
    """Told at the earliest so many minutes before the meeting's start."""
    wait_notice_min: Minutes = 120
    """Without an acknowledgement for so long the next rung is told, while the alert is a notice."""
    wait_warning_min: Minutes = 20
    wait_urgent_min: Minutes = 5
    reminders_min: tuple[Minutes, ...] = ()
    """Minutes before the start at which the rung is reminded while nobody has acknowledged."""


class Delivery(Section, frozen=True, kw_only=True):
    """How messages leave the outbox, and how an acknowledgement comes back: `[alerts.delivery]`."""

    attempt_s: Annotated[float, Meta(ge=0.1, le=300)] = 20
    """An attempt that takes longer is given up, and made again later."""
    first_retry_s: Annotated[float, Meta(ge=0.1, le=3600)] = 15
    longest_retry_s: Annotated[float, Meta(ge=1, le=86_400)] = 900
    attempts: Annotated[int, Meta(ge=1, le=1000)] = 20
    """After so many the message goes to the dead letters."""
    at_once: Annotated[int, Meta(ge=1, le=64)] = 4
    """Attempts under way at the same time, by channel."""
    insecure: bool = False
    """Whether web addresses on other machines may be reached without TLS."""
    public_url: str = ""
    """Where people reach the page that acknowledges: goes before `/ack/…` in links; empty: there are no links."""
    ack_host: str = ""
    """A listener that serves that page and nothing else; empty: only the wall serves it."""
    ack_port: ListenPort = 8422
    reply_host: str = ""
    """Where the organisation's mail server hands in replies; empty: none are taken."""
    reply_port: ListenPort = 8425
    reply_to: str = ""
    """The address that replies go to, as ack@hub.example; becomes ack+TOKEN@hub.example; empty: no Reply-To."""
    keep_days: Annotated[float, Meta(ge=35, le=3650)] = 400
    """Alerts that are over, messages that are out or dead, and silences that have ended are kept for so long."""
    alertmanager_url: str = ""
    """Of a Prometheus Alertmanager; empty: there is none."""
    alertmanager_user: str = ""
    alertmanager_password: str = ""
    alertmanager_token: str = ""
    alertmanager_resend_s: Annotated[float, Meta(ge=1, le=3600)] = 60
    """An alert that stands is said again this often; it resolves by itself when it was not for four times as long."""
    templates: dict[str, str] = field(default_factory=dict)
    """By the number of a template of ours, what a provider calls it (India's DLT): goes into `{template}`."""


class Alerts(Section, frozen=True, kw_only=True):
    """Who is told of trouble, when and how; mail is off until a server is named."""

    smtp_host: str = ""
    smtp_port: Port = 25
    smtp_user: str = ""
    smtp_password: str = ""
    smtp_starttls: bool = False
    sender: str = "tatpar@localhost"
    default_channels: tuple[str, ...] = ("mail",)
    """Of offices' contacts, and of people who have none of their own."""
    default_quiet: tuple[str, ...] = ("22:00-06:30",)
    """The same, of quiet hours."""
    default_per_hour: PersonsLimit = 12
    """The same, of messages an hour."""
    warning_min: Minutes = 120
    """An alert is a warning from so many minutes before the start, a notice earlier."""
    urgent_min: Minutes = 30
    """The same of urgent."""
    at_risk_min: Minutes = 0
    """Offices at risk are told of only from so many minutes before the start; 0: never."""
    not_your_line_min: Minutes = 120
    """In-charges hear of a shared fault from so many minutes before the start."""
    hold_s: Annotated[float, Meta(ge=0, le=3600)] = 15
    """What is not severe must have lasted so long, in two of three windows."""
    crowd: Annotated[int, Meta(ge=2, le=100_000)] = 4
    """When so many offices fail at once, it is waited whether they share a fault."""
    crowd_hold_s: Annotated[float, Meta(ge=0, le=3600)] = 30
    clear_s: Annotated[float, Meta(ge=0, le=86_400)] = 120
    """It is over when it has looked well for so long."""
    flaps: Annotated[int, Meta(ge=1, le=10)] = 2
    """After so many returns within the hour it is over only after `flap_clear_min`."""
    flap_clear_min: Minutes = 30
    down_after_min: Minutes = 30
    """An office without a meeting soon is told of when there was no contact for so long."""
    reminder_gap_min: Minutes = 15
    """No reminder so soon after the last message."""
    ladder: tuple[Rung, ...] = (
        Rung(role="in_charge", from_min=1440, reminders_min=(120, 30, 10)),
        Rung(role="regional", from_min=120, wait_warning_min=15),
        Rung(role="noc", from_min=60),
    )
    incident_ladder: tuple[Rung, ...] = (
        Rung(role="noc", from_min=MAX_LEAD_MIN, reminders_min=(30, 10)),
        Rung(role="regional", from_min=60),
    )
    """The same, of a fault that offices share."""
    channels: dict[str, str] = field(default_factory=dict)
    """By name, an apprise address with {phone} or {email} in it, or https:// of a webhook."""
    delivery: Delivery = Delivery()
