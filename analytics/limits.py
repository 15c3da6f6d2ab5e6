"""The distinct limits behind many profiles: what is judged once serves every profile that asks the same.

Bitrates are left out: no window of a test stream measures capacity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.profiles import CallProfile, Limits


@dataclass(frozen=True, slots=True)
class LimitSets:
    """`limits` (L,) in a fixed order, and which of them each profile's windows are judged by."""

    limits: tuple[Limits, ...]
    of_profile: Mapping[str, int]


def limit_sets(profiles: Mapping[str, CallProfile]) -> LimitSets:
    """The distinct alarm limits of all profiles, in the order in which they first occur."""
    judged = {
        id_: replace(p.alarm, bitrate_up_bps=None, bitrate_down_bps=None) for id_, p in profiles.items()
    }
    distinct = tuple(dict.fromkeys(judged.values()))
    return LimitSets(distinct, {id_: distinct.index(each) for id_, each in judged.items()})
