"""What the types of the settings cannot say: names that exist, addresses, values that fit together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

from config.address import parse_address
from config.names import ID_RULE, is_id, suggested_id
from config.store_checks import check_store
from config.zones import similar_zone, zone_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.errors import ConfigError
    from config.regions import Region
    from config.settings import Headquarters, Settings
    from config.toml_lines import KeyPath


class Wrong(Protocol):
    """Makes the error about one key of the file."""

    def __call__(self, key: KeyPath, problem: str, remedy: str) -> ConfigError:
        """The error, with the key's line."""
        ...


def check_settings(settings: Settings, wrong: Wrong) -> None:
    """Raise the first thing that is wrong."""
    _check_timezone(settings.deployment.timezone, wrong)
    _check_ids("headquarters", settings.headquarters, wrong)
    _check_ids("regions", settings.regions, wrong)
    for index, end in enumerate(settings.headquarters):
        _check_reflectors(index, end, wrong)
    _check_broker(settings, wrong)
    check_store(settings.store, wrong)
    _check_finite(settings, wrong)
    _check_rates(settings, wrong)
    if "@" not in settings.alerts.sender:
        problem = f'alerts.sender "{settings.alerts.sender}" is not a mail address'
        raise wrong(("alerts", "sender"), problem, "write name@domain")


def _check_timezone(name: str, wrong: Wrong) -> None:
    if name not in zone_names():
        remedy = f'write a name such as "{similar_zone(name)}"'
        raise wrong(("deployment", "timezone"), f'there is no time zone "{name}"', remedy)


def _check_ids(table: str, entries: Sequence[Headquarters | Region], wrong: Wrong) -> None:
    if not entries:
        raise wrong((table,), f"there are no {table}", f"write at least one [[{table}]]")
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        key = (table, index, "id")
        if not is_id(entry.id):
            problem = f'"{entry.id}" cannot be an id ({ID_RULE})'
            raise wrong(key, problem, f'write "{suggested_id(entry.id)}"')
        if entry.id in seen:
            raise wrong(key, f'the id "{entry.id}" stands twice in {table}', "give this one another id")
        seen.add(entry.id)
        _check_names(table, index, entry, wrong)


def _check_names(table: str, index: int, entry: Headquarters | Region, wrong: Wrong) -> None:
    for name in ("name_en", "name_hi"):
        if not getattr(entry, name).strip():
            raise wrong((table, index, name), f"{table} {entry.id} has an empty {name}", "write its name")


def _check_reflectors(index: int, end: Headquarters, wrong: Wrong) -> None:
    if not end.reflectors:
        problem = f"headquarters {end.id} has no reflectors"
        raise wrong(("headquarters", index), problem, 'add: reflectors = ["host:862"]')
    for place, address in enumerate(end.reflectors):
        if parse_address(address) is None:
            key = ("headquarters", index, "reflectors", place)
            problem = f'"{address}" is not host:port with a port from 1 to 65535'
            raise wrong(key, problem, 'write it as "10.20.0.5:862" or "[fd00::5]:862"')


def _check_broker(settings: Settings, wrong: Wrong) -> None:
    broker = settings.broker
    if any(sign in broker.root for sign in "+#$ ") or not all(broker.root.split("/")):
        remedy = 'write levels without + # $ and blanks, as "tatpar/1"'
        raise wrong(("broker", "root"), f'"{broker.root}" cannot be the root of topics', remedy)
    if broker.bring == "none" and broker.port == 0:
        problem = 'broker.bring is "none" but broker.port is 0'
        raise wrong(("broker", "bring"), problem, "add the port: port = 1883")


def _check_finite(settings: Settings, wrong: Wrong) -> None:
    """TOML knows `inf`, which no rate and no span of time can be."""
    for name in settings.__struct_fields__:
        section = getattr(settings, name)
        for key in getattr(section, "__struct_fields__", ()):
            value = getattr(section, key)
            if isinstance(value, float) and not math.isfinite(value):
                raise wrong((name, key), f"{name}.{key} is {value}", "write a finite number")


def _check_rates(settings: Settings, wrong: Wrong) -> None:
    base, meeting = settings.probing.base_pps, settings.probing.meeting_pps
    if meeting < base:
        problem = f"meeting_pps {meeting:g} is below base_pps {base:g}"
        raise wrong(("probing", "meeting_pps"), problem, f"write at least {base:g}")
