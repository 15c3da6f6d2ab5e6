"""The offices and paths that rows are of: our own names for what stands in the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from config.errors import ConfigError
from tatpar.importing.our_names import OurNames, check_names

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd  # type: ignore[import-untyped,unused-ignore]
    from numpy.typing import NDArray

    from config.config import Config
    from tatpar.importing.mapping import Mapping, Named
    from tatpar.importing.tables import Chunk


@dataclass(frozen=True, slots=True)
class Places:
    """Of the rows of a chunk: `sites` and `paths` by code; a negative code is a row that is passed over."""

    sites: tuple[str, ...]
    site: NDArray[np.int64]
    paths: tuple[str, ...]
    path: NDArray[np.int64]

    @property
    def wanted(self) -> NDArray[np.bool_]:
        """(n,) which rows are of an office and a path."""
        return (self.site >= 0) & (self.path >= 0)


class PlaceFinder:
    """Knows the deployment's offices and ends."""

    def __init__(self, config: Config, mapping: Mapping, mapping_file: Path, site: str | None = None) -> None:
        """`site` is in place of the mapping's.

        Raises:
            ConfigError: the mapping names an office or a path that there is not, or no office at all.
        """
        self._ours = OurNames(config)
        check_names(self._ours, mapping, mapping_file, site)
        self._mapping = mapping
        self._site = site

    def of(self, chunk: Chunk) -> Places:
        """The office and path of each row.

        Raises:
            ConfigError: a name that is no office of ours, or no path to an end of ours.
        """
        sites, site = self._named(chunk, "site", self._mapping.site)
        paths, path = self._named(chunk, "path", self._mapping.path)
        for code, name in enumerate(sites):
            if not self._ours.is_site(name):
                instead = (
                    f"{self._ours.site_instead(name)}, or list the name under [site.values] of the mapping"
                )
                raise self._stranger(
                    chunk, self._mapping.site, site == code, f'there is no office "{name}"', instead
                )
        for code, name in enumerate(paths):
            if not self._ours.is_path(name):
                instead = (
                    f"{self._ours.path_instead(name)}, or list the name under [path.values] of the mapping"
                )
                raise self._stranger(chunk, self._mapping.path, path == code, f'"{name}" is no path', instead)
        return Places(sites, site, paths, path)

    def _named(self, chunk: Chunk, key: str, named: Named) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        rows = len(chunk.frame)
        if key == "site" and self._site is not None:
            return (self._site,), np.zeros(rows, np.int64)
        if named.column is None:
            name = chunk.file.stem if named.file_name else named.is_
            assert name is not None  # `check_names` asks for it
            codes, found = np.zeros(rows, np.int64), [name]
        else:
            codes, found = _coded(chunk.frame[named.column])
        ours = [_ours(named, name) for name in found]
        kept = tuple(dict.fromkeys(name for name in ours if name is not None))
        code = np.array([-1 if name is None else kept.index(name) for name in ours], np.int64)
        return kept, code[codes]

    @staticmethod
    def _stranger(
        chunk: Chunk, named: Named, rows: NDArray[np.bool_], problem: str, remedy: str
    ) -> ConfigError:
        if named.file_name:  # no row says it
            return ConfigError(chunk.file, f"its name is taken for ours: {problem}", remedy)
        return chunk.wrong(int(np.flatnonzero(rows)[0]), problem, remedy)


def _ours(named: Named, name: str) -> str | None:
    """Our name for one of the file's; None for one that is passed over."""
    return named.ours.get(name, None if named.skip_others else name)


def _coded(column: pd.Series) -> tuple[NDArray[np.int64], list[str]]:
    codes, found = column.astype(str).factorize()
    names: list[Any] = found.tolist()
    return np.asarray(codes, np.int64), [str(name) for name in names]
