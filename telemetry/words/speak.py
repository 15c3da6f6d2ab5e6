"""Words with numbers in them. A placeholder is `{name}` for text or `{name:kind}` for what is to be formatted.

| kind | takes | shows |
|---|---|---|
| `count` | a whole number | `1,234` |
| `percent` | a ratio 0..1 | `4.1 %` |
| `chance` | a chance 0..1 | `89 %`, never rounded up to a better state |
| `ms` | milliseconds | `38 ms` |
| `rate` | bit/s | `3.2 Mbit/s` |
| `duration` | seconds | `38 min` |
| `clock`, `date`, `moment` | ns since the Unix epoch | `10:05`, the day, the day with its time |
| `dayclock` | ns since the Unix epoch | of today `10:05`, else the day before it |

A key with plural forms is chosen by its number `n`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from telemetry.decisions import Action, FactorKind, ReasonCode, State, down_now
from telemetry.windows import MINUTE_NS
from telemetry.words import format as form
from telemetry.words.catalogues import WordsError, knows, template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import tzinfo

    from telemetry.decisions import Factor, Incident, Reason, Verdict


class _Here(NamedTuple):
    """Where and when it is read; `now_ns` None: any day is today."""

    zone: tzinfo
    now_ns: int | None = None


PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)(?::([a-z]+))?\}")
_FORMATTERS: Final[dict[str, Callable[[str, float, _Here], str]]] = {
    "count": lambda language, value, _: form.count(language, value),
    "percent": lambda language, value, _: form.percent(language, value),
    "chance": lambda language, value, _: form.chance(language, value),
    "ms": lambda language, value, _: form.milliseconds(language, value),
    "rate": lambda language, value, _: form.rate(language, value),
    "duration": lambda language, value, _: form.duration(language, value),
    "clock": lambda _, value, here: form.clock(int(value), here.zone),
    "date": lambda language, value, here: form.date(language, int(value), here.zone),
    "moment": lambda language, value, here: form.moment(language, int(value), here.zone),
    "dayclock": lambda language, value, here: form.day_clock(language, int(value), here.zone, here.now_ns),
}
KINDS: Final = tuple(_FORMATTERS)
_KIND_OF_UNIT: Final = {"ratio": "percent", "ms": "ms", "bps": "rate", "s": "duration"}


class MissingNumberError(WordsError):
    """A placeholder was given no value, or one of the wrong type."""


def say(language: str, key: str, *, zone: tzinfo = form.DEFAULT_ZONE, **numbers: float | str) -> str:
    """The words of a key in `hi` or `en`, its placeholders filled; the number `now_ns`, where it is given, says which day is today.

    Raises UnknownLanguageError, UnknownWordError, MissingNumberError.
    """
    n = numbers.get("n", 2)
    one = not isinstance(n, str) and form.is_one(language, n)
    text = template(language, key, one=one)
    now_ns = numbers.get("now_ns")
    here = _Here(zone, None if now_ns is None else int(now_ns))

    def fill(match: re.Match[str]) -> str:
        name, kind = match.group(1), match.group(2)
        if name not in numbers:
            raise MissingNumberError(f"{key!r} needs {name!r}")
        return _formatted(language, kind, numbers[name], here)

    return PLACEHOLDER.sub(fill, text)


def _formatted(language: str, kind: str | None, value: float | str, here: _Here) -> str:
    if kind is None:
        return value if isinstance(value, str) else form.decimal(language, value)
    if isinstance(value, str):
        raise MissingNumberError(f"a {kind} is a number, not {value!r}")
    if kind not in _FORMATTERS:
        raise WordsError(f"no such kind of placeholder: {kind!r}")
    return _FORMATTERS[kind](language, value, here)


def measure(language: str, value: float, unit: str) -> str:
    """A value in one of the units of a `Reason` (`ratio`, `ms`, `bps`, `s`; otherwise a bare number)."""
    return _formatted(language, _KIND_OF_UNIT.get(unit), value, _Here(form.DEFAULT_ZONE))


def say_reason(
    language: str,
    reason: Reason,
    *,
    zone: tzinfo = form.DEFAULT_ZONE,
    now_ns: int | None = None,
    names: Mapping[str, str] | None = None,
) -> str:
    """A reason as a screen shows it: with its number when it has one, and since when, or from when to when; with the day where that is not today's; `names` are the headquarters' own, by id.

    The other two voices are plain keys: `brief.<code>` (two or three words, for a tile or a table) and
    `told.<code>` (a sentence for an in-charge who is no engineer).
    """
    code = reason.code.value
    if reason.factor is not None:
        text = say_counted(language, reason.factor, int(reason.value or 0), int(reason.limit or 0), names)
        return _since(language, text, reason, _Here(zone, now_ns))
    if reason.crosses_ns is not None and reason.per_minute is not None:
        return _rising(language, reason, _Here(zone, now_ns))
    if reason.code is ReasonCode.OUTAGE and reason.unseen and reason.until_ns is not None:
        today = {} if now_ns is None else {"now_ns": now_ns}
        return say(language, f"unseen.{code}", zone=zone, until=reason.until_ns, **today)
    if reason.code is ReasonCode.NO_DATA and reason.value is None and reason.since_ns is None:
        return say(language, "never.no_data")
    told_by_since = reason.unit == "s" and reason.since_ns is not None
    if told_by_since and reason.value is not None and reason.until_ns is not None:
        text = say(language, f"was.{code}", value=measure(language, reason.value, reason.unit))
    elif reason.among is not None and reason.value is not None:
        text = _share_of(language, reason, reason.among, names)
    elif reason.record is not None:
        failed, weeks = reason.record
        text = say(language, f"record.{code}", failed=failed, weeks=weeks)
    elif reason.value is None or told_by_since:
        text = say(language, f"brief.{code}")
    else:
        when = "was" if reason.is_of_others and reason.until_ns is not None else "reason"
        text = say(language, f"{when}.{code}", value=measure(language, reason.value, reason.unit))
    return _since(language, text, reason, _Here(zone, now_ns))


def _share_of(language: str, reason: Reason, among: Factor, names: Mapping[str, str] | None) -> str:
    """That so much of others' lines is broken now, or was not long ago, and whose they are."""
    name = among.name
    if among.kind is FactorKind.END and names is not None:
        name = names.get(name, name)
    key = f"{'among' if reason.until_ns is None else 'among_was'}.{among.kind.value}"
    return say(language, key, value=measure(language, reason.value or 0.0, reason.unit), name=name)


