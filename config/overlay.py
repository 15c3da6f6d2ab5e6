"""The operator's tables laid over the defaults."""

from __future__ import annotations

from typing import Any


def overlay(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Tables merge key by key; any other value, lists of tables too, replaces what is below it whole."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(value, dict) and isinstance(under, dict):
            merged[key] = overlay(under, value)
        else:
            merged[key] = value
    return merged
