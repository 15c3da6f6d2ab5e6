"""In what a dashboard that is there differs from ours: its panels by their titles, and what lies beside them.

Grafana adds keys of its own when it saves (ids, versions, defaults); only what ours says is compared, so those count for nothing.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_OWN: Final = frozenset({"id", "uid", "version", "panels", "schemaVersion"})
"""Grafana's, or looked at otherwise."""


def differences(there: dict[str, Any], ours: dict[str, Any]) -> tuple[str, ...]:
    """What a push would change, a line each: `panel "Loss": changed`, `: new`, `: gone`, `title`, `templating`.

    Args:
        there: the dashboard's JSON as Grafana has it.
        ours: the one that would be pushed.
    """
    beside = sorted(name for name in ours.keys() - _OWN if not _holds(there.get(name), ours[name]))
    return (*beside, *_panels(there, ours))


def _panels(there: dict[str, Any], ours: dict[str, Any]) -> Iterator[str]:
    old, new = _by_title(there), _by_title(ours)
    for name, panels in new.items():
        for was, wanted in zip_longest(old.get(name, []), panels):
            if wanted is None:
                yield f"panel {name}: gone"
            elif was is None:
                yield f"panel {name}: new"
            elif not _holds(was, wanted):
                yield f"panel {name}: changed"
    for name in old.keys() - new.keys():
        yield from [f"panel {name}: gone"] * len(old[name])


def _by_title(body: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Panels in their order, those that lie folded in a row too; titles need not be unique, and a text has none."""
    found: dict[str, list[dict[str, Any]]] = {}
    for panel in _flat(body):
        title = " ".join(str(panel.get("title") or panel.get("type") or "?").split())
        found.setdefault(f'"{title[:80]}"', []).append(
            {name: value for name, value in panel.items() if name not in {"id", "panels"}}
        )
    return found


def _flat(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    panels = body.get("panels")
    for panel in panels if isinstance(panels, list) else []:
        if isinstance(panel, dict):
            yield panel
            yield from _flat(panel)


def _holds(there: object, ours: object) -> bool:
    """Whether everything that ours says is there."""
    if isinstance(ours, dict):
        if not isinstance(there, dict):
            return not ours and there is None
        return all(_holds(there.get(name), value) for name, value in ours.items())
    if isinstance(ours, list):
        if there is None:
            return not ours
        return isinstance(there, list) and len(there) == len(ours) and all(map(_holds, there, ours))
    return bool(there == ours)
