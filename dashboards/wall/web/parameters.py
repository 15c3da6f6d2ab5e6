"""What may stand in a query, and the line that says what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dashboards.wall.web.answers import BadRequestError
from telemetry.windows import DAY_NS, MS_NS, WINDOW_NS

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

    from config.config import Config
    from config.sites import Site

LONGEST_NS: Final = 800 * DAY_NS
_LATEST_MS: Final = 2**53 // 1_000_000 * 1_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time, ns."""

    start_ns: int
    end_ns: int


def site_of(config: Config, site_id: str) -> Site:
    """The office of an address."""
    site = config.registry.by_id.get(site_id)
    if site is None:
        raise BadRequestError(f"no office has the id {site_id[:80]!r}; `tatpar sites` lists them", 404)
    return site


def span_of(query: QueryParams, longest_ns: int = LONGEST_NS) -> Span:
    """`from` and `to`, milliseconds since the Unix epoch, at most so far apart."""
    start, end = _ms(query, "from"), _ms(query, "to")
    if end - start < WINDOW_NS:
        raise BadRequestError("`to` must be at least 15000 ms after `from`")
    if end - start > longest_ns:
        most = f"{LONGEST_NS // DAY_NS} days" if longest_ns == LONGEST_NS else f"{longest_ns // MS_NS} ms"
        raise BadRequestError(f"`from` and `to` may be at most {most} apart")
    return Span(start, end)


def _ms(query: QueryParams, name: str) -> int:
    text = query.get(name)
    if text is None:
        raise BadRequestError(f"`{name}` is missing: write it in milliseconds since 1970-01-01 UTC")
    if not (text.isascii() and text.isdecimal() and len(text) < 17) or int(text) > _LATEST_MS:
        raise BadRequestError(
            f"`{name}` is {text[:40]!r}: write a whole number of milliseconds since 1970-01-01 UTC"
        )
    return int(text) * MS_NS


def path_of(query: QueryParams) -> str | None:
    """`path`, as `main.state`; None when the query names none."""
    path = query.get("path")
    if path is None or path == "":
        return None
    uplink, dot, end = path.partition(".")
    if len(path) > 96 or not (dot and uplink and end and path.isascii()):
        raise BadRequestError(f"`path` is {path[:40]!r}: write `<uplink>.<end>`, as main.state")
    return path
