"""The estimated audio quality of rows of the store, for charts and facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from analytics.quality.line import COLUMNS, audio_quality

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


def of_rows(table: StreamTable | RollupTable, endpoints: Endpoints) -> AudioQuality:
    """The estimate for each row of a table, (n,)."""
    values = {name: np.asarray(table.columns[name], dtype=np.float64) for name in COLUMNS}
    return audio_quality(values, endpoints)
