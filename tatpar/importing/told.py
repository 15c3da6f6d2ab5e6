"""How a running watch hears of an import: imports do not come through the store's tail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telemetry.state.db import StateDb

ROLE: Final = "import"
"""The last import stands among the heartbeats; nobody expects another."""


def tell(state: StateDb, now_ns: int, detail: Mapping[str, object]) -> None:
    """Say that history was imported.

    Raises:
        StateError: the state database cannot be written.
    """
    state.beat(ROLE, now_ns, detail)


def told_ns(state: StateDb) -> int:
    """When history was imported last; 0 for never."""
    beat = state.beats().get(ROLE)
    return 0 if beat is None else beat.at_ns
