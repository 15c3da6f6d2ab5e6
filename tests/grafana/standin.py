"""What Grafana does before it asks a database: macros and variables filled in; and the two databases asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import urllib3

if TYPE_CHECKING:
    from collections.abc import Mapping

MS_NS = 1_000_000
Series = dict[tuple[str, ...], dict[int, float]]
"""Values by the groups' tags (in alphabetical order of the tags), then by time in ms."""


def filled(query: str, from_ms: int, until_ms: int, step_ms: int, variables: Mapping[str, str]) -> str:
    """The query as Grafana sends it."""
    range_ms = until_ms - from_ms
    for name, value in {
        "$timeFilter": f"time >= {from_ms}ms AND time < {until_ms}ms",
        "$__interval_ms": str(step_ms),
        "$__range_ms": str(range_ms),
        "$__interval": f"{step_ms}ms",
        "$__range": f"{range_ms}ms",
        "${__to:date:seconds}": str(until_ms // 1000),
        "${__from}": str(from_ms),
        "${__to}": str(until_ms),
        **{f"${{{name}:raw}}": value for name, value in variables.items()},
    }.items():
        query = query.replace(name, value)
    assert "$" not in query.replace(")$/", ")/"), query
    return query


def influxql(url: str, bucket: str, query: str) -> Series:
    """What the engine answers."""
    answer = _json(f"{url}/query", {"db": bucket, "epoch": "ms", "q": query})
    (result,) = answer["results"]
    assert "error" not in result, result
    return {
        tuple(text for _, text in sorted(series.get("tags", {}).items())): {
            int(at): float(value) for at, value, *_ in series["values"] if value is not None
        }
        for series in result.get("series", [])
    }


def promql(url: str, query: str, from_ms: int, until_ms: int, step_ms: int | None) -> Series:
    """What the engine answers; without a step, at the end of the range only.

    The range begins a step later: a step's value covers what lies before it.
    """
    if step_ms is None:
        answer = _json(f"{url}/api/v1/query", {"query": query, "time": f"{until_ms / 1000:.3f}"})
        rows = [(row["metric"], [row["value"]]) for row in answer["data"]["result"]]
    else:
        fields = {
            "query": query,
            "start": f"{(from_ms + step_ms) / 1000:.3f}",
            "end": f"{until_ms / 1000:.3f}",
        }
        answer = _json(f"{url}/api/v1/query_range", {**fields, "step": f"{step_ms}ms"})
        rows = [(row["metric"], row["values"]) for row in answer["data"]["result"]]
    return {
        tuple(text for _, text in sorted(tags.items())): {
            round(at * 1000): float(value) for at, value in values
        }
        for tags, values in rows
    }


def _json(url: str, fields: dict[str, str]) -> Any:
    with urllib3.PoolManager() as pool:
        answer = pool.request("GET", url, fields=fields, retries=False, timeout=60)
        assert answer.status == 200, answer.data
        return answer.json()
