"""The trees that say where a level of round trips moved, as they are shipped: a file beside their analytics."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.changes.trees import Trees, trees_of

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

FILE: Final = "trees.npz"


def trees_file() -> Traversable:
    """What `python -m bench changes --fit` writes."""
    return files("analytics.changes").joinpath(FILE)


@cache
def shipped_trees() -> Trees:
    """The trees of this version, for `analytics.changes.offline.changes`."""
    with trees_file().open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        return trees_of(arrays)
