"""The site registry: every office, its place in the tree, its line and its people."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator


class SiteStatus(StrEnum):
    """Whether the office has a probe on a line yet."""

    LINKED = "linked"
    PLANNED = "planned"


class Site(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One office."""

    id: str
    name_en: str
    name_hi: str
    region: str
    lat: float
    lon: float
    status: SiteStatus
    parent: str = ""
    """Id of the site above, empty at the top level of offices."""
    level: str = "district"
    provider: str = ""
    language: str = "hi"
    contact_name: str = ""
    contact_email: str = ""
    contact_phone: str = ""
    line_number: str = ""
    """The provider's own number of the line: what is named when the provider is called."""
    room_device: tuple[str, ...] = ()
    """What the room's device is asked, each as `config.reach` has it; empty: nothing."""
    link_up_bps: float | None = None
    link_down_bps: float | None = None

    def name(self, language: str) -> str:
        """The office's name in `hi` or `en`."""
        return self.name_hi if language == "hi" else self.name_en


class Registry(Struct, frozen=True):
    """All sites in the order of the file, found by id."""

    sites: tuple[Site, ...]
    by_id: dict[str, Site]

    def linked(self) -> Iterator[Site]:
        """The sites that have a probe."""
        return (site for site in self.sites if site.status is SiteStatus.LINKED)
