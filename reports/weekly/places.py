"""By region and by office: hours below the profile, causes, sound, data; and the hours of the day at which lines are weak."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.document import Cell, Heading, HeatMap, Table
from reports.figures import HOURS
from reports.trend import Held
from reports.weekly.cells import figures as figure_column
from reports.weekly.cells import hours, known, number, share, text, words

if TYPE_CHECKING:
    from reports.document import Block
    from reports.figures import OfficeWeek
    from reports.gather import WeekFigures
    from reports.weekly.voice import Voice


def by_region(voice: Voice, week: WeekFigures) -> list[Block]:
    """One row a region."""
    columns = (
        words(voice("region"), "region"),
        figure_column(voice("linked_short"), "linked"),
        figure_column(voice("planned_short"), "planned"),
        figure_column(voice("steady_short"), "steady"),
        figure_column(voice("hours"), "below_h"),
        figure_column(voice("data"), "measured_ratio"),
    )
    rows = tuple(
        (
            text(voice.region(region.region)),
            number(voice, region.linked),
            number(voice, region.planned),
            number(voice, region.steady),
            hours(voice, region.below_hours),
            share(voice, region.complete_share),
        )
        for region in week.regions
    )
    return [Heading(voice("by_region"), 2, "regions"), Table("regions", columns, rows)]


def by_office(voice: Voice, week: WeekFigures) -> list[Block]:
    """One row an office, worst first."""
    columns = (
        words(voice("office"), "office"),
        words(voice("region"), "region"),
        figure_column(voice("hours"), "below_h"),
        figure_column(voice("share"), "below_ratio"),
        figure_column(voice("troubles"), "troubles"),
        words(voice("cause"), "main_cause"),
        figure_column(voice("held_short"), "meetings_held"),
        figure_column(voice("failed_short"), "meetings_failed"),
        figure_column(voice("sound"), "sound_mos"),
        figure_column(voice("sound_low"), "sound_low_h"),
        figure_column(voice("data"), "measured_ratio"),
    )
    rows = tuple(_office(voice, week, office) for office in ranked(week))
    return [
        Heading(voice("by_office"), 2, "offices"),
        Table("offices", columns, rows),
    ]


def _office(voice: Voice, week: WeekFigures, office: OfficeWeek) -> tuple[Cell, ...]:
    held = week.held_by_office.get(office.site, Held())
    mos = office.sound.median_mos
    return (
        text(voice.site(office.site)),
        text(voice.region(office.region)),
        hours(voice, office.below_hours),
        share(voice, office.below_share),
        number(voice, office.troubles),
        text(voice.cause(office.main_cause)),
        number(voice, held.held),
        number(voice, held.failed),
        Cell(voice.mos(mos), known(mos, 3)),
        Cell(voice.hours(office.sound.low_hours), known(office.sound.low_hours, 3)),
        share(voice, office.complete_share),
    )


def worst_hours(voice: Voice, week: WeekFigures) -> list[Block]:
    """The heat map of the offices that were below at all, and the same as a table for machines."""
    troubled = [office for office in ranked(week) if office.below_hours > 0]
    if not troubled:
        return []
    hours_of_day = tuple(f"{hour:02d}" for hour in range(HOURS))
    return [
        Heading(voice("worst_hours"), 2, "hours"),
        HeatMap(
            name="hours",
            rows=tuple(voice.site(office.site) for office in troubled),
            columns=hours_of_day,
            shares=tuple(office.by_hour for office in troubled),
            caption=voice("heat_note"),
            legend=voice("worst_hours"),
        ),
    ]


def ranked(week: WeekFigures) -> list[OfficeWeek]:
    """Worst first."""
    return sorted(week.offices, key=lambda office: (-office.below_hours, office.site))


def hour_table(voice: Voice, week: WeekFigures) -> Table:
    """The heat map's figures, for its CSV."""
    columns = (
        words(voice("office"), "office"),
        *(figure_column(f"{hour:02d}", f"below_ratio_{hour:02d}") for hour in range(HOURS)),
    )
    rows = tuple(
        (text(voice.site(office.site)), *(share(voice, value) for value in office.by_hour))
        for office in ranked(week)
    )
    return Table("hours", columns, rows)
