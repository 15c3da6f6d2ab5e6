"""What is missing, in plain words for people and as JSON for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tatpar.gaps.missing import Gap, Kind, Missing
from tatpar.terminal.columns import table
from tatpar.terminal.json_time import rfc3339
from telemetry.windows import WINDOW_NS
from telemetry.words import format as form
from telemetry.words import say

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from config.config import Config
    from telemetry.store.completeness import Completeness

MOST_ROWS: Final = 200
"""Rows on a terminal; JSON has all."""
NOTHING: Final = "–"


def lines(
    config: Config, missing: Missing, language: str, zone: ZoneInfo, put_back: tuple[int, int] | None = None
) -> list[str]:
    """The summary, then one row a gap, worst first; `put_back`: from a backup to when it was put back."""
    summary = [_summary(missing, language, zone)]
    lost, dropped = missing.reports(Kind.LOST), missing.reports(Kind.DROPPED)
    if (lost, dropped) != (missing.fleet.lost, missing.fleet.dropped):
        summary.append(
            say(language, "gaps.reports", zone=zone, since=missing.since_ns, lost=lost, dropped=dropped)
        )
    if put_back is not None:
        summary.append(say(language, "gaps.put_back", zone=zone, since=put_back[0], at=put_back[1]))
    if not missing.gaps:
        return [*summary, say(language, "gaps.nothing")]
    head = [
        say(language, f"gaps.{name}") for name in ("office", "probe", "what", "from", "until", "how_long")
    ]
    rows = [_row(config, gap, language, zone) for gap in missing.gaps[:MOST_ROWS]]
    more = len(missing.gaps) - len(rows)
    return [
        *summary,
        "",
        *table(head, rows),
        *([say(language, "gaps.more", n=more)] if more else []),
    ]


def _summary(missing: Missing, language: str, zone: ZoneInfo) -> str:
    fleet = missing.fleet
    if not fleet.expected:
        return say(language, "gaps.unknown", zone=zone, since=missing.since_ns)
    return say(
        language,
        "gaps.summary",
        zone=zone,
        since=missing.since_ns,
        complete=form.exact_percent(language, fleet.ratio),
        expected=fleet.expected,
        lost=fleet.lost,
        dropped=fleet.dropped,
        never=fleet.never,
    )


def _row(config: Config, gap: Gap, language: str, zone: ZoneInfo) -> list[str]:
    site = config.registry.by_id.get(gap.site)

    def moment(time_ns: int | None) -> str:
        return NOTHING if time_ns is None else say(language, "gaps.moment", zone=zone, at=time_ns)

    lasts = gap.kind is Kind.SILENT and gap.until_ns is None
    return [
        site.name(language) if site else gap.site,
        gap.probe or NOTHING,
        _what(gap, language, zone),
        moment(gap.from_ns),
        say(language, "gaps.lasts") if lasts else moment(gap.until_ns),
        say(language, "gaps.duration", seconds=gap.windows * WINDOW_NS / 1e9),
    ]


def _what(gap: Gap, language: str, zone: ZoneInfo) -> str:
    if gap.kind in (Kind.SILENT, Kind.NEVER_SPOKE):
        return say(language, f"gaps.{gap.kind.value}")
    return say(
        language,
        f"gaps.{gap.kind.value}",
        zone=zone,
        n=gap.windows,
        numbers=f"{gap.first_seq}–{gap.last_seq}",
        noticed=gap.noticed_ns or 0,
        reason=_shown(gap.reason),
    )


def _shown(text: str) -> str:
    """A probe's own words on a terminal: what a terminal would obey is not handed to it."""
    return "".join(sign if sign.isprintable() else "·" for sign in text)


def as_json(missing: Missing, now_ns: int, put_back: tuple[int, int] | None = None) -> dict[str, object]:
    """The same for machines: times in RFC 3339 UTC, spans in seconds, nothing cut; what is not known is not there."""
    return {
        "as_of": rfc3339(now_ns),
        "since": rfc3339(missing.since_ns),
        "until": rfc3339(missing.until_ns),
        **({"put_back": {"from": rfc3339(put_back[0]), "at": rfc3339(put_back[1])}} if put_back else {}),
        **_completeness(missing.fleet),
        "sites": [{"site": site, **_completeness(found)} for site, found in missing.sites.items()],
        "gaps": [_gap(gap) for gap in missing.gaps],
    }


def _completeness(found: Completeness) -> dict[str, object]:
    return {
        **({"completeness_ratio": found.ratio} if found.expected else {}),
        "windows_expected": found.expected,
        "windows_stored": found.stored,
        "windows_lost": found.lost,
        "windows_dropped": found.dropped,
        "windows_never_measured": found.never,
    }


def _gap(gap: Gap) -> dict[str, object]:
    times = {"from": gap.from_ns, "until": gap.until_ns, "noticed": gap.noticed_ns}
    rest: dict[str, object] = {
        "probe": gap.probe,
        "epoch": gap.epoch,
        "first_seq": gap.first_seq,
        "last_seq": gap.last_seq,
        "reason": gap.reason,
    }
    return {
        "kind": gap.kind.value,
        "site": gap.site,
        **{name: value for name, value in rest.items() if value not in ("", None)},
        **{name: rfc3339(at_ns) for name, at_ns in times.items() if at_ns is not None},
        "lasts": gap.kind is Kind.NEVER_SPOKE or (gap.kind is Kind.SILENT and gap.until_ns is None),
        "windows": gap.windows,
        "duration_s": gap.windows * WINDOW_NS // 10**9,
    }
