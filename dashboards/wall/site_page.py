"""One office in full: what is known of its lines, its probe, the call on the line and the last rehearsal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from msgspec import Struct, structs

from analytics.quality.assumed import endpoints_of
from dashboards.wall.audio import Assumed, assumed, of_windows
from dashboards.wall.picture.gatherings import shade_at
from dashboards.wall.picture.model import Shade, Why
from dashboards.wall.picture.reasons import shown, shown_chance, shown_ratio, why
from dashboards.wall.picture.times import ms, recurrence_name
from dashboards.wall.site_calls import LastRehearsal, LiveCall, last_rehearsal, live_call
from telemetry.messages import ClockState, StampSource
from telemetry.store.protocol import Selection
from telemetry.windows import SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from analytics.quality.line import AudioQuality, Endpoints
    from config.config import Config
    from config.meetings import Occurrence
    from config.sites import Site
    from dashboards.wall.sources import DecisionReader
    from telemetry.decisions import Verdict
    from telemetry.state.clocks import WrongClock
    from telemetry.store.protocol import StoreReader
    from telemetry.store.tables import StreamTable

_FACTS_NS: Final = 240 * SECOND_NS
"""Facts are of the newest window within so long; before that the line is silent."""
_NOT_A_NUMBER: Final = float("nan")


class LineFacts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The newest window of one path."""

    path: str
    newest_ms: int
    rate_pps: float | None = None
    loss: float | None = None
    rtt_ms: float | None = None
    mos_up: float | None = None
    """Estimated MOS of what others hear of the office."""
    mos_down: float | None = None
    """Of what the office hears."""
    mos_up_at_most: bool = False
    """The true figure is no better: the line is worse than the model's ranges reach."""
    mos_down_at_most: bool = False
    stamps: tuple[str, ...] = ()
    """Source of T1 to T4."""
    stateful: bool = False
    clock: str = ""
    clock_error_ms: float | None = None
    late_sends: int = 0
    rx_drops: int = 0
    straddled: int = 0
    emulated: bool = False


