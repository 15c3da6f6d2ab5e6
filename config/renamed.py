"""Keys of the settings that a release had and a later one has not: since when, and what to write instead.

Whoever takes a key away, or gives it another name, adds it here in the same change: `tests/upgrades` compares the keys of
every release with those of today.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from config.toml_lines import KeyPath


class Gone(NamedTuple):
    """A key that is no more."""

    since: str
    """The first release without it."""
    instead: str
    """What to write, as the end of "…; "."""


GONE: Final[dict[str, Gone]] = {
    "alerts.lead_min": Gone(
        "0.1.0.dev4",
        "take it out: how long before a meeting somebody is told is from_min of the rungs of alerts.ladder",
    ),
}
"""By the key's path in `tatpar.toml` or `probe.toml`; numbers of list elements are left out."""


def gone(path: KeyPath) -> Gone | None:
    """What became of a key that is not known, when a release knew it."""
    return GONE.get(".".join(str(step) for step in path if isinstance(step, str)))
