"""The tree of sites: who stands below whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from config.sites import Site


def children(sites: Iterable[Site]) -> dict[str, list[str]]:
    """The ids right below each site that has any; under `""`, the top level."""
    below: dict[str, list[str]] = {}
    for site in sites:
        below.setdefault(site.parent, []).append(site.id)
    return below


def subtree(below: Mapping[str, list[str]], root: str) -> set[str]:
    """The site and everything under it."""
    found: set[str] = set()
    waiting = [root]
    while waiting:
        site = waiting.pop()
        found.add(site)
        waiting.extend(below.get(site, ()))
    return found


def cycle(by_id: Mapping[str, Site]) -> list[str]:
    """Sites that stand below themselves, from the first of them in the file; empty when there are none."""
    settled: set[str] = set()
    for start in by_id:
        chain: dict[str, None] = {}
        at = start
        while at and at not in settled and at not in chain:
            chain[at] = None
            at = by_id[at].parent
        if at in chain:
            members = list(chain)
            ring = members[members.index(at) :]
            first = min(ring, key=list(by_id).index)
            turn = ring.index(first)
            return ring[turn:] + ring[:turn]
        settled.update(chain)
    return []
