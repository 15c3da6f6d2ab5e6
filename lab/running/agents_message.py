"""What the fleet tells the process that runs its offices (`lab.running.agents`): one message, JSON on one line."""

from __future__ import annotations

from msgspec import Struct


class EmulatedOffice(Struct, frozen=True, kw_only=True):
    """One office of the fleet, as its agent has to know it."""

    site: str
    probe: str
    broker_port: int
    ends: dict[str, str]
    """`host:port` of the line to each end."""
    spool: str
    ssid: int = 0
    """With the key, hex: what the headquarters knows it by when it rehearses; 0: it never does."""
    secret: str = ""
    room: str = ""
    """What is asked of the room's device (`config.reach`)."""


class Offices(Struct, frozen=True, kw_only=True):
    """The first and only message."""

    root: str
    user: str
    password: str
    offices: tuple[EmulatedOffice, ...]
