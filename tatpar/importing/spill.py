"""Samples laid aside by office and week, so that files of any size and order are put together in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from tatpar.importing.samples import Samples

_SPAN_NS: Final = 7 * DAY_NS


class Spill:
    """One file of samples an office and week, in a folder of its own."""

    def __init__(self, folder: Path, dtype: np.dtype[Any]) -> None:
        self._folder = folder
        self._dtype = dtype
        self._kept: dict[tuple[str, int], int] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, sites: tuple[str, ...], site: NDArray[np.int64], samples: Samples) -> None:
        """Lay samples aside; `site` (n,) is the office of each."""
        span = samples["time_ns"] // _SPAN_NS
        order = np.lexsort((span, site))  # stable: what stands later in the file stays later
        edges = np.flatnonzero(np.diff(site[order]) | np.diff(span[order])) + 1
        for rows in np.split(order, edges):
            if len(rows):
                key = (sites[int(site[rows[0]])], int(span[rows[0]]))
                with self._file(key).open("ab") as file:
                    file.write(samples[rows].tobytes())
                self._kept[key] = self._kept.get(key, 0) + len(rows)

    @property
    def sites(self) -> tuple[str, ...]:
        """The offices that have samples, sorted."""
        return tuple(sorted({site for site, _ in self._kept}))

    def look(self, site: str) -> Iterator[Samples]:
        """An office's weeks, oldest first; they stay."""
        for key in self._weeks(site):
            yield np.frombuffer(self._file(key).read_bytes(), self._dtype)

    def take(self, site: str) -> Iterator[Samples]:
        """An office's weeks, oldest first; what was taken is let go."""
        for key, samples in zip(self._weeks(site), self.look(site), strict=True):
            yield samples
            self._file(key).unlink()

    def _weeks(self, site: str) -> list[tuple[str, int]]:
        return sorted(key for key in self._kept if key[0] == site)

    def _file(self, key: tuple[str, int]) -> Path:
        return self._folder / f"{key[0]}.{key[1]}"
