"""The model that ships with the house: what a deployment's forecasts start from before it has a history of its own."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import msgspec

from analytics.forecast.model import FORM, Model, ModelError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

PRIOR: Final = "prior.json"


def prior_file() -> Traversable:
    """Where it lies."""
    return files("analytics.forecast").joinpath(PRIOR)


@cache
def shipped_prior() -> Model:
    """The shipped model.

    Raises:
        ModelError: it is of another form than this release reads: a mistake of the release.
    """
    model = msgspec.json.decode(prior_file().read_bytes(), type=Model)
    if model.form != FORM:
        raise ModelError(f"{PRIOR} is of the form {model.form!r}, not {FORM!r}: run `python -m bench prior`")
    return model
