"""What a full spool had to drop."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from telemetry.messages.fields import Count, TimeNs


class Tombstone(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="tombstone"):
    """Reports that a full spool had to drop: the seq range is accounted for, its content is gone."""

    first_seq: Count
    """The first number that was dropped …"""
    last_seq: Count
    """… and the last."""
    from_ns: TimeNs
    """Begin of the time that they covered …"""
    until_ns: TimeNs
    """… and its end."""
    reason: Annotated[str, Meta(min_length=1, max_length=64)]
    """Why they were dropped."""

    def __post_init__(self) -> None:
        if self.last_seq < self.first_seq:
            raise ValueError(f"first_seq {self.first_seq} lies after last_seq {self.last_seq}")
        if self.until_ns < self.from_ns:
            raise ValueError(f"from_ns {self.from_ns} lies after until_ns {self.until_ns}")
