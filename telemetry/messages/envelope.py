"""One report of one probe: who, when, and the items that it carries."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct, field

from telemetry.messages.call import Call
from telemetry.messages.fields import Count, Epoch, Name, TimeNs
from telemetry.messages.link import Link
from telemetry.messages.ping import Ping
from telemetry.messages.probe_state import Clock, SelfReport
from telemetry.messages.reach import Reach
from telemetry.messages.rehearsal import Rehearsal
from telemetry.messages.stream import Stream
from telemetry.messages.tombstone import Tombstone

WIRE_VERSION: Final = 1
Item = Stream | Ping | Reach | Link | Call | Rehearsal | Tombstone


class Opaque(Struct, frozen=True, gc=False):
    """An item that this version does not understand, kept as it came to be decoded after an upgrade."""

    raw: bytes
    """The item as it came."""
    reason: str
    """What was not understood."""


class Envelope(Struct, frozen=True, kw_only=True, gc=False):
    """One report of one probe: identity `(site, probe, epoch, seq)`, its window, and what was seen."""

    v: Annotated[int, Meta(ge=1)] = WIRE_VERSION
    """Version of the wire format."""
    site: Name
    """The office."""
    probe: Name
    """The probe within it."""
    epoch: Epoch
    """Of the spool: a new one begins a new count."""
    seq: Count
    """Counts without a hole within the epoch, from 1."""
    boot: Annotated[str, Meta(min_length=1, max_length=64)]
    """Of the machine: changes when it starts anew."""
    mono_ns: TimeNs
    """The monotonic clock at the start of the window."""
    start_ns: TimeNs
    """Start of the window of 15 s."""
    clock: Clock
    """The probe's clock."""
    self_report: SelfReport = field(name="self")
    """The probe's own trouble."""
    items: tuple[Item | Opaque, ...] = ()
    """What was measured."""
