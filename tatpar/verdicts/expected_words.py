"""What one time or the other promises, for people and as JSON."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from analytics.ground import Standing
from config.settings_file import timezone_of
from tatpar.terminal.columns import table
from tatpar.terminal.json_time import rfc3339
from tatpar.verdicts.expected import better, differing
from telemetry.words import say, say_not_ready, say_reason
from telemetry.words.format import chance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analytics.ground import Ground
    from config.config import Config
    from tatpar.verdicts.expected import Expected
    from telemetry.decisions import Reason, Verdict


def plain(found: Sequence[Expected], ground: Ground) -> dict[str, object]:
    """For JSON."""
    best = better(found)
    return {
        "as_of": rfc3339(ground.now_ns),
        "model": ground.foresight.name,
        "end": found[0].occurrence.meeting.end,
        "profile": found[0].occurrence.meeting.profile,
        "times": [
            {
                "starts": rfc3339(each.occurrence.starts_ns),
                "ends": rfc3339(each.occurrence.ends_ns),
                "offices": len(each.verdicts),
                "expected_to_hold": round(each.holding, 2),
                **{state.name.lower(): each.count(state) for state in reversed(Standing)},
            }
            for each in found
        ],
        "better": None if best is None else rfc3339(found[best].occurrence.starts_ns),
        "differs": [
            {
                "site": site,
                "states": [each.verdicts[site].state.value for each in found],
                "chances": [each.verdicts[site].probability for each in found],
            }
            for site in differing(found)
        ],
    }


def lines(config: Config, found: Sequence[Expected], language: str, now_ns: int | None = None) -> list[str]:
    """For people: a line a time, which is better, and the offices that differ; `now_ns` says which day is today."""
    zone = timezone_of(config.settings)
    when = [say(language, "table.when", zone=zone, at=each.occurrence.starts_ns) for each in found]
    out = [
        say(
            language, "table.time", zone=zone, when=text, until=each.occurrence.ends_ns,
            expected=f"{each.holding:.1f}", offices=len(each.verdicts), ready=each.count(Standing.READY),
            at_risk=each.count(Standing.AT_RISK), not_ready=say_not_ready(language, each.verdicts.values()),
            unknown=each.count(Standing.UNKNOWN),
        )
        for text, each in zip(when, found, strict=True)
    ]  # fmt: skip
    if len(found) < 2:
        return out
    best = better(found)
    shown = [round(each.holding, 1) for each in found]
    if best is None or shown[0] == shown[1]:
        out.append(say(language, "table.same"))
    else:
        more = shown[best] - shown[1 - best]  # of what is shown, or the reader's own subtraction says another
        out.append(say(language, "table.better", when=when[best], more=f"{more:.1f}"))
    sites = differing(found)
    if sites:
        head = [say(language, "table.office"), *when, say(language, "table.why")]
        ends = {id_: end.name(language) for id_, end in config.headquarters.items()}
        reason = partial(say_reason, language, zone=zone, now_ns=now_ns, names=ends)
        rows = [_row(config, found, site, language, reason) for site in sites]
        out += ["", say(language, "table.differs"), *table(head, rows)]
    return out


def _row(
    config: Config, found: Sequence[Expected], site: str, language: str, said: Callable[[Reason], str]
) -> list[str]:
    both = [each.verdicts[site] for each in found]
    worse = min(both, key=lambda verdict: verdict.expected or 0.0)
    chances = [_chance(verdict, language) for verdict in both]
    better = both[1] if worse is both[0] else both[0]
    why = _why(worse, better, language, said)
    return [config.registry.by_id[site].name(language), *chances, why]


def _chance(verdict: Verdict, language: str) -> str:
    """What the office adds to the number above; as its state where that is not the line's own chance."""
    if verdict.probability is None or verdict.expected != verdict.probability:
        return say(language, f"state.{verdict.state.value}")
    return chance(language, verdict.probability)


def _why(worse: Verdict, better: Verdict, language: str, said: Callable[[Reason], str]) -> str:
    """The first reason that holds at the worse time alone.

    Of those of both times: the first, with what has less time to end, or that the chance alone is lower. Only a ready office has none.
    """
    own = [reason for reason in worse.reasons if reason not in better.reasons]
    if own:
        return said(own[0])
    if not worse.reasons:
        return say(language, "table.less_sure")
    key = "table.less_time" if worse.starts_ns < better.starts_ns else "table.at_both"
    return say(language, key, why=said(worse.reasons[0]))
