"""What happened on an office's line over a span: the marks that its charts carry, and the list beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dashboards.wall.picture.times import meeting_key, ms
from telemetry.messages import Rehearsal
from telemetry.store.protocol import Selection
from telemetry.windows import WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.config import Config
    from dashboards.wall.sources import DecisionReader
    from telemetry.store.protocol import StoreReader

_MOST: Final = 300
"""Of each kind, the newest."""
SETTLED_NS: Final = 4 * WINDOW_NS
"""A silence is told once its newest window is so old: before that it may be on its way."""


class Mark(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happened over a span.

    `kind`: `meeting`, `flag`, `offline` (contact lost), `incident` (a fault shared with other offices), `gap` (no report is in
    the store), `dropped` (reports that the probe had to drop), `rehearsal`.
    """

    kind: str
    from_ms: int
    until_ms: int | None = None
    label: str = ""
    """Code of a flag's reason; kind of an incident's factor; why reports were dropped; why a rehearsal broke off."""
    hi: str = ""
    en: str = ""
    """Name of the meeting; of an incident's factor, as the operator wrote it."""
    region: str = ""
    """Of an incident's factor."""
    link: str = ""
    """Key of the meeting, id of the incident."""
    path: str = ""
    n: int | None = None
    """How many offices share an incident; how many reports were dropped; how many steps of a rehearsal both directions held."""


def marks(  # noqa: PLR0913, PLR0917 - whose, from where, which span, as of when
    config: Config,
    reader: StoreReader,
    state: DecisionReader,
    site: str,
    span: Selection,
    now_ns: int,
) -> list[Mark]:
    """Everything of a site within a span, at most 300 of each kind, each kind by its time."""
    found = (
        _meetings(config, site, span),
        _flags(state, site, span),
        _offline(state, site, span),
        _incidents(state, site, span),
        *_gaps(reader, site, span, now_ns),
        _rehearsals(reader, site, span),
    )
    return [mark for kind in found for mark in kind[-_MOST:]]


def _meetings(config: Config, site: str, span: Selection) -> list[Mark]:
    return [
        Mark(
            kind="meeting",
            from_ms=ms(occurrence.starts_ns),
            until_ms=ms(occurrence.ends_ns),
            hi=occurrence.meeting.name("hi"),
            en=occurrence.meeting.name("en"),
            link=meeting_key(occurrence.meeting.uid, occurrence.recurrence_ns),
        )
        for occurrence in config.calendar.occurrences(span.start_ns, span.end_ns)
        if site in occurrence.meeting.invited
    ]


def _flags(state: DecisionReader, site: str, span: Selection) -> list[Mark]:
    return [
        Mark(
            kind="flag",
            from_ms=ms(spell.flag.since_ns),
            until_ms=_end(spell.cleared_ns),
            label=spell.flag.reason.code.value,
            path=spell.flag.path,
        )
        for spell in state.flag_history(span.start_ns, span.end_ns)
        if spell.flag.site == site
    ]


def _offline(state: DecisionReader, site: str, span: Selection) -> list[Mark]:
    return [
        Mark(kind="offline", from_ms=ms(lost.from_ns), until_ms=_end(lost.until_ns))
        for lost in state.presence_spans(site, span.start_ns, span.end_ns)
    ]


def _incidents(state: DecisionReader, site: str, span: Selection) -> list[Mark]:
    return [
        Mark(
            kind="incident",
            from_ms=ms(each.since_ns),
            until_ms=_end(each.until_ns),
            label=each.factor.kind.value,
            hi=each.factor.name,
            en=each.factor.name,
            region=each.factor.region,
            link=each.id,
            n=len(each.sites),
        )
        for each in state.incidents(span.start_ns, span.end_ns)
        if site in each.sites
    ]


def _gaps(
    reader: StoreReader, site: str, span: Selection, now_ns: int
) -> tuple[Sequence[Mark], Sequence[Mark]]:
    """Time without any report up to what may still be on its way, and reports that the probe says it dropped."""
    end_ns = min(span.end_ns, now_ns - SETTLED_NS)
    if end_ns <= span.start_ns:
        return (), ()
    gaps = reader.gaps(Selection(span.start_ns, end_ns, sites=(site,)))
    silent = [
        Mark(kind="gap", from_ms=ms(each.from_ns), until_ms=ms(each.until_ns)) for each in gaps.silences
    ]
    dropped = [
        Mark(
            kind="dropped",
            from_ms=ms(hole.from_ns),
            until_ms=_end(hole.until_ns),
            label=hole.tombstone,
            n=hole.last_seq - hole.first_seq + 1,
        )
        for hole in gaps.holes
        if hole.tombstone and hole.from_ns is not None
    ]
    return silent, sorted(dropped, key=lambda mark: mark.from_ms)


def _rehearsals(reader: StoreReader, site: str, span: Selection) -> list[Mark]:
    """One mark for each rehearsal and path, from its first window to the end of its last."""
    found: dict[tuple[str, str], Mark] = {}
    for stored in reader.items("rehearsal", Selection(span.start_ns, span.end_ns, sites=(site,))):
        item = stored.item
        if not isinstance(item, Rehearsal):
            continue
        first = found.get((item.rehearsal_id, item.path))
        found[item.rehearsal_id, item.path] = Mark(
            kind="rehearsal",
            from_ms=ms(stored.start_ns) if first is None else first.from_ms,
            until_ms=ms(stored.start_ns + WINDOW_NS),
            label=item.aborted or "",
            link=item.rehearsal_id,
            path=item.path,
            n=min(sum(rung.held for rung in way) for way in (item.up, item.down)),
        )
    return list(found.values())


def _end(end_ns: int | None) -> int | None:
    return None if end_ns is None else ms(end_ns)
