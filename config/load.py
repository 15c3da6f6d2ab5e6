"""Everything that the operator wrote, loaded as one: `load_config`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.attendees import GuestBook
from config.calendar_files import Surroundings, calendar_paths, read_calendar
from config.config import Config, Sources
from config.people_file import read_people
from config.profiles_file import DEFAULT_PROFILES, read_profiles
from config.settings_file import DEFAULTS, SettingsFile, timezone_of
from config.sites_file import read_sites
from config.text import one_of
from config.works_file import WorkPlaces, read_works

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from config.calendar import Calendar
    from config.profiles import CallProfile
    from config.sites import Registry
    from config.toml_lines import KeyPath

DEFAULT_SITES: Final = DEFAULTS / "sites.csv"
DEFAULT_MEETINGS: Final = DEFAULTS / "meetings"
LAB_MEETINGS: Final = DEFAULTS / "lab-meetings.ics"
"""A drill every three hours, for the emulated fleet: `load_config(path, extra_meetings=[LAB_MEETINGS])`."""

_BUILT_IN: Final = {
    "sites": DEFAULT_SITES,
    "profiles": DEFAULT_PROFILES,
    "meetings": DEFAULT_MEETINGS,
    "works": DEFAULTS / "works.csv",
    "people": DEFAULTS / "people.csv",
}


def load_config(path: Path | None = None, *, extra_meetings: Sequence[Path] = ()) -> Config:
    """The settings at `path` over the built-in defaults, with the sites, profiles and meetings that they name.

    Args:
        path: the settings file; None for the built-in defaults.
        extra_meetings: .ics files or folders read beside those of the settings.

    Raises:
        ConfigError: with file and line, for the first mistake in any of the files.
    """
    file = SettingsFile(path)
    sources = find_sources(file, extra_meetings)
    settings = file.settings
    registry = read_sites(sources.sites, [region.id for region in settings.regions])
    profiles = read_profiles(sources.profiles)
    places = WorkPlaces(registry, settings.regions, [end.id for end in settings.headquarters])
    works = read_works(sources.works, places, timezone_of(settings))
    _check_references(file, registry, profiles)
    calendar = _calendar(file, sources, registry, profiles)
    return Config(
        settings=settings,
        registry=registry,
        profiles=profiles,
        calendar=calendar,
        headquarters={end.id: end for end in settings.headquarters},
        regions={region.id: region for region in settings.regions},
        works=works,
        people=read_people(sources.people, places, registry, settings.alerts),
        file=file.path,
        sources=sources,
    )


def find_sources(file: SettingsFile, extra_meetings: Sequence[Path] = ()) -> Sources:
    """Where the other files are: as named, else beside the settings under the default name, else built in."""
    folder = file.path.parent
    names = file.settings.files
    beside = {key: folder / getattr(names, key) for key in _BUILT_IN}
    found = {
        key: place if file.says("files", key) or place.exists() else _BUILT_IN[key]
        for key, place in beside.items()
    }
    meetings = (found["meetings"], *(folder / name for name in names.extra_meetings), *extra_meetings)
    for key, place in found.items():
        _check_place(file, ("files", key), place, folder_allowed=key == "meetings")
    for index, name in enumerate(names.extra_meetings):
        _check_place(file, ("files", "extra_meetings", index), folder / name, folder_allowed=True)
    return Sources(
        settings=file.path,
        sites=found["sites"],
        profiles=found["profiles"],
        meetings=meetings,
        works=found["works"],
        people=found["people"],
        watched=tuple(dict.fromkeys([file.path, *beside.values(), *found.values(), *meetings])),
    )


def _check_place(file: SettingsFile, key: KeyPath, place: Path, *, folder_allowed: bool) -> None:
    """The settings name a place that is there."""
    if not place.exists():
        problem = f"files.{key[1]} names {place.name}, which is not in {place.parent.name}/"
        raise file.wrong(key, problem, "name one that is there")
    if place.is_dir() and not folder_allowed:
        raise file.wrong(key, f"files.{key[1]} names a folder", "name a file")


def _calendar(
    file: SettingsFile, sources: Sources, registry: Registry, profiles: dict[str, CallProfile]
) -> Calendar:
    settings = file.settings
    around = Surroundings(
        guests=GuestBook(registry, settings.regions),
        profiles=profiles,
        headquarters=tuple(end.id for end in settings.headquarters),
        offices=registry.by_id,
        floating=timezone_of(settings),
        default_profile=settings.meetings.default_profile,
        default_end=settings.meetings.default_end,
    )
    return read_calendar(calendar_paths(sources.meetings), around)


def _check_references(file: SettingsFile, registry: Registry, profiles: dict[str, CallProfile]) -> None:
    """What the settings say of other files must be there."""
    settings = file.settings
    for index, end in enumerate(settings.headquarters):
        if end.id in registry.by_id:
            problem = f'the id "{end.id}" belongs to an office too'
            raise file.wrong(("headquarters", index, "id"), problem, "give the headquarters another id")
    profile, end_id = settings.meetings.default_profile, settings.meetings.default_end
    if profile not in profiles:
        problem = f'there is no call profile "{profile}"'
        raise file.wrong(("meetings", "default_profile"), problem, one_of(profile, profiles))
    for index, planned in enumerate(settings.rehearsal.plan_profiles):
        if planned not in profiles:
            problem = f'there is no call profile "{planned}"'
            raise file.wrong(("rehearsal", "plan_profiles", index), problem, one_of(planned, profiles))
    ends = [end.id for end in settings.headquarters]
    if end_id not in ends and end_id not in registry.by_id:
        own = file.says("meetings", "default_end")
        problem = f'meetings.default_end is {"" if own else "still "}"{end_id}", neither a headquarters nor an office'
        remedy = f"{one_of(end_id, ends)} under [meetings]"
        raise file.wrong(("meetings", "default_end") if own else ("headquarters",), problem, remedy)
