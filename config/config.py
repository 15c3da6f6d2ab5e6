"""All that the operator wrote, as one consistent whole."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from config.calendar import Calendar
from config.people import Person
from config.profiles import CallProfile
from config.regions import Region
from config.settings import Headquarters, Settings
from config.sites import Registry
from config.works import Work


class Sources(Struct, frozen=True, kw_only=True):
    """Which files it was read from."""

    settings: Path
    sites: Path
    profiles: Path
    meetings: tuple[Path, ...]
    """Files, and folders of them."""
    works: Path
    people: Path
    watched: tuple[Path, ...]
    """Every place that was looked at, also where there is nothing yet: a change there is a change of the configuration."""


class Config(Struct, frozen=True, kw_only=True):
    """Settings, sites, call profiles and meetings that fit together; replaced whole, never changed."""

    settings: Settings
    registry: Registry
    profiles: dict[str, CallProfile]
    """By id, in the order of ladder and rank."""
    calendar: Calendar
    headquarters: dict[str, Headquarters]
    regions: dict[str, Region]
    works: tuple[Work, ...] = ()
    """Announced works and holidays, in the order of the file."""
    people: tuple[Person, ...] = ()
    """Those of the file in its order, then the offices' contacts as their in-charges."""
    file: Path
    """The settings file: the operator's, or the built-in one."""
    sources: Sources
