"""`works.csv` read into announcements: strictly, and explained by line when wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from config.attendees import GuestBook
from config.csv_table import CsvTable
from config.site_columns import CellError, any_text
from config.text import nearest, one_of
from config.works import Work, WorkKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from config.regions import Region
    from config.sites import Registry

REQUIRED: Final = ("who", "kind", "from", "until", "announced")
COLUMNS: Final = (*REQUIRED, "note")
FORMS: Final = "site:ID, region:ID, tree:ID, provider:ID, end:ID or all"
LONGEST_DAYS: Final = 366
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS: Final = {kind.value: kind for kind in WorkKind}


class WorkPlaces:
    """Finds the offices that an announcement touches."""

    def __init__(self, registry: Registry, regions: Iterable[Region], ends: Iterable[str]) -> None:
        self._guests = GuestBook(registry, regions)
        self._all = tuple(registry.by_id)
        self._ends = tuple(ends)
        self._providers: dict[str, list[str]] = {}
        for site in registry.sites:
            if site.provider:
                self._providers.setdefault(site.provider, []).append(site.id)

    def find(self, who: str) -> tuple[tuple[str, ...], str]:
        """Offices, and the end whose lines alone are meant (empty: all).

        Raises:
            CellError: it names nothing that is there.
        """
        kind, _, name = who.partition(":")
        match kind:
            case "provider":
                if name not in self._providers:
                    remedy = one_of(name, self._providers) if self._providers else "name one in the sites"
                    raise CellError(f'there is no provider "{name}"', remedy)
                return tuple(self._providers[name]), ""
            case "end":
                if name not in self._ends:
                    raise CellError(f'there is no headquarters "{name}"', one_of(name, self._ends))
                return self._all, name
            case "site" | "region" | "tree":
                return self._guests.seat(self._guests.find(who).sites), ""
            case "all" if not name:
                return self._all, ""
        raise CellError(f'who "{who}" is of no known form', f"write {FORMS}")


def read_works(path: Path, places: WorkPlaces, zone: ZoneInfo) -> tuple[Work, ...]:
    """All announcements, in the order of the file; times without an offset are in `zone`.

    Raises:
        ConfigError: with the line, for any mistake in the table or in one of its cells.
    """
    table = CsvTable(path, COLUMNS, REQUIRED, _unknown_column)
    works = []
    for line, cells in table.rows():
        try:
            works.append(_work(cells, places, zone))
        except CellError as bad:
            raise table.bad(line, bad) from None
    return tuple(works)


def _work(cells: Mapping[str, str], places: WorkPlaces, zone: ZoneInfo) -> Work:
    sites, end = places.find(cells["who"])
    kind = _KINDS.get(cells["kind"])
    if kind is None:
        problem = f'kind "{cells["kind"]}" is neither works nor holiday'
        raise CellError(problem, one_of(cells["kind"], _KINDS))
    from_ns, until_ns, announced_ns = (_time(name, cells[name], zone) for name in REQUIRED[2:])
    if until_ns <= from_ns:
        raise CellError("until is not after from", "write the time of its end")
    if until_ns - from_ns > timedelta(days=LONGEST_DAYS) // timedelta(microseconds=1) * 1000:
        raise CellError(f"it lasts more than {LONGEST_DAYS} days", "look at the years of from and until")
    if announced_ns > from_ns:
        raise CellError(
            "announced is after from", "write when it became known; what began unannounced is no planned work"
        )
    return Work(
        who=cells["who"],
        sites=sites,
        end=end,
        kind=kind,
        from_ns=from_ns,
        until_ns=until_ns,
        announced_ns=announced_ns,
        note=any_text("note", cells.get("note", "")),
    )


def _time(column: str, text: str, zone: ZoneInfo) -> int:
    remedy = "write YYYY-MM-DD HH:MM, or with an offset as 2026-11-25T09:00+05:30"
    if not text:
        raise CellError(f"{column} is empty", remedy)
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is None:
            time = time.replace(tzinfo=zone)
        since = time - _EPOCH
    except (ValueError, OverflowError):
        raise CellError(f'{column} "{text}" is not a time', remedy) from None
    if not 2000 <= time.year < 2200:
        raise CellError(f"{column} {text} lies too far away", remedy)
    return since // timedelta(microseconds=1) * 1000


def _unknown_column(name: str) -> CellError:
    close = nearest(name, COLUMNS)
    return CellError(f'there is no column "{name}"', f"write {close}" if close else "remove it")
