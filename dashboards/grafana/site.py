"""One office: its lines, window by window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana import frame, variables
from dashboards.grafana.panels import Places, dashed, lines

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders.dashboard import Dashboard

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
        .with_panel(lines(desk, places.take(12, 6), "site.run", "none", "longest_run"))
        .with_panel(lines(desk, places.take(12, 6), "site.present", "percentunit", "present").min(0).max(1))
        .with_panel(lines(desk, places.take(8, 7), "site.call_bitrate", "bps", "call_bitrate"))
        .with_panel(lines(desk, places.take(8, 7), "site.call_loss", "percentunit", "call_lost"))
        .with_panel(
            lines(desk, places.take(8, 7), "site.call", "none", "call_jitter", "call_frames", "call_freezes")
        )
        .with_panel(
            lines(desk, places.take(24, 6), "site.rehearsal", "none", "rehearsal_held", "rehearsal_rungs")
        )
    )
