"""Decisions as JSON for people and scripts: every `*_ns` becomes an RFC 3339 time in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(time_ns: int) -> str:
    """A time in UTC, to the millisecond when it is not whole seconds."""
    seconds, rest = divmod(time_ns, 10**9)
    text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest // 10**6:03d}Z" if rest >= 10**6 else f"{text}Z"


def readable(decision: object) -> object:
    """A decision as plain JSON types: `issued_ns: 1…` becomes `issued: "2026-…Z"`."""
    return _renamed(msgspec.to_builtins(decision))


def as_json(found: object) -> str:
    """Indented JSON, Hindi as it is."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode()


def _renamed(found: object) -> object:
    if isinstance(found, dict):
        return {
            (key.removesuffix("_ns") if _is_time(key, value) else key): (
                rfc3339(value) if _is_time(key, value) else _renamed(value)
            )
            for key, value in found.items()
        }
    if isinstance(found, list | tuple):
        return [_renamed(each) for each in found]
    return found


def _is_time(key: str, value: object) -> bool:
    return key.endswith("_ns") and isinstance(value, int)
