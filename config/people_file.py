"""`people.csv` read into people: strictly, and explained by line when wrong. Each office's contact joins them as its in-charge."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from config.csv_table import CsvTable
from config.day_spans import day_spans
from config.people import Person, Role
from config.site_columns import CellError, any_text, email, identifier, language, phone
from config.text import nearest, one_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from config.alert_settings import Alerts
    from config.sites import Registry, Site
    from config.works_file import WorkPlaces

REQUIRED: Final = ("id", "name", "role", "about")
COLUMNS: Final = (*REQUIRED, "language", "email", "phone", "channels", "quiet", "per_hour", "meetings")
FORMS: Final = "site:ID, region:ID, tree:ID, provider:ID or all, several divided by blanks"
MOST_PER_HOUR: Final = 1000
OWN_CHANNELS: Final = ("mail",)
"""Those that need no entry under [alerts.channels]."""
_ROLES: Final = {role.value: role for role in Role}
_NOT_DIALLED: Final = re.compile(r"[ ()/-]")


def read_people(path: Path, places: WorkPlaces, registry: Registry, settings: Alerts) -> tuple[Person, ...]:
    """All people in the order of the file, then the offices' contacts in the order of the registry.

    Raises:
        ConfigError: with the line, for any mistake in the table or in one of its cells.
    """
    table = CsvTable(path, COLUMNS, REQUIRED, _unknown_column)
    reader = _Reader(places, registry, settings)
    lines: dict[str, int] = {}
    people = []
    for line, cells in table.rows():
        try:
            person = reader.person(cells)
        except CellError as bad:
            raise table.bad(line, bad) from None
        if person.id in lines:
            twice = f"the id {person.id} stands on line {lines[person.id]} already"
            raise table.bad(line, CellError(twice, "give this person another id"))
        lines[person.id] = line
        people.append(person)
    contacts = (contact(site, settings) for site in registry.sites)
    return (*people, *(one for one in contacts if one is not None))


def contact(site: Site, settings: Alerts) -> Person | None:
    """An office's contact as its in-charge, with the limits that hold for whoever says none; None when there is no address."""
    if not site.contact_email and not site.contact_phone:
        return None
    return Person(
        id=f"site:{site.id}",
        name=site.contact_name,
        role=Role.IN_CHARGE,
        sites=(site.id,),
        language=site.language,
        email=site.contact_email,
        phone=dialled(site.contact_phone),
        channels=settings.default_channels,
        quiet=day_spans("quiet", " ".join(settings.default_quiet)),
        per_hour=settings.default_per_hour,
    )


def dialled(number: str) -> str:
    """A number without the signs that only people read: `+91 522 1234567` is `+915221234567`."""
    return _NOT_DIALLED.sub("", number)


class _Reader:
    def __init__(self, places: WorkPlaces, registry: Registry, settings: Alerts) -> None:
        self._places = places
        self._order = {site: place for place, site in enumerate(registry.by_id)}
        self._settings = settings

    def person(self, cells: Mapping[str, str]) -> Person:
        role = _ROLES.get(cells["role"])
        if role is None:
            raise CellError(f'there is no role "{cells["role"]}"', one_of(cells["role"], _ROLES))
        if not cells["name"]:
            raise CellError("name is empty", "write the person's name, or that of the desk")
        return Person(
            id=identifier("id", cells["id"]),
            name=any_text("name", cells["name"]),
            role=role,
            sites=self._sites(cells["about"]),
            meetings=self._uids(role, cells.get("meetings", "")),
            language=language("language", cells.get("language", "")),
            email=email("email", cells.get("email", "")),
            phone=_number(cells.get("phone", "")),
            channels=self._channels(cells.get("channels", "")),
            quiet=self._quiet(cells.get("quiet", "")),
            per_hour=self._per_hour(cells.get("per_hour", "")),
        )

    def _sites(self, text: str) -> tuple[str, ...]:
        if not text:
            raise CellError("about is empty", f"write {FORMS}")
        found: set[str] = set()
        for who in text.split():
            if who.startswith("end:"):
                raise CellError(f'about "{who}" names no offices', f"write {FORMS}")
            try:
                found.update(self._places.find(who)[0])
            except CellError as bad:
                if "of no known form" not in bad.problem:
                    raise
                raise CellError(f'about "{who}" is of no known form', f"write {FORMS}") from None
        return tuple(sorted(found, key=self._order.__getitem__))

    def _uids(self, role: Role, text: str) -> tuple[str, ...]:
        uids = tuple(dict.fromkeys(text.split()))
        if uids and role is not Role.ORGANISER:
            raise CellError(f"a person of the role {role} has no meetings", "leave meetings empty")
        return uids  # one that is not in the calendar (any more) is a remark of `tatpar doctor`: a cancelled meeting refuses no reload

    def _channels(self, text: str) -> tuple[str, ...]:
        known = (*OWN_CHANNELS, *self._settings.channels)
        for name in text.split():
            if name not in known:
                remedy = f"{one_of(name, known)}, or add it to the settings under [alerts.channels]"
                raise CellError(f'there is no channel "{name}"', remedy)
        return tuple(dict.fromkeys(text.split())) or self._settings.default_channels

    def _quiet(self, text: str) -> tuple[tuple[int, int], ...]:
        if text == "none":
            return ()
        return day_spans("quiet", text or " ".join(self._settings.default_quiet))

    def _per_hour(self, text: str) -> int:
        if not text:
            return self._settings.default_per_hour
        if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= MOST_PER_HOUR:
            raise CellError(
                f'per_hour "{text}" is no number of messages',
                f"write a whole number from 1 to {MOST_PER_HOUR:,}, or leave it empty",
            )
        return int(text)


def _number(text: str) -> str:
    number = dialled(phone("phone", text))
    if number and not number.startswith("+"):
        raise CellError(
            f'phone "{text}" has no code of its country', "begin it with + and the code, as +91 522 1234567"
        )
    return number


def _unknown_column(name: str) -> CellError:
    close = nearest(name, COLUMNS)
    return CellError(f'there is no column "{name}"', f"write {close}" if close else "remove it")