def _rising(language: str, reason: Reason, here: _Here) -> str:
    """The figure now, how fast it rises, and when it passes its limit; since when says nothing more."""
    value, limit, rate = (
        measure(language, each or 0.0, reason.unit)
        for each in (reason.value, reason.limit, reason.per_minute)
    )
    at = reason.crosses_ns or 0
    return say(
        language, f"crosses.{reason.code.value}", zone=here.zone, value=value, limit=limit, rate=rate, at=at
    )


def _since(language: str, text: str, reason: Reason, here: _Here) -> str:
    zone = here.zone
    today = {} if here.now_ns is None else {"now_ns": here.now_ns}
    if reason.unseen and reason.until_ns is not None:
        return say(language, "reason.until", zone=zone, reason=text, until=reason.until_ns, **today)
    if reason.since_ns is None:
        return text
    if reason.until_ns is not None:
        brief = reason.since_ns // MINUTE_NS == reason.until_ns // MINUTE_NS
        key = "reason.past_moment" if brief else "reason.past"
        times = {"since": reason.since_ns, "until": reason.until_ns} | today
        return say(language, key, zone=zone, reason=text, **times)
    key = "reason.since_or_before" if reason.unseen else "reason.since"
    return say(language, key, zone=zone, reason=text, since=reason.since_ns, **today)


def say_down(  # noqa: PLR0913 - as `say_reason`, and the chance
    language: str,
    reason: Reason,
    chance: float | None,
    *,
    zone: tzinfo = form.DEFAULT_ZONE,
    now_ns: int | None = None,
    names: Mapping[str, str] | None = None,
) -> str:
    """A line that is down now: first what is and since when, then the chance (0..1) that it is back and holds; `names` as in `say_reason`."""
    text = say_reason(language, reason, zone=zone, now_ns=now_ns, names=names)
    return text if chance is None else say(language, "down.chance", reason=text, chance=chance)


def is_dark(verdict: Verdict) -> bool:
    """Whether the verdict's word is `no contact`: not ready since nothing is heard of the office."""
    down = down_now(verdict.reasons)
    return down is not None and down.code is ReasonCode.DARK and verdict.state is State.NOT_READY


