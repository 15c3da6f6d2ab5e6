"""Refused messages as the state database keeps them for inspection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.state.quarantine import Refused as Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from collector.outcome import Refused


def newest(refused: Sequence[Refused], max_rows: int, max_bytes: int) -> list[Refused]:
    """Those of a batch that can be kept at all, so that a flood is not written only to be deleted."""
    kept: list[Refused] = []
    for one in reversed(refused[max(0, len(refused) - max_rows) :]):
        max_bytes -= len(one.message.payload)
        if max_bytes < 0:
            break
        kept.append(one)
    return kept[::-1]


def rows(refused: Iterable[Refused]) -> list[Row]:
    """One row a message: when it came, on which topic, why it was refused, and what it said."""
    return [
        Row(
            received_ns=one.message.received_ns,
            topic=one.message.topic,
            reason=f"{one.code}: {one.detail}",
            payload=one.message.payload,
        )
        for one in refused
    ]
