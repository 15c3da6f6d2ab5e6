"""What a probe reports: the envelope around what it saw, and a stream without trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry.messages import Clock, Direction, Envelope, SelfReport, Stamps, Stream

if TYPE_CHECKING:
    from telemetry.messages import Item

EPOCH: Final = "00000000000000aa"


def quiet_stream(path: str = "main.state", packets: int = 150, rate_pps: float = 10.0) -> Stream:
    """One window of which every packet came back."""
    way = Direction(sent=packets, received=packets, lost=0)
    return Stream(
        path=path,
        stamps=Stamps(),
        rate_pps=rate_pps,
        sent=packets,
        received=packets,
        lost=0,
        up=way,
        down=way,
    )


def envelope_of(site: str, seq: int, start_ns: int, *items: Item, epoch: str = EPOCH) -> Envelope:
    """A report of the site's probe `p1`, without any trouble of its own."""
    return Envelope(
        site=site,
        probe="p1",
        epoch=epoch,
        seq=seq,
        boot="boot",
        mono_ns=start_ns,
        start_ns=start_ns,
        clock=Clock(),
        self_report=SelfReport(),
        items=items,
    )
