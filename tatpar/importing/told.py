"""How a running watch hears of an import: imports do not come through the store's tail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telemetry.state.db import StateDb

ROLE: Final = "import"
"""An import stands among the heartbeats until a watch has taken it up; nobody expects another."""


def tell(state: StateDb, now_ns: int, detail: Mapping[str, object]) -> None:
    """Say that history was imported.

    Raises:
        StateError: the state database cannot be written.
    """
    state.beat(ROLE, now_ns, detail)


def is_news(state: StateDb, loaded_ns: int) -> bool:
    """Whether history was imported since the past was loaded; what was loaded since is told no more."""
    beat = state.beats().get(ROLE)
    if beat is None:
        return False
    if beat.at_ns >= loaded_ns:
        return True
    state.forget_beats((ROLE,))
    return False
