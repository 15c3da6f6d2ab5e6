"""The regions that offices are grouped by; listed in the settings under `[[regions]]`."""

from __future__ import annotations

from msgspec import Struct


class Region(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group of offices with its names."""

    id: str
    name_en: str
    name_hi: str
    reach_edges: tuple[str, ...] = ()
    """What the platform's edge is asked from its offices instead of `reach.edges`, as `config.reach` has it; empty: those."""

    def name(self, language: str) -> str:
        """The region's name in `hi` or `en`."""
        return self.name_hi if language == "hi" else self.name_en
