"""The endpoints that the operator's settings describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.quality.codecs import codec
from analytics.quality.line import Endpoints

if TYPE_CHECKING:
    from config.settings import Quality


def endpoints_of(settings: Quality) -> Endpoints:
    """Codec, jitter buffer and packet length as `[quality]` has them."""
    chosen = codec(settings.codec)
    if settings.own_constants:
        chosen = chosen.with_constants(settings.ie, settings.bpl)
    return Endpoints(chosen, settings.jitter_buffer_ms, settings.packet_ms)
