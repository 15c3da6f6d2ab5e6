"""Numbers, durations and times as people read them: as CLDR has them, Latin digits, a true minus sign.

Numbers carry at most two significant digits (the wall's rule). Units are joined by a no-break space.
Dates are Babel's, which only the hub's install brings; all else is said with Python alone, and so at an office too.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, tzinfo
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from telemetry.decisions import within_state
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping

NBSP: Final = "\u00a0"
MINUS: Final = "\u2212"
DEFAULT_ZONE: Final[tzinfo] = ZoneInfo("Asia/Kolkata")

_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_DAY_S: Final = 86_400
_LEAST_PERCENT: Final = 0.01
"""Fewer than one in ten thousand cannot be told apart by what an office sends in a day."""
_DATE: Final = {"hi": "d MMMM, EEEE", "en": "EEEE d MMMM"}
_SHORT_DATE: Final = {"hi": "d MMMM", "en": "d MMM"}
_AT: Final = {"hi": "{date}, {clock} बजे", "en": "{date}, {clock}"}
_GROUPS: Final = {
    "hi": re.compile(r"(?<=\d)(?=(?:\d\d)*\d{3}$)"),
    "en": re.compile(r"(?<=\d)(?=(?:\d{3})+$)"),
}
"""Where a comma stands: `12,34,567` (`#,##,##0`) and `1,234,567` (`#,##0`)."""
_SMALLEST: Final = Decimal("0.000001")
_EXACT: Final = Context(prec=400)
"""Enough for any float."""
_UNITS: Final = {
    "hi": {
        "s": ("सेकंड", "सेकंड"),
        "min": ("मिनट", "मिनट"),
        "h": ("घंटा", "घंटे"),
        "d": ("दिन", "दिन"),
        "kbit": ("kbps", "kbps"),
        "mbit": ("Mbps", "Mbps"),
    },
    "en": {
        "s": ("s", "s"),
        "min": ("min", "min"),
        "h": ("h", "h"),
        "d": ("day", "days"),
        "kbit": ("kbit/s", "kbit/s"),
        "mbit": ("Mbit/s", "Mbit/s"),
    },
}


def units(language: str) -> dict[str, tuple[str, str]]:
    """Words of the units by name, each for one and for many (the browser forms the same texts from them)."""
    return dict(_UNITS[language])


def is_one(language: str, number: float) -> bool:
    """Whether CLDR's plural rule of the language says `one` (in Hindi also for 0 and fractions below 1)."""
    size = abs(number)
    return size == 1 or (language == "hi" and size < 1)


def significant(number: float, digits: int = 2) -> float:
    """`number` rounded half away from zero to so many significant digits."""
    if number == 0 or not math.isfinite(number):
        return number
    scale = 10.0 ** (digits - 1 - math.floor(math.log10(abs(number))))
    return math.copysign(math.floor(abs(number) * scale + 0.5 + 1e-9) / scale, number)


def decimal(language: str, number: float) -> str:
    """A number as the locale groups and points it, as many decimals as it has (at most six)."""
    value = Decimal(str(number))
    sign = MINUS if value.is_signed() else ""
    if not value.is_finite():
        return f"{sign}∞" if value.is_infinite() else "NaN"
    whole, _, fraction = f"{abs(value).quantize(_SMALLEST, context=_EXACT):f}".partition(".")
    fraction = fraction.rstrip("0")
    return sign + _GROUPS[language].sub(",", whole) + (f".{fraction}" if fraction else "")


def count(language: str, number: float) -> str:
    """A whole number."""
    return decimal(language, float(round(number)))


def ratio_shown(ratio: float) -> float:
    """A ratio (0..1) at the precision of every screen, mail and report: two significant digits of the percentage.

    The one rule of rounding a share or a chance: only the whole is 1, whatever is less is 0.99 at most.
    """
    rounded = significant(100.0 * ratio)
    return 0.99 if ratio < 1.0 <= rounded / 100.0 else rounded / 100.0


def chance_shown(chance: float) -> float:
    """A chance (0..1) as `ratio_shown` rounds it, but never up to where a better state begins: 89.6 % at risk is told as 89 %."""
    return within_state(chance, ratio_shown(chance), 2)


def chance(language: str, value: float) -> str:
    """A chance (0..1) in per cent, as `chance_shown` rounds it."""
    return percent(language, chance_shown(value))


