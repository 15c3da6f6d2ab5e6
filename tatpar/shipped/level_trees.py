"""The trees that say where a level moved, off line and on line, as they are shipped: files beside their analytics."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from analytics.changes.trees import OFFLINE, ONLINE, Trees, trees_of

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def trees_file(name: str) -> Traversable:
    """What `python -m bench changes --fit` writes: `OFFLINE` or `ONLINE`."""
    return files("analytics.changes").joinpath(name)


@cache
def shipped_trees() -> Trees:
    """The trees of this version, for `analytics.changes.offline.changes`."""
    return _read(OFFLINE)


@cache
def shipped_online_trees() -> Trees:
    """The trees of this version, for `analytics.changes.online`."""
    return _read(ONLINE)


def _read(name: str) -> Trees:
    with trees_file(name).open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        return trees_of(arrays)