class Upcoming(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of the office's meetings and the verdict for it, if there is one."""

    uid: str
    recurrence: str
    hi: str
    en: str
    starts_ms: int
    shade: Shade
    probability: float | None = None
    why: tuple[Why, ...] = ()
    action: str = ""
    best: str = ""


class OfficeClock(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A clock of the office that is wrong, or was until not long ago."""

    probe: str
    how: str
    """`slow`, `fast`; `was_slow`, `was_fast`: it is right again."""
    off: float
    """By how many seconds."""
    since: int
    """When the hub knew, ms."""
    until: int | None = None
    """When it was right again, ms."""


class SitePage(Struct, frozen=True, kw_only=True):
    """What the page says beside the charts."""

    contact: str
    phone: str
    paths: tuple[str, ...]
    lines: tuple[LineFacts, ...]
    assumed: Assumed
    """Of the estimated audio quality."""
    upcoming: tuple[Upcoming, ...]
    call: LiveCall | None
    """The call on the line now; null when the probe sees none."""
    rehearsal: LastRehearsal | None
    """The newest of the last four weeks."""
    clocks: tuple[OfficeClock, ...]
    """Those that are wrong, or were within a day; reports of a wrong one are dated by the hub's."""


def site_page(
    config: Config, reader: StoreReader, state: DecisionReader, site: Site, now_ns: int
) -> SitePage:
    """Facts about one office as of `now_ns`."""
    recent = reader.streams(
        Selection(now_ns - _FACTS_NS, now_ns + WINDOW_NS, sites=(site.id,)), histograms=False
    )
    endpoints = endpoints_of(config.settings.quality)
    paths = {f"main.{end}": None for end in config.headquarters} | dict.fromkeys(recent.paths)
    return SitePage(
        contact=site.contact_name,
        phone=site.contact_phone,
        paths=tuple(paths),
        lines=tuple(_lines(recent, endpoints)),
        assumed=assumed(endpoints),
        upcoming=tuple(_upcoming(config, state, site, now_ns)),
        call=live_call(reader, site.id, now_ns),
        rehearsal=last_rehearsal(reader, site.id, now_ns),
        clocks=tuple(_clock(one) for one in state.told_clocks(now_ns) if one.site == site.id),
    )


def _clock(wrong: WrongClock) -> OfficeClock:
    until = None if wrong.until_ns is None else ms(wrong.until_ns)
    return OfficeClock(
        probe=wrong.probe, how=wrong.how, off=wrong.off_s, since=ms(wrong.since_ns), until=until
    )


def _lines(table: StreamTable, endpoints: Endpoints) -> list[LineFacts]:
    """The last row of each path; rows come ordered by path and time."""
    paths = np.asarray(table.columns["path"], dtype=np.int64)
    if not len(paths):
        return []
    last = np.flatnonzero(np.append(np.diff(paths) != 0, True))
    quality = of_windows(table, endpoints)
    return [_line(table, int(row), quality) for row in last]


def _line(table: StreamTable, row: int, quality: AudioQuality) -> LineFacts:
    def number(name: str) -> float:
        return float(np.asarray(table.columns[name])[row])

    stamps = int(number("stamps"))
    sent = number("sent")
    return LineFacts(
        path=table.paths[int(number("path"))],
        newest_ms=ms(int(np.asarray(table.columns["start_ns"])[row]) + WINDOW_NS),
        rate_pps=shown(number("rate_pps"), 3),
        loss=shown_ratio(number("lost") / sent if sent else _NOT_A_NUMBER),
        rtt_ms=shown(number("rtt_p50_ms"), 3),
        mos_up=shown(float(quality.up.mos[row])),
        mos_down=shown(float(quality.down.mos[row])),
        mos_up_at_most=bool(quality.up.at_most[row]),
        mos_down_at_most=bool(quality.down.at_most[row]),
        stamps=tuple(StampSource(stamps >> shift & 0xF).name.lower() for shift in (0, 4, 8, 12)),
        stateful=bool(number("stateful")),
        clock=ClockState(int(number("clock_state"))).name.lower(),
        clock_error_ms=shown(number("clock_error_ms")),
        late_sends=int(number("late_sends")),
        rx_drops=int(number("rx_drops")),
        straddled=int(number("straddled")),
        emulated=bool(number("emulated")),
    )


def _upcoming(config: Config, state: DecisionReader, site: Site, now_ns: int) -> list[Upcoming]:
    """The meetings that the office is invited to; one that nothing is said of yet is no missing meeting."""
    horizon_ns = now_ns + int(config.settings.watch.forecast_days * 86_400) * SECOND_NS
    verdicts = {
        (verdict.meeting, verdict.occurrence_ns): verdict
        for verdict in state.verdicts(now_ns - 86_400 * SECOND_NS, horizon_ns)
        if verdict.site == site.id
    }
    return [
        _expected(occurrence, verdicts.get((occurrence.meeting.uid, occurrence.recurrence_ns)), site)
        for occurrence in sorted(
            config.calendar.occurrences(now_ns, horizon_ns), key=lambda one: (one.starts_ns, one.meeting.uid)
        )
        if site.id in occurrence.meeting.invited
    ]


def _expected(occurrence: Occurrence, verdict: Verdict | None, site: Site) -> Upcoming:
    meeting = occurrence.meeting
    said = Upcoming(
        uid=meeting.uid,
        recurrence=recurrence_name(occurrence.recurrence_ns),
        hi=meeting.name("hi"),
        en=meeting.name("en"),
        starts_ms=ms(occurrence.starts_ns),
        shade=shade_at(site, verdict),
    )
    if verdict is None:
        return said
    return structs.replace(
        said,
        probability=shown_chance(verdict.probability),
        why=tuple(why(reason) for reason in verdict.reasons),
        action=verdict.action.value,
        best=verdict.best_profile,
    )
