"""Absence that was announced: planned works and holidays (`works.csv`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from config.works import Work


class Announced:
    """The works that are known now, by office."""

    def __init__(self, works: Iterable[Work], now_ns: int) -> None:
        self._by_site: dict[str, list[Work]] = {}
        for work in works:
            if work.announced_ns <= now_ns < work.until_ns:
                for site in work.sites:
                    self._by_site.setdefault(site, []).append(work)
        self._now_ns = now_ns

    def explains(self, site: str, end: str = "", span_ns: tuple[int, int] | None = None) -> bool:
        """Whether works run now, or within a meeting's span, on this office's lines (to one end, when one is named)."""
        return any(
            (not work.end or work.end == end) and (self._runs(work) or _overlaps(work, span_ns))
            for work in self._by_site.get(site, ())
        )

    def _runs(self, work: Work) -> bool:
        return work.from_ns <= self._now_ns < work.until_ns


def _overlaps(work: Work, span_ns: tuple[int, int] | None) -> bool:
    return span_ns is not None and work.from_ns < span_ns[1] and work.until_ns > span_ns[0]
