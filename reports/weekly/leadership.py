"""The first page: how ready the offices were, who needs help and with what, and how far the roll-out is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from reports.document import Card, Cards, Heading, Paragraph, RollOut, Tile, Tiles, Tone, Trend
from reports.trend import Held
from telemetry.decisions import Action, ReasonCode
from telemetry.words import format as form

if TYPE_CHECKING:
    from reports.document import Block
    from reports.figures import OfficeWeek
    from reports.gather import WeekFigures
    from reports.weekly.voice import Voice

NEED_HELP: Final = 5
GOOD_SHARE: Final = 0.95
FAIR_SHARE: Final = 0.85
LEAST_MEASURED: Final = 0.5
"""Of the week; an office of which less is known needs somebody to look at it, whatever the rest says."""
_PEAK: Final = 0.1
"""A share of an hour of the day below the profile that is worth naming the hour."""
_HOUR_SPAN: Final = 3


def leadership(voice: Voice, figures: WeekFigures) -> list[Block]:
    """Tiles, the offices that need help, the trend and the roll-out."""
    found: list[Block] = [Tiles(_tiles(voice, figures)), *_not_settled(voice, figures)]
    found.append(Heading(voice("need_help"), 3))
    cards = tuple(_card(voice, figures, office) for office in need_help(figures))
    found.append(Cards(cards) if cards else Paragraph(voice("all_well")))
    if any(not math.isnan(week.held.share) for week in figures.trend):
        found.append(_trend(voice, figures))
    if figures.roll_out is not None and figures.roll_out.is_known:
        found.append(_roll_out(voice, figures))
    return found


def need_help(figures: WeekFigures) -> list[OfficeWeek]:
    """At most five: most meetings missed first, then most hours below the profile, then least measured."""
    held = figures.held_by_office
    troubled = [
        office
        for office in figures.offices
        if held.get(office.site, Held()).failed
        or office.below_hours >= 1
        or not office.complete_share >= LEAST_MEASURED
    ]
    troubled.sort(
        key=lambda o: (
            -held.get(o.site, Held()).failed,
            -o.below_hours,
            math.isnan(o.complete_share) or o.complete_share,
            o.site,
        )
    )
    return troubled[:NEED_HELP]


def _tiles(voice: Voice, figures: WeekFigures) -> tuple[Tile, ...]:
    steady = sum(office.below_hours < 1 and office.complete_share > 0 for office in figures.offices)
    return (
        _held_tile(voice, figures),
        Tile(
            voice("steady"),
            voice("of", n=steady, all=figures.linked),
            tone=_tone(steady / figures.linked if figures.linked else math.nan),
        ),
        Tile(
            voice("hours_below"),
            voice.hours(figures.below_hours),
            voice("before", hours=voice.hours(figures.before_below_hours)),
        ),
        linked_tile(voice, figures),
    )


def linked_tile(voice: Voice, figures: WeekFigures) -> Tile:
    """How far the roll-out is, also where nothing is measured yet."""
    shown = voice("of", n=figures.linked, all=figures.total)
    return Tile(voice("linked"), shown, _pace(voice, figures) if figures.linked else "")


def _held_tile(voice: Voice, figures: WeekFigures) -> Tile:
    now = figures.trend[-1].held if figures.trend else Held()
    before = figures.trend[-2].held if len(figures.trend) > 1 else Held()
    decided, over = sum(one.decided for one in figures.meetings), len(figures.meetings) + figures.waiting
    return Tile(
        voice("held_share", n=decided) if decided == over else voice("held_share_of", n=decided, of=over),
        voice.percent(now.share),
        voice("before_share", share=voice.percent(before.share)),
        Tone.MISSING if math.isnan(now.share) else _tone(now.share),
    )


def _not_settled(voice: Voice, figures: WeekFigures) -> list[Block]:
    """How many meetings that are over the first tile says nothing about, and why."""
    undecided = [one for one in figures.meetings if not one.decided]
    excused = sum(one.final and one.excused == one.open for one in undecided)
    may_come = sum(not one.final for one in undecided)
    whys = {
        "may_come": may_come,
        "too_little": len(undecided) - may_come - excused,
        "excused": excused,
        "waiting": figures.waiting,
    }
    said = [voice(f"unsettled_{why}", n=n) for why, n in whys.items() if n]
    if not said:
        return []
    over = len(figures.meetings) + figures.waiting
    return [Paragraph(voice("unsettled", n=sum(whys.values()), of=over, why="; ".join(said)))]


def _tone(share: float) -> Tone:
    if math.isnan(share):
        return Tone.MISSING
    if share >= GOOD_SHARE:
        return Tone.GOOD
    return Tone.WATCH if share >= FAIR_SHARE else Tone.BAD


def _pace(voice: Voice, figures: WeekFigures) -> str:
    rolled = figures.roll_out
    if figures.linked == figures.total:
        return voice("all_linked")
    if rolled is None or not rolled.is_known:
        return voice("pace_unknown")
    if rolled.done_ns is None:
        return voice("no_pace")
    return voice("done_at", day=rolled.done_ns)


def _card(voice: Voice, figures: WeekFigures, office: OfficeWeek) -> Card:
    held = figures.held_by_office.get(office.site, Held())
    beside = [voice.region(office.region)]
    if held.held + held.failed:
        beside.append(voice("card_meetings", held=held.held, of=held.held + held.failed))
    if office.below_hours > 0:
        beside.append(voice("card_below", hours=voice.hours(office.below_hours)))
    if not office.complete_share >= LEAST_MEASURED:
        beside.append(voice("card_measured", share=voice.percent(office.complete_share)))
    return Card(voice.site(office.site), " · ".join(beside), (_why(voice, office),), Tone.BAD)


def _why(voice: Voice, office: OfficeWeek) -> str:
    """Cause, when it is at its worst, and the one thing to do."""
    if office.main_cause is None:
        return voice("card_unknown", action=voice.action(Action.CHECK_POWER.value))
    cause = voice.cause(office.main_cause)
    action = voice.action(action_for(office.main_cause).value)
    hour = worst_hour(office)
    if hour is None:
        return voice("card_why", cause=cause, action=action)
    span = {"first": f"{hour:02d}:00", "last": f"{(hour + _HOUR_SPAN) % 24:02d}:00"}
    then = cause_of_hours(office, hour)
    if then is None or then is office.main_cause:
        return voice("card_why_hours", cause=cause, action=action, **span)
    other = voice.cause(then)
    return voice("card_why_other_hours", cause=cause, other=other, action=action, **span)


def cause_of_hours(office: OfficeWeek, first: int) -> ReasonCode | None:
    """What most of the broken windows of the three hours from `first` on were of; None where no trouble was."""
    sums = {
        cause: sum(hours[(first + i) % len(hours)] for i in range(_HOUR_SPAN))
        for cause, hours in office.hours_of.items()
    }
    return max(sums, key=lambda cause: sums[cause], default=None) if any(sums.values()) else None


def action_for(cause: ReasonCode) -> Action:
    """What helps against a trouble that came back all week: a restart does not, the provider must act."""
    return Action.CHECK_POWER if cause in {ReasonCode.DARK, ReasonCode.NO_DATA} else Action.CALL_PROVIDER


def worst_hour(office: OfficeWeek) -> int | None:
    """Where the worst three hours of the day begin, when they stand out from the rest; None when they do not."""
    shares = [0.0 if math.isnan(share) else share for share in office.by_hour]
    sums = [sum(shares[(hour + i) % 24] for i in range(_HOUR_SPAN)) for hour in range(24)]
    best = max(range(24), key=lambda hour: sums[hour])
    rest = (sum(shares) - sums[best]) / (24 - _HOUR_SPAN)
    mean = sums[best] / _HOUR_SPAN
    return best if mean >= _PEAK and mean >= 3 * rest else None


def _trend(voice: Voice, figures: WeekFigures) -> Trend:
    return Trend(
        name="trend",
        labels=tuple(f"W{week.week.number:02d}" for week in figures.trend),
        values=tuple(100.0 * week.held.share for week in figures.trend),
        unit=voice("trend_unit"),
        caption=voice("trend_caption"),
    )


def _roll_out(voice: Voice, figures: WeekFigures) -> RollOut:
    rolled = figures.roll_out
    assert rolled is not None  # asked before
    caption = voice("roll_out_caption") + " " + _pace(voice, figures)
    if rolled.unknown:
        caption += " " + voice("roll_out_unknown", n=rolled.unknown)
    return RollOut(
        name="roll-out",
        days=tuple(form.short_moment(voice.language, day, voice.zone)[:-6] for day in rolled.day_ns),
        linked=rolled.linked,
        total=rolled.total,
        caption=caption,
    )
