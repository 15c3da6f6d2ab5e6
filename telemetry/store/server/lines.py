"""Tables as points in line protocol, a column at a time."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

import numpy as np

from telemetry.store.columns import HISTOGRAM_COLUMNS, WINDOW_VALUE_COLUMNS
from telemetry.store.server import packed
from telemetry.store.server.points import (
    BOTH_COUNTS,
    BOTH_FLOATS,
    COMMIT,
    HISTOGRAMS,
    ITEMS,
    LANES,
    OFF_GRID,
    RECEIVED,
    REPORT_COUNTS,
    REPORT_FLOATS,
    VERSION,
    WAY_COUNTS,
    WAY_FLOATS,
    WAYS,
    WINDOW_VALUES,
    Family,
)
from telemetry.store.server.runs import chunks, run_values
from telemetry.windows import MS_NS, SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from telemetry.store.server.contacts import Contacts
    from telemetry.store.tables import StreamTable

_SPECIAL: Final = str.maketrans({",": r"\,", " ": r"\ ", "=": r"\=", "\n": r"\ "})


class LineMaker:
    """Makes the points of one deployment, for a database with or without text."""

    def __init__(self, prefix: str, *, strings: bool) -> None:
        self.prefix = prefix
        self._strings = strings
        self.oversized = 0
        """Packed values that no number of runs could hold, and so were left out."""

    def windows(self, table: StreamTable, lanes: NDArray[np.int64]) -> list[str]:
        """The points of stream windows (with commits and histograms).

        Args:
            table: n rows.
            lanes: (n,) the lane of each.
        """
        c = table.columns
        both = [*_received(c), _integers(COMMIT, c[COMMIT]), _off_grid(c), *_both(c)]
        blobs = {HISTOGRAMS: _if_any(table, packed.pack_histograms(table.histograms))}
        out = self._points(Family.WINDOW, _heads(table), (c["start_ns"], lanes), both, blobs)
        return out + self._ways(Family.WINDOW_DIRECTION, table, lanes)

    def rollups(self, table: StreamTable, versions: NDArray[np.int64]) -> list[str]:
        """The points of roll-ups in their inner form (all columns, values of windows and histograms).

        Where a point can be overwritten there is one for a slot; else one for each version, and the newest counts.
        """
        c = table.columns
        lanes = (
            np.zeros_like(versions) if self._strings else np.minimum(versions, LANES[Family.ROLLUP].count - 1)
        )
        both = [
            *_received(c), _integers(VERSION, versions), _integers("windows", c["windows"]), *_both(c)
        ]  # fmt: skip
        values = {name: c[f"window:{name}"] for name in WINDOW_VALUE_COLUMNS}
        blobs: dict[str, Sequence[bytes | None]] = {
            HISTOGRAMS: _if_any(table, packed.pack_histograms(table.histograms)),
            WINDOW_VALUES: packed.pack_window_values(values),
        }
        out = self._points(Family.ROLLUP, _heads(table), (c["start_ns"], lanes), both, blobs)
        return out + self._ways(Family.ROLLUP_DIRECTION, table, lanes)

    def reports(self, contacts: Contacts) -> list[str]:
        """The points of reports as such: their receipt, the probe's state, the items that are no streams."""
        c = contacts.columns
        heads = [
            f"site={escaped(site)},probe={escaped(probe)}"
            for site, probe in zip(contacts.sites, contacts.probes, strict=True)
        ]
        fields = [
            *_received(c),
            _integers(COMMIT, c[COMMIT]),
            _off_grid(c),
            *(_integers(name, c[name]) for name in REPORT_COUNTS if name in c),
            *(_floats(name, c[name]) for name in REPORT_FLOATS if name in c),
        ]
        blobs: dict[str, Sequence[bytes | None]] = {ITEMS: contacts.items} if contacts.items else {}
        return self._points(Family.REPORT, heads, (c["start_ns"], c["lane"]), fields, blobs)

    def _ways(self, family: Family, table: StreamTable, lanes: NDArray[np.int64]) -> list[str]:
        out: list[str] = []
        for way in WAYS:
            fields = [_integers(name, table.columns[f"{way}_{name}"]) for name in WAY_COUNTS]
            fields += [_floats(name, table.columns[f"{way}_{name}"]) for name in WAY_FLOATS]
            heads = [f"{head},direction={way}" for head in _heads(table)]
            out += self._points(family, heads, (table.columns["start_ns"], lanes), fields, {})
        return out

    def _points(
        self,
        family: Family,
        heads: Sequence[str],
        at: tuple[NDArray[np.int64], NDArray[np.int64]],
        fields: Sequence[Sequence[str]],
        blobs: Mapping[str, Sequence[bytes | None]],
    ) -> list[str]:
        """One point a row, with packed values as text within it or as runs behind it.

        Args:
            family: whose name and lanes.
            heads: (n,) the tags of each row.
            at: (n,) start (ns) and lane of each row.
            fields: for each field (n,) texts `,name=value`, empty for absent.
            blobs: for each packed field (n,) bytes, None for absent.
        """
        name, lanes = f"{self.prefix}_{family}", LANES[family]
        starts, lane = (at[0] // (lanes.span_ms * MS_NS) * lanes.span_ms).tolist(), at[1].tolist()
        if self._strings:
            texts = [_texts(field, data) for field, data in blobs.items()]
            bodies = map("".join, zip(*fields, *texts, strict=True))
        else:
            bodies = map("".join, zip(*fields, strict=True))
        out = [
            f"{name},{head} {body[1:]} {start + which * lanes.step_ms}"
            for head, body, start, which in zip(heads, bodies, starts, lane, strict=True)
        ]
        if not self._strings:
            for field, data in blobs.items():
                for head, blob, start, which in zip(heads, data, starts, lane, strict=True):
                    if blob is not None:
                        first = start + lanes.run_ms + which * lanes.room_ms
                        out += self._run(family, f"{name},{head} {field}", blob, first)
        return out

    def _run(self, family: Family, head: str, blob: bytes, first_ms: int) -> list[str]:
        parts = chunks(blob, LANES[family])
        if parts is None:
            self.oversized += 1
            return []
        return [
            f"{head}{f'_{number}' if number else ''}={value}i {time}"
            for number, part in enumerate(parts)
            for time, value in enumerate(run_values(part), first_ms)
        ]


def _heads(table: StreamTable) -> list[str]:
    """The tags of each row."""
    c = table.columns
    names = [[escaped(name) for name in names] for names in (table.sites, table.probes, table.paths)]
    return [
        f"site={names[0][site]},probe={names[1][probe]},path={names[2][path]}"
        for site, probe, path in zip(c["site"].tolist(), c["probe"].tolist(), c["path"].tolist(), strict=True)
    ]


def escaped(name: str) -> str:
    """A tag's value in line protocol."""
    return name.translate(_SPECIAL)


def _both(columns: Mapping[str, NDArray[Any]]) -> Iterable[list[str]]:
    yield from (_integers(name, columns[name]) for name in BOTH_COUNTS)
    yield from (_floats(name, columns[name]) for name in BOTH_FLOATS)


def _received(columns: Mapping[str, NDArray[Any]]) -> Iterable[list[str]]:
    seconds, rest = np.divmod(columns["received_ns"], SECOND_NS)
    yield _integers(RECEIVED[0], seconds)
    yield _integers(RECEIVED[1], rest)


def _off_grid(columns: Mapping[str, NDArray[Any]]) -> list[str]:
    return [f",{OFF_GRID}={value}i" if value else "" for value in (columns["start_ns"] % WINDOW_NS).tolist()]


def _integers(name: str, values: NDArray[Any]) -> list[str]:
    return [f",{name}={value}i" for value in values.tolist()]


def _floats(name: str, values: NDArray[Any]) -> list[str]:
    return [f",{name}={value!r}" if value == value else "" for value in values.tolist()]  # noqa: PLR0124 - NaN


def _texts(name: str, blobs: Sequence[bytes | None]) -> list[str]:
    return ["" if blob is None else f',{name}="{base64.b64encode(blob).decode()}"' for blob in blobs]


def _if_any(table: StreamTable, blobs: Sequence[bytes]) -> list[bytes | None]:
    """The packed histograms of the rows that have any."""
    bins = sum(np.diff(table.histograms[name].offsets) for name in HISTOGRAM_COLUMNS)
    return [blob if has else None for blob, has in zip(blobs, np.asarray(bins).tolist(), strict=True)]
