"""The estimated audio quality of rows of the store, for charts and facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from analytics.quality.line import COLUMNS, audio_quality, rollup_windows

if TYPE_CHECKING:
    from analytics.quality.line import AudioQuality, Endpoints
    from telemetry.store.tables import RollupTable, StreamTable


class Assumed(Struct, frozen=True, kw_only=True):
    """What the estimate stands on, to be said beside it."""

    codec: str
    proxy: bool
    """The codec's constants are those of another one."""
    scale: str
    """MOS-CQE, MOS-CQEW or MOS-CQEF."""


def assumed(endpoints: Endpoints) -> Assumed:
    """What to say of the endpoints."""
    codec = endpoints.codec
    return Assumed(codec=codec.name, proxy=codec.proxy, scale=codec.scale.value)


def of_windows(table: StreamTable, endpoints: Endpoints) -> AudioQuality:
    """The estimate for each window, (n,)."""
    return audio_quality({name: table.columns[name] for name in COLUMNS}, endpoints)


def of_rollups(table: RollupTable, endpoints: Endpoints) -> AudioQuality:
    """The estimate for each window of each roll-up, (n, 20)."""
    return audio_quality(rollup_windows(table.columns, table.window_values), endpoints)
