"""Whose a message is and how urgent, read from its topic alone, before anything in it has been believed.

Topics of sites that are not ours share one lane, so that no flood of forged names can crowd out honest sites.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from config.sites import SiteStatus
from telemetry.topics import Leaf, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.sites import Registry

STRANGERS: Final = "?"
"""The site of every message that names none of our linked sites (no site can have this name)."""
_REMEMBERED: Final = 20_000
"""Topics whose lane is remembered; past this all are forgotten, which costs a look each."""


class Rank(IntEnum):
    """What goes first."""

    CONTROL = 0  # presence and answers: few, small, wanted at once
    LIVE = 1
    BACKLOG = 2


class Lane(NamedTuple):
    """One queue of its own."""

    site: str
    rank: Rank


class Lanes:
    """The lane of each topic under the sites that are ours at this moment."""

    def __init__(self, root: str, registry: Callable[[], Registry]) -> None:
        self._root = root
        self._registry = registry
        self._seen_by = registry()
        self._lanes: dict[str, Lane] = {}

    def of(self, topic: str) -> Lane:
        """The lane of a message; O(1)."""
        registry = self._registry()
        if registry is not self._seen_by:
            self._seen_by = registry
            self._lanes.clear()
        lane = self._lanes.get(topic)
        if lane is None:
            if len(self._lanes) >= _REMEMBERED:
                self._lanes.clear()
            lane = self._lanes[topic] = self._look(topic)
        return lane

    def _look(self, topic: str) -> Lane:
        address = parse(self._root, topic)
        if address is None:
            return Lane(STRANGERS, Rank.BACKLOG)
        site = self._seen_by.by_id.get(address.site)
        if site is None or site.status is not SiteStatus.LINKED:
            return Lane(STRANGERS, Rank.BACKLOG)
        rank = {Leaf.REPORT: Rank.LIVE, Leaf.BACKLOG: Rank.BACKLOG}.get(address.leaf, Rank.CONTROL)
        return Lane(address.site, rank)
