"""What a probe reports: one envelope per probe and 15 s window, and the items it carries.

Frozen, validated types. Units stand in the names; missing is absent (None, left out on the wire), never 0
or -1. `up` is office -> headquarters, `down` is back. `telemetry.codec` turns them into JSON and keeps what
it does not understand. None of them can be part of a cycle, so the garbage collector need not look at them
(`gc=False`): with thousands in hand that is a quarter of the time of decoding.
"""

from telemetry.messages.call import Call
from telemetry.messages.envelope import WIRE_VERSION, Envelope, Item, Opaque
from telemetry.messages.fields import Bps, Count, Epoch, Ms, Name, PathName, Ratio, SignedMs, TimeNs
from telemetry.messages.link import Link
from telemetry.messages.ping import Ping
from telemetry.messages.probe_state import Clock, SelfReport
from telemetry.messages.reach import Reach, ReachOutcome
from telemetry.messages.rehearsal import Rehearsal, Rung
from telemetry.messages.round_trip import RoundTrip
from telemetry.messages.stream import Direction, Stamps, Stream
from telemetry.messages.tombstone import Tombstone
from telemetry.sources import ClockState, StampSource

__all__ = [
    "WIRE_VERSION",
    "Bps",
    "Call",
    "Clock",
    "ClockState",
    "Count",
    "Direction",
    "Envelope",
    "Epoch",
    "Item",
    "Link",
    "Ms",
    "Name",
    "Opaque",
    "PathName",
    "Ping",
    "Ratio",
    "Reach",
    "ReachOutcome",
    "Rehearsal",
    "RoundTrip",
    "Rung",
    "SelfReport",
    "SignedMs",
    "StampSource",
    "Stamps",
    "Stream",
    "TimeNs",
    "Tombstone",
]