def say_not_ready(language: str, verdicts: Iterable[Verdict]) -> str:
    """How many offices are not ready, and with how many of them there is no contact: the wall counts those apart."""
    not_ready = [verdict for verdict in verdicts if verdict.state is State.NOT_READY]
    dark = sum(map(is_dark, not_ready))
    if not dark:
        return say(language, "table.not_ready", not_ready=len(not_ready))
    return say(language, "table.not_ready_dark", not_ready=len(not_ready), dark=dark)


def say_state(language: str, verdict: Verdict) -> str:
    """The word of a verdict; where the line is down now, that before what is expected."""
    down = down_now(verdict.reasons)
    if is_dark(verdict):
        return say(language, "state.dark")
    state = say(language, f"state.{verdict.state.value}")
    if down is None:
        return state
    return say(language, "down.state", down=say(language, f"brief.{down.code.value}"), state=state)


def say_action(language: str, verdict: Verdict) -> str:
    """The one thing to do, empty for nothing. The fault of a whole region is no single provider's: the advice of its mail."""
    if verdict.action is Action.NONE:
        return ""
    shared = (reason.factor for reason in verdict.reasons if reason.factor and reason.until_ns is None)
    if verdict.action is Action.CALL_PROVIDER and any(one.kind is FactorKind.REGION for one in shared):
        return say(language, "alerts.act_shared.region")
    return say(language, f"action.{verdict.action.value}")


def say_cause(language: str, factor: Factor, names: Mapping[str, str] | None = None) -> str:
    """What offices have in common; `names` are the headquarters' own, by id."""
    name = factor.name
    if factor.kind is FactorKind.REGION:
        name = say_region(language, name)
    elif factor.kind is FactorKind.END and names is not None:
        name = names.get(name, name)
    return say(language, f"shared.{factor.kind.value}", name=name, region=say_region(language, factor.region))


def say_counted(
    language: str, factor: Factor, suffer: int, members: int, names: Mapping[str, str] | None = None
) -> str:
    """A cause with how many of its offices suffer."""
    cause = say_cause(language, factor, names)
    return say(language, "shared.counted", cause=cause, suffer=suffer, members=members)


def say_incident(
    language: str,
    incident: Incident,
    names: Mapping[str, str] | None = None,
    *,
    zone: tzinfo = form.DEFAULT_ZONE,
) -> str:
    """An incident in one line: the cause, its evidence, since when, or from when to when."""
    seen = incident.evidence
    what = say_counted(language, incident.factor, seen.suffer, seen.members, names)
    if incident.until_ns is None and len(incident.sites) < seen.suffer:  # it ends: its strongest is not now
        what = _ending(language, incident, names)
    numbers = {"others": seen.others, "others_suffer": seen.others_suffer, "since": incident.since_ns}
    if incident.until_ns is None:
        return say(language, "shared.lasts", zone=zone, what=what, **numbers)
    return say(language, "shared.over", zone=zone, what=what, until=incident.until_ns, **numbers)


def _ending(language: str, incident: Incident, names: Mapping[str, str] | None) -> str:
    seen, cause = incident.evidence, say_cause(language, incident.factor, names)
    key = "shared.easing" if incident.sites else "shared.ending"
    return say(language, key, cause=cause, now=len(incident.sites), suffer=seen.suffer, members=seen.members)


def say_told(language: str, reason: Reason) -> str:
    """A reason as an in-charge reads it who is no engineer."""
    if reason.factor is None:
        when = "told_was" if reason.is_of_others and reason.until_ns is not None else "told"
        return say(language, f"{when}.{reason.told_as.value}")
    if reason.factor.is_headquarters:
        return say(language, "shared.told_headquarters")
    if reason.factor.kind is FactorKind.AT_ONCE:
        return say(language, "shared.told_at_once")
    regional = reason.factor.kind is FactorKind.REGION
    return say(language, "shared.told_region" if regional else "shared.told_provider")


def say_region(language: str, region: str) -> str:
    """A region's name; the operator's own word when the catalogue has none."""
    key = f"region.{region}"
    return say(language, key) if knows(language, key) else region


def placeholders(text: str) -> Mapping[str, str]:
    """Names and kinds of the placeholders of a text (kind empty for plain text)."""
    return {name: kind or "" for name, kind in PLACEHOLDER.findall(text)}
