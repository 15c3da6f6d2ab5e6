"""Stages: how many offices rehearse at once, and what the hub carried of them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry.rehearsing import HubResult, OfficeState, StageResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telemetry.rehearsing import OfficeProgress, RungWanted

SHARES: Final = (0.25, 0.5, 1.0)
"""Of the hub's stated capacity that the stages take, growing: so one sees from which load on the loss is common."""
MOST_BPS: Final = 1e13
"""The most that a record can hold: a sum of what offices claim must not make it unreadable."""
LEAST_COMMON: Final = 3
COMMON_RATIO: Final = 0.5
"""When more than this share of a stage's offices, and at least three, break the same way, they have a cause in common."""


def stage_size(results: Sequence[StageResult], office_bps: float, capacity_bps: float) -> int:
    """How many offices the next stage takes; 0 when the hub cannot take even one.

    After a stage with common loss the next is not larger.
    """
    if office_bps > capacity_bps:
        return 0
    grown = sum(not one.is_common for one in results)
    share = SHARES[min(grown, len(SHARES) - 1)]
    return max(int(share * capacity_bps / office_bps), 1)


def stage_result(
    number: int, start_ns: int, offices: Sequence[OfficeProgress], top: RungWanted
) -> StageResult:
    """What came of a stage, as its offices tell it: each what arrived on the last rung that it climbed."""
    spoke = [one for one in offices if one.state in {OfficeState.HELD, OfficeState.BROKE}]
    broke = [sum(getattr(one, way) != top.name for one in spoke) for way in ("rung_up", "rung_down")]
    common = any(count >= LEAST_COMMON and count > COMMON_RATIO * len(spoke) for count in broke)
    return StageResult(
        number=number,
        start_ns=start_ns,
        offices=len(offices),
        wanted_up_bps=top.up_bps * len(spoke),
        wanted_down_bps=top.down_bps * len(spoke),
        got_up_bps=min(sum(one.up_bps or 0.0 for one in spoke), MOST_BPS),
        got_down_bps=min(sum(one.down_bps or 0.0 for one in spoke), MOST_BPS),
        broke_up=broke[0],
        broke_down=broke[1],
        is_common=common,
    )


def hub_result(results: Sequence[StageResult]) -> HubResult:
    """What the hub could take."""
    return HubResult(
        stages=tuple(results),
        took_up_bps=max((one.got_up_bps for one in results), default=None),
        took_down_bps=max((one.got_down_bps for one in results), default=None),
        common_from=next((one.number for one in results if one.is_common), None),
    )
