"""What changed between two pictures, as small as it can be told.

A record that went is `null`; of a tile only its changed fields are told, a field that went is `null`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import to_builtins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgspec import Struct

    from dashboards.wall.picture.model import Picture, Tile

Change = dict[str, object]


def difference(old: Picture, new: Picture) -> Change:
    """What turns `old` into `new`; empty when they are alike."""
    parts: Change = {
        "tiles": _tiles(old.tiles, new.tiles),
        "meetings": _records(old.meetings, new.meetings),
        "flags": _records(old.flags, new.flags),
        "pulses": _records(old.pulses, new.pulses),
    }
    change = {name: part for name, part in parts.items() if part}
    for name in ("incidents", "track", "held", "trouble", "refused"):
        if getattr(old, name) != getattr(new, name):
            change[name] = to_builtins(getattr(new, name))
    return change


def _records(old: Mapping[str, Struct], new: Mapping[str, Struct]) -> Change:
    changed: Change = {key: to_builtins(record) for key, record in new.items() if old.get(key) != record}
    return changed | dict.fromkeys(old.keys() - new.keys())


def _tiles(old: Mapping[str, Tile], new: Mapping[str, Tile]) -> Change:
    changed: Change = dict.fromkeys(old.keys() - new.keys())
    for site, tile in new.items():
        before = old.get(site)
        if before != tile:
            changed[site] = to_builtins(tile) if before is None else _fields(before, tile)
    return changed


def _fields(old: Tile, new: Tile) -> Change:
    before, after = to_builtins(old), to_builtins(new)
    changed: Change = {name: value for name, value in after.items() if before.get(name) != value}
    return changed | dict.fromkeys(before.keys() - after.keys())
