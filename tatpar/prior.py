"""The model that ships with the house: what a deployment's forecasts start from before it has a history of its own."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import msgspec

from analytics.forecast.model import FORM, Model

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

PRIOR: Final = "prior.json"


def prior_file() -> Traversable:
    """Where it lies."""
    return files("analytics.forecast").joinpath(PRIOR)


@cache
def shipped_prior() -> Model | None:
    """The shipped model; None when it is of another form than this release reads."""
    place = prior_file()
    if not place.is_file():
        return None
    model = msgspec.json.decode(place.read_bytes(), type=Model)
    return model if model.form == FORM else None
