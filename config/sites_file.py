"""`sites.csv` read into the registry: strictly, and explained by line when wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from config.csv_table import CsvTable
from config.errors import ConfigError
from config.site_columns import CELLS, COLUMNS, REQUIRED, CellError, unknown_column
from config.sites import Registry, Site
from config.text import nearest, one_of
from config.tree import cycle

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

_FIELDS = {"link_up_mbps": "link_up_bps", "link_down_mbps": "link_down_bps"}


def read_sites(path: Path, regions: Collection[str]) -> Registry:
    """All offices, in the order of the file.

    Raises:
        ConfigError: with the line, for any mistake in the table or in one of its cells.
    """
    return _SitesFile(path, regions).registry()


class _SitesFile:
    def __init__(self, path: Path, regions: Collection[str]) -> None:
        self._path = path
        self._table = CsvTable(path, COLUMNS, REQUIRED, unknown_column)
        self._regions = regions
        self._lines: dict[str, int] = {}
        self._by_id: dict[str, Site] = {}

    def registry(self) -> Registry:
        for line, cells in self._table.rows():
            site = self._site(line, cells)
            self._lines[site.id] = line
            self._by_id[site.id] = site
        if not self._by_id:
            raise ConfigError(self._path, "there are no offices", "write one a line below the heading", 1)
        self._check_tree()
        return Registry(tuple(self._by_id.values()), self._by_id)

    def _site(self, line: int, cells: Mapping[str, str]) -> Site:
        try:
            fields: dict[str, Any] = {
                _FIELDS.get(name, name): CELLS[name](name, cell) for name, cell in cells.items()
            }
        except CellError as bad:
            raise self._table.bad(line, bad) from None
        site = Site(**fields)
        self._check_site(line, site)
        return site

    def _check_site(self, line: int, site: Site) -> None:
        if site.id in self._lines:
            problem = f"the id {site.id} stands on line {self._lines[site.id]} already"
            raise ConfigError(self._path, problem, "give this office another id", line)
        if site.region not in self._regions:
            remedy = f"{one_of(site.region, self._regions)}, or add it to the settings under [[regions]]"
            raise ConfigError(self._path, f'there is no region "{site.region}"', remedy, line)

    def _check_tree(self) -> None:
        for site in self._by_id.values():
            if site.parent and site.parent not in self._by_id:
                close = nearest(site.parent, self._by_id)
                remedy = f"write {close}" if close else "add that office, or leave parent empty"
                problem = f'{site.id} has the parent "{site.parent}", which is no office here'
                raise ConfigError(self._path, problem, remedy, self._lines[site.id])
        ring = cycle(self._by_id)
        if ring:
            chain = " → ".join([*ring, ring[0]])
            raise ConfigError(
                self._path,
                f"{ring[0]} stands below itself ({chain})",
                "leave one parent empty",
                self._lines[ring[0]],
            )
