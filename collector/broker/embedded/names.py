"""Topic names and filters (MQTT 5, 4.7 and 4.8.2)."""

from __future__ import annotations

from typing import Final, NamedTuple

MAX_LEVELS: Final = 64
_SHARE: Final = "$share"


def is_topic_name(name: str) -> bool:
    """Whether messages may be published under it."""
    return bool(name) and "+" not in name and "#" not in name


def is_filter(name: str) -> bool:
    """Whether it may be subscribed to: wildcards alone in their level, `#` only at the end."""
    levels = name.split("/")
    if not name or len(levels) > MAX_LEVELS:
        return False
    for i, level in enumerate(levels):
        if ("+" in level or "#" in level) and len(level) > 1:
            return False
        if level == "#" and i < len(levels) - 1:
            return False
    return True


class Shared(NamedTuple):
    """A shared subscription's group and the filter that its members share."""

    group: str
    filter: str


def shared(name: str) -> Shared | None:
    """Group and filter of `$share/group/filter`; None for any other filter."""
    levels = name.split("/", 2)
    if levels[0] != _SHARE:
        return None
    if len(levels) < 3 or not levels[1] or not is_topic_name(levels[1]) or not is_filter(levels[2]):
        return Shared("", "")
    return Shared(levels[1], levels[2])


def matches(pattern: str, name: str) -> bool:
    """Whether a topic name matches a filter; wildcards in front do not reach `$` topics (4.7.2)."""
    wanted, levels = pattern.split("/"), name.split("/")
    if levels[0].startswith("$") and wanted[0] in ("+", "#"):
        return False
    for i, want in enumerate(wanted):
        if want == "#":
            return True
        if i >= len(levels) or want not in ("+", levels[i]):
            return False
    return len(wanted) == len(levels)
