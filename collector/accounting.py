"""Reports that were refused although their number could be read: the number is accounted for.

Otherwise the probe would send them again for ever, waiting for a `stored` that cannot come. What goes into the
store in their place is an empty report with a tombstone that says why. The number is no gap then; the reason stays for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from telemetry.messages import Envelope, Tombstone
from telemetry.store.protocol import Received
from telemetry.windows import WINDOW_NS, window_start

if TYPE_CHECKING:
    from collector.outcome import Refused


def stand_in(refused: Refused) -> Received | None:
    """The report to store in place of a refused one; None when it could not even be read."""
    envelope = refused.envelope
    if envelope is None:
        return None
    start_ns = window_start(refused.message.received_ns)
    tombstone = Tombstone(
        first_seq=envelope.seq,
        last_seq=envelope.seq,
        from_ns=start_ns,
        until_ns=start_ns + WINDOW_NS,
        reason=f"refused:{refused.code}",
    )
    empty: Envelope = msgspec.structs.replace(envelope, start_ns=start_ns, items=(tombstone,))
    return Received(envelope=empty, received_ns=refused.message.received_ns, backlog=True)
