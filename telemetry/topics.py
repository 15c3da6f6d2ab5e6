"""MQTT topics: `<root>/<site>/<probe>/<leaf>`; the one place that builds and reads them."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, NamedTuple

DEFAULT_ROOT: Final = "tatpar/1"
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class Leaf(StrEnum):
    """The last level of a topic: who writes it is in the comment."""

    REPORT = "report"  # probe
    BACKLOG = "backlog"  # probe
    STORED = "stored"  # collector, retained
    PRESENCE = "presence"  # probe, or the broker by last will; retained
    PLAN = "plan"  # collector, retained
    COMMAND = "command"  # collector
    ANSWER = "answer"  # probe


class Address(NamedTuple):
    """What a topic says: whose it is and what it carries."""

    site: str
    probe: str
    leaf: Leaf


def topic(root: str, site: str, probe: str, leaf: Leaf) -> str:
    """The topic of one leaf of one probe."""
    return f"{root}/{site}/{probe}/{leaf}"


def subscription(root: str, leaf: Leaf) -> str:
    """The filter that matches one leaf of every probe."""
    return f"{root}/+/+/{leaf}"


def shared_subscription(root: str, leaf: Leaf, group: str = "collectors") -> str:
    """The same, shared between the members of a group (MQTT 5)."""
    return f"$share/{group}/{subscription(root, leaf)}"


def parse(root: str, name: str) -> Address | None:
    """What a topic says, or None when it is none of ours."""
    if not name.startswith(root + "/"):
        return None
    levels = name[len(root) + 1 :].split("/")
    if len(levels) != 3:
        return None
    site, probe, last = levels
    if not _NAME.fullmatch(site) or not _NAME.fullmatch(probe):
        return None
    try:
        return Address(site, probe, Leaf(last))
    except ValueError:
        return None
