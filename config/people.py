"""People who are told of trouble, or get the reports: whom, for what, in which language, by which channel, and when not."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Role(StrEnum):
    """What somebody is told for; the rungs of the alert ladder, and the readers of reports."""

    IN_CHARGE = "in_charge"
    """Of offices: told in everyday words."""
    REGIONAL = "regional"
    """Of a region's offices: told when an in-charge does not answer."""
    NOC = "noc"
    """Of everything: told of shared faults, and last of everything that nobody takes up."""
    ORGANISER = "organiser"
    """Of meetings: gets their digests."""
    LEADERSHIP = "leadership"
    """Gets the weekly report."""


class Person(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody, as `people.csv` names them; an office's contact in `sites.csv` is its in-charge too."""

    id: str
    """Lower-case letters, digits, inner hyphens; an office's contact is `site:agra`."""
    name: str
    role: Role
    sites: tuple[str, ...] = ()
    """The offices that it is about, in the order of the registry; of an organiser and leadership: those of the reports."""
    meetings: tuple[str, ...] = ()
    """UIDs, of an organiser; empty: all."""
    language: str = "hi"
    email: str = ""
    phone: str = ""
    """With the country's code, as +915550100."""
    channels: tuple[str, ...] = ("mail",)
    """In order of preference: `mail`, or a name under [alerts.channels] of the settings."""
    quiet: tuple[tuple[int, int], ...] = ()
    """Minutes of the local day `[from, until)` in which only what is urgent is sent; may pass midnight."""
    per_hour: int = 12
    """At most so many messages an hour; what is above waits, and is told as one."""

    def recipient(self, channel: str) -> str:
        """Where a message by a channel goes: the address for mail, the number for everything else; empty: nowhere."""
        return self.email if channel == "mail" else self.phone
