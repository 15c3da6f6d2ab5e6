"""Who is invited: an attendee names an office, a region, an office with all below it, or everyone.

site:agra     region:west     tree:agra     all     (each also with `urn:tatpar:` before it)
mailto:agra@office.example    the offices with this contact address
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from config.site_columns import CellError
from config.text import nearest, one_of
from config.tree import children, subtree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from config.regions import Region
    from config.sites import Registry

URN: Final = "urn:tatpar:"
FORMS: Final = "site:ID, region:ID, tree:ID or all"


class Guests(NamedTuple):
    """What one attendee means: offices, or a person who is none of ours."""

    sites: frozenset[str]
    stranger: bool = False


class GuestBook:
    """Finds the offices that attendees mean, in one registry."""

    def __init__(self, registry: Registry, regions: Iterable[Region]) -> None:
        self._sites = registry.by_id
        self._order = {site: place for place, site in enumerate(self._sites)}
        self._below = children(registry.sites)
        self._everyone = frozenset(self._sites)
        self._regions: dict[str, set[str]] = {region.id: set() for region in regions}
        self._mails: dict[str, set[str]] = {}
        for site in registry.sites:
            self._regions[site.region].add(site.id)
            if site.contact_email:
                self._mails.setdefault(site.contact_email.lower(), set()).add(site.id)
        self._seated: dict[frozenset[str], tuple[str, ...]] = {}

    def find(self, value: str) -> Guests:
        """The offices that one attendee means.

        Raises:
            CellError: it names no office or region, or is of no form that we know.
        """
        text = value.strip().removeprefix(URN)
        kind, _, name = text.partition(":")
        match kind.lower():
            case "all" if not name:
                return Guests(self._everyone)
            case "site":
                return Guests(frozenset([self._site(name)]))
            case "tree":
                return Guests(frozenset(subtree(self._below, self._site(name))))
            case "region":
                return Guests(frozenset(self._region(name)))
            case "mailto":
                found = self._mails.get(name.lower())
                return Guests(frozenset(found or ()), stranger=found is None)
        raise CellError(f'the attendee "{value}" is of no known form', f"write {FORMS}")

    def are_group(self, values: Iterable[str]) -> bool:
        """Whether some attendee is a region: one that has no offices yet is no mistake."""
        return any(value.strip().removeprefix(URN).lower().startswith("region:") for value in values)

    def seat(self, guests: frozenset[str]) -> tuple[str, ...]:
        """The offices in the order of the registry; the same guests share one tuple."""
        seated = self._seated.get(guests)
        if seated is None:
            seated = self._seated[guests] = tuple(sorted(guests, key=self._order.__getitem__))
        return seated

    def _site(self, name: str) -> str:
        if name in self._sites:
            return name
        close = nearest(name, self._sites)
        remedy = f"write site:{close}" if close else "add the office to the sites, or remove it here"
        raise CellError(f'there is no office "{name}"', remedy)

    def _region(self, name: str) -> set[str]:
        if name not in self._regions:
            raise CellError(f'there is no region "{name}"', one_of(name, self._regions))
        return self._regions[name]
