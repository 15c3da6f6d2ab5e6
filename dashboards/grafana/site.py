"""One office: its lines, window by window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana_foundation_sdk.builders.common import TableSortByFieldState
from grafana_foundation_sdk.models.common import LineInterpolation

from dashboards.grafana import frame, variables
from dashboards.grafana.meetings import in_words, to_meeting
from dashboards.grafana.panels import Places, dashed, lines, mapped, merged, names_of_meetings

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import table, timeseries
    from grafana_foundation_sdk.builders.dashboard import Dashboard
    from grafana_foundation_sdk.models.dashboard import GridPos

    from dashboards.grafana.panels import Desk


def dashboard(desk: Desk) -> Dashboard:
    """Round trip, loss by direction, jitter, delay variation, bitrate, what is missing, the live call, rehearsals."""
    places = Places()
    smoke = ("rtt_min", "rtt_p50", "rtt_p95", "rtt_p99", "rtt_max", "limit_rtt")
    rtt = lines(desk, places.take(24, 9), "site.rtt", "ms", *smoke)
    loss = lines(desk, places.take(12, 8), "site.loss", "percentunit", "lost_way", "lost_both", "limit_loss")
    jitter = lines(desk, places.take(12, 8), "site.jitter", "ms", "jitter", "jitter_max", "limit_jitter")
    board = frame.begun(desk, "site", "now-6h")
    for variable in (variables.site(desk), variables.path(desk), variables.profile(desk)):
        board = board.with_variable(variable)
    return (
        board.with_panel(dashed(desk, rtt, "limit_rtt"))
        .with_panel(dashed(desk, loss, "limit_loss"))
        .with_panel(dashed(desk, jitter, "limit_jitter"))
        .with_panel(lines(desk, places.take(12, 8), "site.pdv", "ms", "pdv_p999"))
        .with_panel(lines(desk, places.take(12, 8), "site.bitrate", "bps", "bitrate"))
        .with_panel(lines(desk, places.take(8, 6), "site.run", "none", "longest_run"))
        .with_panel(lines(desk, places.take(8, 6), "site.present", "percentunit", "present").min(0).max(1))
        .with_panel(_online(desk, places.take(8, 6)))
        .with_panel(_coming(desk, places.take(24, 6)))
        .with_panel(lines(desk, places.take(8, 7), "site.call_bitrate", "bps", "call_bitrate"))
        .with_panel(lines(desk, places.take(8, 7), "site.call_loss", "percentunit", "call_lost"))
        .with_panel(
            lines(desk, places.take(8, 7), "site.call", "none", "call_jitter", "call_frames", "call_freezes")
        )
        .with_panel(
            lines(desk, places.take(24, 6), "site.rehearsal", "none", "rehearsal_held", "rehearsal_rungs")
        )
    )


def _online(desk: Desk, place: GridPos) -> timeseries.Panel:
    """Whether a probe is on line: a point each five minutes, and a step stays where it is until the next."""
    panel = lines(desk, place, "site.online", "bool_on_off", "own_online").interval("5m").min(0).max(1)
    return panel.line_interpolation(LineInterpolation.STEP_AFTER)


def _coming(desk: Desk, place: GridPos) -> table.Panel:
    """What is expected of it at its coming meetings, the next first; each leads to its meeting."""
    units = {
        "own_starts": "dateTimeFromNow",
        "own_state": "none",
        "own_probability": "percentunit",
        "own_reason": "none",
    }
    panel = merged(desk, place, "site.coming", ("meeting", "day"), units)
    soonest = TableSortByFieldState().display_name(desk.say("series.own_starts")).desc(False)
    panel = panel.sort_by([soonest])
    words = in_words(desk)
    for name in ("state", "reason"):
        panel = panel.override_by_name(desk.say(f"series.own_{name}"), [words[name]])
    names = mapped({tag: (name, "") for tag, name in names_of_meetings(desk).items()})
    return panel.override_by_name(desk.say("column.meeting"), [names, to_meeting(desk)])
