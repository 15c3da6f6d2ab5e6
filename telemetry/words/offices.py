"""Offices by name, those too that the list no longer has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.words.speak import say

if TYPE_CHECKING:
    from config.sites import Registry


def say_office(language: str, registry: Registry, site: str) -> str:
    """An office's name; of one that was taken out of the list its id, and that it was: a bare id would be taken for a mistake."""
    found = registry.by_id.get(site)
    return say(language, "office.removed", site=site) if found is None else found.name(language)
