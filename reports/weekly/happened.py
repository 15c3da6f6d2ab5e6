"""What happened: meetings, faults that offices shared, the longest troubles, levels that moved, and who answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reports.document import Cell, Heading, Paragraph, Table, Tone
from reports.weekly.cells import figures as figure_column
from reports.weekly.cells import moment, number, share, span, text, words
from telemetry.windows import SECOND_NS
from telemetry.words import format as form
from telemetry.words import say

if TYPE_CHECKING:
    from analytics.changes.moved import Moved
    from reports.document import Block
    from reports.figures import MeetingWeek
    from reports.gather import WeekFigures
    from reports.weekly.voice import Voice
    from telemetry.decisions import Incident

LONGEST: Final = 25
"""Troubles that are printed; the CSV has all."""
MOST_MOVES: Final = 25
_NAMES: Final = 6
"""Offices of an incident that are named."""


def meetings(voice: Voice, week: WeekFigures) -> list[Block]:
    """One row an occurrence, and what is not settled or still ahead said as such."""
    found: list[Block] = [Heading(voice("meetings"), 2, "meetings")]
    if week.meetings:
        columns = (
            words(voice("meeting"), "meeting"),
            words(voice("when"), "starts"),
            figure_column(voice("held"), "held"),
            figure_column(voice("failed"), "failed"),
            figure_column(voice("open"), "open"),
        )
        found.append(Table("meetings", columns, tuple(_meeting(voice, one) for one in week.meetings)))
        if not all(one.final for one in week.meetings):
            found.append(Paragraph("* " + voice("not_final"), small=True))
    elif not week.waiting:
        found.append(Paragraph(voice("none_over" if week.ahead else "no_meetings")))
    if week.waiting:
        found.append(Paragraph(voice("waiting", n=week.waiting)))
    if week.ahead and (week.meetings or week.waiting):
        found.append(Paragraph(voice("ahead", n=week.ahead), small=True))
    return found


def _meeting(voice: Voice, one: MeetingWeek) -> tuple[Cell, ...]:
    return (
        text(voice.meeting(one.meeting, one.occurrence_ns) + ("" if one.final else "*")),
        moment(voice, one.occurrence_ns),
        number(voice, one.held),
        number(voice, one.failed, Tone.BAD if one.failed else Tone.PLAIN),
        number(voice, one.open),
    )


def shared(voice: Voice, week: WeekFigures) -> list[Block]:
    """Incidents: one row each, with its length."""
    columns = (
        words(voice("incident"), "cause"),
        words(voice("began"), "began"),
        figure_column(voice("lasted"), "lasted_s"),
        figure_column(voice("offices_hit"), "offices"),
        words(voice("offices"), "office_names"),
    )
    rows = tuple(_incident(voice, week, one) for one in week.incidents)
    table = Table("incidents", columns, rows, empty=voice("no_incident"))
    return [Heading(voice("shared"), 2, "incidents"), table]


def _incident(voice: Voice, week: WeekFigures, one: Incident) -> tuple[Cell, ...]:
    names = [voice.site(site) for site in one.sites if voice.knows(site)]
    shown = ", ".join(names[:_NAMES]) + (f" +{len(names) - _NAMES}" if len(names) > _NAMES else "")
    lasted = span(voice, max(0, (one.until_ns or week.until_ns) - one.since_ns) / SECOND_NS)
    return (
        text(voice.shared(one.factor) + ("" if one.until_ns is not None else f" ({voice('lasts')})")),
        moment(voice, one.since_ns),
        lasted,
        number(voice, len(one.sites)),
        text(shown),
    )


def troubles(voice: Voice, week: WeekFigures) -> list[Block]:
    """The longest troubles of single offices."""
    if not week.troubles:
        return []
    full = trouble_table(voice, week)
    table = Table("troubles", full.columns, full.rows[:LONGEST])
    found: list[Block] = [Heading(voice("incidents"), 2, "troubles"), table]
    if len(full.rows) > LONGEST:
        found.append(Paragraph(voice("more", n=len(full.rows) - LONGEST), small=True))
    return found


def trouble_table(voice: Voice, week: WeekFigures) -> Table:
    """All of them, longest first."""
    columns = (
        words(voice("office"), "office"),
        words(voice("line"), "measured_to"),
        words(voice("began"), "began"),
        figure_column(voice("lasted"), "lasted_s"),
        figure_column(voice("broken"), "below_s"),
        words(voice("cause"), "cause"),
    )
    rows = tuple(
        (
            text(voice.site(one.site)),
            text(voice.ends(one.paths)),
            moment(voice, one.start_ns),
            span(voice, one.duration_s),
            span(voice, one.broken_s),
            text(voice.cause(one.cause)),
        )
        for one in week.troubles
    )
    return Table("troubles", columns, rows)


def answers(voice: Voice, week: WeekFigures) -> list[Block]:
    """How quickly people took up what they were told."""
    columns = (
        words(voice("region"), "region"),
        figure_column(voice("told"), "alerts"),
        figure_column(voice("answered"), "acknowledged"),
        figure_column(voice("escalated"), "escalated"),
        figure_column(voice("answer_time"), "median_answer_s"),
        figure_column(voice("end_time"), "median_end_s"),
    )
    rows = tuple(
        (
            text(voice.region(one.region) if one.region else voice("shared_faults")),
            number(voice, one.told),
            number(voice, one.acknowledged),
            number(voice, one.escalated),
            span(voice, one.answer_s),
            span(voice, one.end_s),
        )
        for one in week.responses
    )
    table = Table("answers", columns, rows, empty=voice("nobody_told"))
    return [Heading(voice("answers"), 2, "answers"), table]


def moved_levels(voice: Voice, week: WeekFigures) -> list[Block]:
    """Lines whose level is another one since some time of this week."""
    full = moved_table(voice, week)
    table = Table("moves", full.columns, full.rows[:MOST_MOVES], empty=voice("nothing_moved"))
    found: list[Block] = [Heading(voice("moved"), 2, "moves"), table]
    if len(full.rows) > MOST_MOVES:
        found.append(Paragraph(voice("more_moves", n=len(full.rows) - MOST_MOVES), small=True))
    return found


def moved_table(voice: Voice, week: WeekFigures) -> Table:
    """All of them, by time."""
    columns = (
        words(voice("office"), "office"),
        words(voice("line"), "measured_to"),
        words(voice("figure"), "figure"),
        words(voice("since"), "since"),
        figure_column(voice("level_before"), "before"),
        figure_column(voice("level_after"), "after"),
    )
    return Table("moves", columns, tuple(_move(voice, move) for move in week.moves))


def _move(voice: Voice, move: Moved) -> tuple[Cell, ...]:
    return (
        text(voice.site(move.site)),
        text(voice.end(move.path)),
        text(say(voice.language, f"changes.{move.metric}")),
        moment(voice, move.when_ns),
        _level(voice, move, move.before),
        _level(voice, move, move.after),
    )


def _level(voice: Voice, move: Moved, value: float) -> Cell:
    if move.metric == "loss":
        return share(voice, value)
    return Cell(form.milliseconds(voice.language, value), round(value, 3))
