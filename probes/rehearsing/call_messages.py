"""What an office's agent and its rehearsing process say to each other."""

from __future__ import annotations

from msgspec import Struct

from telemetry.messages import Rehearsal
from telemetry.rehearsing import OfficeProgress, RehearsalOrder


class Begin(Struct, frozen=True, kw_only=True, tag="begin"):
    """Rehearse."""

    office: str
    """`site/probe`."""
    order: RehearsalOrder
    start_mono_ns: int
    """The order's start by this machine's monotonic clock: nobody can set that while it is waited for."""
    host: str
    port: int
    ssid: int
    key: bytes

    def __repr__(self) -> str:
        return f"Begin({self.office}, {self.order!r})"


class Halt(Struct, frozen=True, kw_only=True, tag="halt"):
    """Break off, at once."""

    office: str
    why: str


class Said(Struct, frozen=True, kw_only=True, tag="said", omit_defaults=True):
    """How far one office is; with its last word, what goes into the report."""

    office: str
    progress: OfficeProgress
    item: Rehearsal | None = None
    octets: int = 0


ToChild = Begin | Halt