def percent(language: str, ratio: float) -> str:
    """A ratio (0..1) in per cent, as `ratio_shown` rounds it; only nothing is 0 %, what is next to nothing `< 0.01 %`."""
    rounded = significant(100.0 * ratio_shown(ratio))
    if 0.0 < rounded < _LEAST_PERCENT:
        return f"<{NBSP}{decimal(language, _LEAST_PERCENT)}{NBSP}%"
    return f"{decimal(language, rounded)}{NBSP}%"


def exact_percent(language: str, ratio: float) -> str:
    """A ratio (0..1) in per cent, cut (not rounded) to a hundredth of one: what is not whole never reads as whole, and only nothing as 0 %."""
    if 0.0 < 100.0 * ratio < _LEAST_PERCENT:
        return f"<{NBSP}{decimal(language, _LEAST_PERCENT)}{NBSP}%"
    return f"{decimal(language, math.floor(ratio * 10_000 + 1e-9) / 100)}{NBSP}%"


def of_hundred(ratio: float) -> int:
    """How many of a hundred, for people who do not read per cent: 0 and 100 are kept for none and all of them."""
    if ratio <= 0.0 or ratio >= 1.0:
        return 0 if ratio <= 0.0 else 100
    return min(99, max(1, math.floor(100.0 * ratio + 0.5)))


def milliseconds(language: str, duration_ms: float) -> str:
    """A duration in ms."""
    return f"{decimal(language, significant(duration_ms))}{NBSP}ms"


def rate(language: str, bps: float) -> str:
    """A bitrate in kbit/s, from 1 Mbit/s on in Mbit/s."""
    mega = significant(bps / 1e3) >= 1000
    return _with_unit(language, significant(bps / (1e6 if mega else 1e3)), "mbit" if mega else "kbit")


def duration(language: str, seconds: float) -> str:
    """A span in the coarsest two units that matter: `42 s`, `38 min`, `2 h 10 min`, `1 day 23 h`, `3 days`.

    From an hour on it is always hours, from a day on always days, so that spans in one column can be compared.
    """
    whole = max(0, round(seconds))
    if whole < _MINUTE_S:
        return _with_unit(language, whole, "s")
    if whole < _HOUR_S:
        return _with_unit(language, whole // _MINUTE_S, "min")
    size, unit, rest_size, rest_unit = (
        (_HOUR_S, "h", _MINUTE_S, "min") if whole < _DAY_S else (_DAY_S, "d", _HOUR_S, "h")
    )
    text, rest = _with_unit(language, whole // size, unit), whole % size // rest_size
    return f"{text} {_with_unit(language, rest, rest_unit)}" if rest else text


def _with_unit(language: str, number: float, unit: str) -> str:
    one, many = _UNITS[language][unit]
    return f"{decimal(language, number)}{NBSP}{one if is_one(language, number) else many}"


def local(time_ns: int, zone: tzinfo) -> datetime:
    """The moment in the deployment's zone."""
    return datetime.fromtimestamp(time_ns // SECOND_NS, tz=UTC).astimezone(zone)


def clock(time_ns: int, zone: tzinfo) -> str:
    """Time of day, `10:05`."""
    return local(time_ns, zone).strftime("%H:%M")


def date(language: str, time_ns: int, zone: tzinfo) -> str:
    """The day, `24 नवंबर, मंगलवार` or `Tuesday 24 November`."""
    return _day(language, time_ns, zone, _DATE)


def moment(language: str, time_ns: int, zone: tzinfo) -> str:
    """Day and time, `24 नवंबर, मंगलवार, 11:00 बजे`."""
    return _AT[language].format(date=date(language, time_ns, zone), clock=clock(time_ns, zone))


def short_moment(language: str, time_ns: int, zone: tzinfo) -> str:
    """Day and time where room is scarce, `24 नवंबर 11:00` or `24 Nov 11:00`."""
    return f"{_day(language, time_ns, zone, _SHORT_DATE)} {clock(time_ns, zone)}"


def day_clock(language: str, time_ns: int, zone: tzinfo, now_ns: int | None) -> str:
    """A time not long ago: of today the clock alone, `17:22`; else with its day, `23 नवंबर 17:22`. The clock where nobody says what day it is."""
    if now_ns is None or local(time_ns, zone).date() == local(now_ns, zone).date():
        return clock(time_ns, zone)
    return short_moment(language, time_ns, zone)


def _day(language: str, time_ns: int, zone: tzinfo, patterns: Mapping[str, str]) -> str:
    from babel.dates import format_date  # noqa: PLC0415 - of the hub's install

    return format_date(local(time_ns, zone).date(), patterns[language], locale=language)
