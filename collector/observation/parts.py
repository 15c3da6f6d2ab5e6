"""What a collector is made of, as far as it is looked at; nothing here is ever written to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collector.confirmer import Confirmer
    from collector.ground import Ground
    from collector.inbox import Inbox
    from collector.mqtt import Bridge
    from collector.presence import Attendance
    from collector.withheld import Withheld


@dataclass(frozen=True, slots=True)
class Parts:
    """The duties whose counters are shown."""

    ground: Ground
    inbox: Inbox
    bridge: Bridge
    confirmer: Confirmer
    attendance: Attendance
    withheld: Withheld
    broker: str
    """Kind of the broker."""
