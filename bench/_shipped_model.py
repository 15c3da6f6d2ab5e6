"""The model that a deployment begins with, for benchmarks: they do not go through the front door (`tatpar.shipped`)."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec

from analytics.forecast.model import Model


@cache
def shipped_model() -> Model:
    """As it lies beside `analytics.forecast`, written by `python -m bench prior`."""
    return msgspec.json.decode(files("analytics.forecast").joinpath("prior.json").read_bytes(), type=Model)
