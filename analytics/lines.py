"""Which lines there are: the axes of every grid, and which paths share an uplink or lead to one end."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from telemetry.store.tables import RollupTable, StreamTable


@dataclass(frozen=True)
class Lines:
    """Sites (S) and paths (P) in the order of the axes; a path is `<uplink>.<end>`."""

    sites: tuple[str, ...]
    paths: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """(S, P)."""
        return len(self.sites), len(self.paths)

    @cached_property
    def site_index(self) -> Mapping[str, int]:
        """Place of each site on the axis."""
        return {site: i for i, site in enumerate(self.sites)}

    @cached_property
    def path_index(self) -> Mapping[str, int]:
        """Place of each path on the axis."""
        return {path: i for i, path in enumerate(self.paths)}

    @cached_property
    def shares_uplink(self) -> NDArray[np.int64]:
        """(P, P): 1 where two paths leave by the same uplink, itself included."""
        uplinks = np.array([path.partition(".")[0] for path in self.paths], dtype=object)
        return np.asarray(np.equal.outer(uplinks, uplinks), dtype=np.int64)

    def places(self, table: StreamTable | RollupTable) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(n,) each: where the site and the path of each row of a table stand on the axes; -1 where they do not."""
        site = np.array([self.site_index.get(name, -1) for name in table.sites], dtype=np.int64)
        path = np.array([self.path_index.get(name, -1) for name in table.paths], dtype=np.int64)
        return site[table.columns["site"]], path[table.columns["path"]]

    def to_end(self, end: str) -> NDArray[np.int64]:
        """(K,): indices of the paths that lead to an end."""
        return np.array([i for i, p in enumerate(self.paths) if p.partition(".")[2] == end], dtype=np.int64)

    def with_path(self, path: str) -> Lines:
        """These lines and one more path, at the end of the axis."""
        return Lines(self.sites, (*self.paths, path))
