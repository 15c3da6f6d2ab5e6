"""Whether an office's word on its rehearsal can be true of what it was ordered. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from telemetry.rehearsing import OfficeState, RehearsalOrder

if TYPE_CHECKING:
    from telemetry.control import Command
    from telemetry.rehearsing import OfficeProgress

MOST_OF_ORDERED: Final = 1.5
"""More than this share of the highest rate ordered cannot have arrived: the load is sent at that rate, with some burst."""


def ordered_by(command: Command) -> RehearsalOrder | None:
    """The ladder that a command orders; None when it orders none."""
    try:
        return msgspec.json.decode(command.arguments.get("order", ""), type=RehearsalOrder)
    except msgspec.MsgspecError:
        return None


def absurdity(order: RehearsalOrder, said: OfficeProgress) -> str:
    """What cannot be true of it; empty when all of it can."""
    names = {rung.name for rung in order.rungs}
    if strange := next(
        (one for one in (said.rung, said.rung_up, said.rung_down) if one and one not in names), ""
    ):
        return f"no such rung was ordered: {strange[:32]!r}"
    last = order.rungs[-1].name
    if said.state is OfficeState.HELD and (said.rung_up, said.rung_down) != (last, last):
        return "held, but not the last rung both ways"
    for way, got_bps, most_bps in (
        ("up", said.up_bps, max(rung.up_bps for rung in order.rungs)),
        ("down", said.down_bps, max(rung.down_bps for rung in order.rungs)),
    ):
        if got_bps is not None and got_bps > MOST_OF_ORDERED * most_bps:
            return f"{got_bps:.3g} bit/s {way}, ordered were at most {most_bps:.3g}"
    return ""
