"""Every packet that was measured counts, however coarse its time is written; a row that is written again counts once, and is told."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from telemetry.windows import DAY_NS, SECOND_NS, SLOT_NS, slot_start

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Desk

START_S = slot_start(time.time_ns() - DAY_NS) // SLOT_NS * SLOT_NS // SECOND_NS
WHERE = '[site]\nis = "agra"\n[path]\nis = "main.state"\n'
ROUND_TRIP = '[ping]\nrtt = { column = "rtt" }\n'
TO_THE_MINUTE = f'[time]\ncolumn = "t"\nformat = "%Y-%m-%d %H:%M"\n{WHERE}{ROUND_TRIP}'
IN_SECONDS = f'[time]\ncolumn = "t"\nformat = "unix_s"\n{WHERE}{ROUND_TRIP}'
LOST = ""


def minute_of(at_s: float) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M}"


def second_of(at_s: float) -> str:
    return str(int(at_s))


def rows_of(written: Callable[[float], str], every_s: float, rtts: list[str]) -> str:
    """Packets at a rhythm, their times as the tool writes them."""
    return "".join(f"{written(START_S + every_s * i)},{rtt}\n" for i, rtt in enumerate(rtts))


def imported(desk: Desk, mapping: str, *texts: str) -> tuple[dict[str, Any], int, int]:
    """What is said of the office, and how many packets of it the store has, and how many of them were lost."""
    files = [desk.writes(f"{number}.csv", f"t,rtt\n{text}") for number, text in enumerate(texts)]
    done = desk.imports(files, desk.writes("m.toml", mapping), "--json")
    assert done.exit_code == 0, done.output
    (site,) = json.loads(done.stdout)["sites"]
    columns = desk.rollups().columns
    return site, int(columns["sent"].sum()), int(columns["lost"].sum())


@pytest.mark.parametrize("rtts", [["40.0", "40.0", "40.0", LOST], ["41", LOST, "42", "43"]])
def test_of_four_pings_a_minute_whose_times_are_minutes_a_quarter_is_lost(
    desk: Desk, rtts: list[str]
) -> None:
    """As many as were sent, also of one value; given twice, or with a file that overlaps, no more."""
    text = rows_of(minute_of, 15, rtts * 60)
    assert imported(desk, TO_THE_MINUTE, text)[1:] == (240, 60)
    late = "".join(text.splitlines(keepends=True)[120:])
    site, sent, lost = imported(desk, TO_THE_MINUTE, text, text, late)
    assert (sent, lost) == (240, 60)
    assert (site["samples"], site["repeated"]) == (600, 360)


def test_a_rhythm_of_three_quarters_of_a_minute_loses_nothing_in_minutes(desk: Desk) -> None:
    """Only every third minute has two: different ones tell that the times are coarse, so two that were lost count as two."""
    rtts = [f"{40 + i % 9}" if i % 5 else LOST for i in range(79)] + [LOST]
    site, sent, lost = imported(desk, TO_THE_MINUTE, rows_of(minute_of, 45, rtts))
    assert (sent, lost, site["repeated"]) == (80, 17, 0)


def test_pings_five_times_a_second_whose_times_are_seconds_all_count(desk: Desk) -> None:
    """Whatever the unit of the times is."""
    rtts = [LOST if i % 5 == 4 else "40" for i in range(600)]
    assert imported(desk, IN_SECONDS, rows_of(second_of, 0.2, rtts))[1:] == (600, 120)


@pytest.mark.parametrize(("written", "mapping"), [(minute_of, TO_THE_MINUTE), (second_of, IN_SECONDS)])
def test_what_a_logger_appends_again_counts_once_and_is_told(
    desk: Desk, written: Callable[[float], str], mapping: str
) -> None:
    """A ping a minute; twenty rows of sixty stand there twice. In both languages."""
    text = rows_of(written, 60, [f"{40 + i % 9}" if i % 4 else LOST for i in range(60)])
    again = text + "".join(text.splitlines(keepends=True)[40:])
    site, sent, lost = imported(desk, mapping, again)
    assert (sent, lost, site["samples"], site["repeated"]) == (60, 15, 80, 20)
    for language, said in (
        ("en", "note: 20 rows say again what another says of the same moment; they count once"),
        ("hi", "ध्यान दें: 20 पंक्तियाँ उसी पल की दूसरी पंक्ति जैसी ही हैं; वे एक बार गिनी गईं"),
    ):
        done = desk.imports([desk.folder / "0.csv"], desk.folder / "m.toml", "--dry-run", "--lang", language)
        assert said in done.stdout.splitlines()


def test_a_row_of_several_packets_is_written_again_as_a_whole(desk: Desk) -> None:
    """Another row of the same moment stays whole, though some of its packets took as long."""
    mapping = (
        f'[time]\ncolumn = "t"\nformat = "unix_s"\n{WHERE}[ping]\nrtts = {{ columns = ["a", "b", "c"] }}\n'
    )
    rows = f"{START_S},30,31,32\n{START_S},30,31,\n" + "".join(
        2 * f"{START_S + 60 * minute},30,31,32\n" for minute in range(1, 4)
    )
    rows += "".join(f"{START_S + 60 * minute},30,31,32\n" for minute in range(4, 9))
    done = desk.imports([desk.writes("a.csv", "t,a,b,c\n" + rows)], desk.writes("m.toml", mapping), "--json")
    (site,) = json.loads(done.stdout)["sites"]
    columns = desk.rollups().columns
    assert (columns["sent"].sum(), columns["lost"].sum(), site["samples"]) == (30, 1, 39)
    assert site["repeated"] == 3, "rows, not their packets"


@pytest.mark.parametrize(("written", "mapping"), [(minute_of, TO_THE_MINUTE), (second_of, IN_SECONDS)])
def test_a_file_is_judged_as_a_whole_however_little_a_week_has_of_it(
    desk: Desk, written: Callable[[float], str], mapping: str
) -> None:
    """A ping a minute; of the ten of the newest week six are appended again: by that week alone most moments have two."""
    week_s = 7 * DAY_NS // SECOND_NS
    turn_s = START_S // week_s * week_s
    rtts = [f"{40 + i % 9}" if i % 4 else LOST for i in range(70)]
    rows = [f"{written(turn_s + 60 * (i - 60))},{rtt}\n" for i, rtt in enumerate(rtts)]
    site, sent, lost = imported(desk, mapping, "".join([*rows, *rows[-6:]]))
    assert (sent, lost, site["repeated"]) == (70, 18, 6)


HOUR = 60
LATER = {
    "times turn coarse": lambda minute: [f"{minute_of(START_S + 60 * minute)},{40 + i}" for i in range(4)],
    "all is written again": lambda minute: [f"{minute_of(START_S + 60 * minute)},40"] * 2,
}


@pytest.mark.parametrize("later", LATER.values(), ids=LATER)
def test_how_rows_count_does_not_hang_on_what_was_measured_after_them(
    desk: Desk, later: Callable[[int], list[str]]
) -> None:
    """Two hours of a ping a minute, of which every third stands there twice; then eight hours of something else: the two are as they were."""
    first = [
        row
        for minute in range(2 * HOUR)
        for row in [f"{minute_of(START_S + 60 * minute)},{LOST if minute % 4 == 0 else 40}"]
        * (1 + (minute % 3 == 0))
    ]
    then = [row for minute in range(2 * HOUR, 10 * HOUR) for row in later(minute)]
    _, *alone = imported(desk, TO_THE_MINUTE, "\n".join(first) + "\n")
    _, sent, _ = imported(desk, TO_THE_MINUTE, "\n".join([*first, *then]) + "\n")
    columns = desk.rollups().columns
    early = columns["slot_ns"] < (START_S + 60 * 2 * HOUR) * SECOND_NS
    assert [int(columns[name][early].sum()) for name in ("sent", "lost")] == alone == [2 * HOUR, HOUR // 2]
    assert sent > 8 * HOUR


def test_how_rows_count_does_not_hang_on_earlier_ones_that_came_later(desk: Desk) -> None:
    """An hour of a ping a minute, half of which stand there twice; four a minute of the hour before come a day later."""
    mapping = f'{TO_THE_MINUTE}[arrived]\ncolumn = "came"\nformat = "unix_s"\n'

    def row(minute: int, rtt: str, late_s: int) -> str:
        return f"{minute_of(START_S + 60 * minute)},{rtt},{START_S + 60 * minute + late_s}\n"

    rtts = [LOST if minute % 4 == 0 else "40" for minute in range(HOUR)]
    in_time = "".join(row(HOUR + minute, rtt, 1) * (1 + minute // 5 % 2) for minute, rtt in enumerate(rtts))
    late = "".join(row(minute, f"{50 + i}", 80_000) for minute in range(HOUR) for i in range(4))
    file = desk.writes("a.csv", "t,rtt,came\n" + late + in_time)
    done = desk.imports([file], desk.writes("m.toml", mapping), "--json")
    assert done.exit_code == 0, done.output
    (site,) = json.loads(done.stdout)["sites"]
    columns = desk.rollups().columns
    assert (columns["sent"].sum(), columns["lost"].sum(), site["repeated"]) == (
        5 * HOUR,
        HOUR // 4,
        HOUR // 2,
    )


def test_figures_of_one_moment_are_put_together(desk: Desk) -> None:
    """Four rows a minute, as two agents or a coarse clock leave them: sums of packets, whatever the rows say."""
    mapping = (
        f'[time]\ncolumn = "t"\nformat = "%Y-%m-%d %H:%M"\n{WHERE}[summary]\ncadence_s = 15\nsent = {{ is = 3 }}\n'
        'loss = { column = "loss", unit = "pct" }\nrtt_mean = { column = "rtt" }\n'
    )
    rows = "".join(
        f"{minute_of(START_S + 60 * minute)},{loss},40\n" for minute in range(10) for loss in (0, 0, 0, 100)
    )
    done = desk.imports([desk.writes("a.csv", "t,loss,rtt\n" + rows)], desk.writes("m.toml", mapping))
    assert done.exit_code == 0, done.output
    columns = desk.rollups().columns
    assert (columns["sent"].sum(), columns["lost"].sum()) == (120, 30)


def test_a_trace_decides_by_itself_what_is_written_again(desk: Desk, examples: Path) -> None:
    """Two that were lost in one minute stay two beside hours of one a minute; the same file twice is the trace once."""
    rows = [f"2016-11-{19 + i // 1440:02} {i // 60 % 24:02}:{i % 60:02};{20 + i % 5};0" for i in range(600)]
    rows[300:300] = [f"{rows[300][:16]};-1;0"] * 2
    trace = desk.writes("t.csv", "\n".join(["epoch;rtt;cp", *rows]) + "\n")
    for files in ([trace], [trace, trace]):
        done = desk.imports(files, examples / "trace.toml", "--site", "agra", "--json")
        assert done.exit_code == 0, done.output
        columns = desk.rollups().columns
        assert (columns["sent"].sum(), columns["lost"].sum()) == (602, 2)
    (site,) = json.loads(done.stdout)["sites"]
    assert site["repeated"] == 602


def test_packets_of_a_minute_stay_in_the_order_of_the_file(desk: Desk) -> None:
    """So the longest run of losses is the measured one."""
    text = rows_of(minute_of, 10, ["40", LOST, "41", LOST, LOST, "42"] * 10)
    imported(desk, TO_THE_MINUTE, text)
    np.testing.assert_array_equal(desk.rollups().columns["longest_loss_run"], [2, 2])
