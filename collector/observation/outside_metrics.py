"""Families about what is around the intake: broker, offices, other parts of the house, a server-side store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collector.observation.families import counter, counters, gauge, gauges
from telemetry.state.held_back import HELD_BACK
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client import Metric

    from collector.mqtt import Bridge
    from collector.observation.parts import Parts
    from telemetry.state.heartbeats import Beat

WATCHED_ROLES: Final = ("watch", "alerts")
"""Whose heartbeats are shown. Not those of collectors: each shows itself, and their names have no bound."""
SHIPPED: Final = {
    "points_written": "Points that the store's server has taken.",
    "batches": "Batches sent to the store's server.",
    "retries": "Batches that had to be sent again.",
    "rejected_points": "Points that the store's server refused for good.",
    "expired_points": "Points that were older than the server's retention when their turn came.",
    "oversized_values": "Values that were too long for the server and are not in it.",
}
JOURNAL: Final = {
    "journal_backlog_reports": "Reports that wait in the local journal for the store's server.",
    "journal_backlog_rollups": "Roll-ups that wait in the local journal for the store's server.",
    "unsettled_reports": "Reports that the server has taken and may not have on its disk yet: kept in the journal.",
    "journal_bytes": "Size of the local journal.",
    "journal_too_large": "1 while the journal is larger than it may be, else 0.",
    "server_available": "1 while the store's server takes points, else 0.",
}
_LOST: Final = "server_lost_"


def of_broker(bridge: Bridge) -> Iterator[Metric]:
    """The connection to the broker."""
    c = bridge.counters
    yield gauge(
        "tatpar_broker_connected", "1 while connected with every subscription standing, else 0.", c.connected
    )
    yield counter("tatpar_broker_connects", "Connections made.", c.connects)
    yield counter(
        "tatpar_broker_sessions_resumed",
        "Connections on which the broker had kept our session.",
        c.session_resumed,
    )
    yield counter(
        "tatpar_broker_stalls", "Connections cut because nothing came through them any more.", c.stalls
    )
    yield counter("tatpar_broker_pauses", "Times that reading was stopped for want of room.", c.pauses)
    yield counter(
        "tatpar_broker_paused_seconds",
        "Time for which reading was stopped, pauses that are over.",
        c.paused_s,
    )
    yield gauge("tatpar_broker_paused", "1 while reading is stopped, else 0.", bridge.paused)
    yield counter("tatpar_broker_publishes_held", "Publications that had to wait for room.", c.publishes_held)
    yield counter(
        "tatpar_broker_publishes_refused", "Publications that the broker refused.", c.publishes_refused
    )
    yield gauge(
        "tatpar_broker_echo_seconds",
        "Latest round trip of our own echo through the broker.",
        None if c.echo_ms is None else c.echo_ms / 1e3,
    )
    if c.broker_dropped is not None:
        yield counter(
            "tatpar_broker_dropped_messages",
            "Messages that the broker itself says it dropped ($SYS), since it started; probes send them again.",
            c.broker_dropped,
        )


def of_offices(parts: Parts) -> Iterator[Metric]:
    """Holes and silence, by site: the label is bounded by the list of linked sites."""
    holes, silence = parts.confirmer.holes, parts.attendance.silence
    yield gauge("tatpar_holes_open", "Reports that were made and have not arrived, all sites.", holes.open)
    yield gauges(
        "tatpar_site_holes_open", "Reports that were made and have not arrived.", "site", holes.by_site()
    )
    counts = holes.counts_by_site
    yield counters(
        "tatpar_site_holes_noticed",
        "Reports that were found missing.",
        "site",
        {site: count.noticed for site, count in counts.items()},
    )
    yield counters(
        "tatpar_site_holes_filled",
        "Missing reports that came after all.",
        "site",
        {site: count.filled for site, count in counts.items()},
    )
    yield gauge(
        "tatpar_collector_unconfirmed_probes",
        "Probes that wait to be told what is stored (each is told every 15 s at most).",
        parts.confirmer.pending,
    )
    linked = sum(1 for _ in parts.ground.live.current.registry.linked())
    yield gauge("tatpar_sites_linked", "Sites that should speak.", linked)
    yield gauge("tatpar_sites_silent", "Linked sites from which no live report comes.", len(silence.silent))
    yield gauges(
        "tatpar_site_silent",
        "1 for a linked site from which no live report comes; no series for one that speaks.",
        "site",
        {silent.site: 1.0 for silent in silence.silent},
    )
    yield gauges(
        "tatpar_site_last_report_timestamp_seconds",
        "Receipt of the last live report of a silent site; no series when it never spoke.",
        "site",
        {one.site: one.since_ns / SECOND_NS for one in silence.silent if one.since_ns is not None},
    )


def of_roles(beats: Mapping[str, Beat]) -> Iterator[Metric]:
    """Whether the rest of the house is at work."""
    yield gauges(
        "tatpar_heartbeat_timestamp_seconds",
        "Last sign of life of a part of the hub, by its own clock.",
        "role",
        {role: beats[role].at_ns / SECOND_NS for role in WATCHED_ROLES if role in beats},
    )


def of_outbox(beats: Mapping[str, Beat]) -> Iterator[Metric]:
    """How the messages to people stand, as the alerts last said; nothing where there are none."""
    detail = beats["alerts"].detail if "alerts" in beats else {}
    found = {state: detail.get(f"messages_{state}") for state in ("waiting", "overdue", "dead")}
    yield gauges(
        "tatpar_outbox_messages",
        "Messages to people that wait, that are past their time, that were given up.",
        "state",
        {state: float(value) for state, value in found.items() if isinstance(value, int | float)},
    )


def of_held_back(beats: Mapping[str, Beat]) -> Iterator[Metric]:
    """Whether people wait for an all-clear, as the alerts last said; nothing where there are none."""
    count = beats["alerts"].detail.get(HELD_BACK) if "alerts" in beats else None
    if isinstance(count, int):
        yield gauge(
            "tatpar_all_clears_held_back",
            "Alerts whose all-clear waits for windows that the watch judges late; 0 while none does for long.",
            count,
        )


def of_shipping(shipping: Mapping[str, object]) -> Iterator[Metric]:
    """The way to a server-side store, as far as the store tells it; empty for a store that is a file."""
    values = {name: float(value) for name, value in shipping.items() if isinstance(value, int | float)}
    for name, text in SHIPPED.items():
        if name in values:
            yield counter(f"tatpar_store_{name}", text, values[name])
    for name, text in JOURNAL.items():
        if name in values:
            yield gauge(f"tatpar_store_{name}", text, values[name])
    if values.get("oldest_unshipped_ns"):
        yield gauge(
            "tatpar_store_oldest_unshipped_timestamp_seconds",
            "Receipt of the oldest report that waits in the journal; no series when none does.",
            values["oldest_unshipped_ns"] / SECOND_NS,
        )
    lost = {name.removeprefix(_LOST): value for name, value in values.items() if name.startswith(_LOST)}
    if lost:
        yield counters(
            "tatpar_store_server_lost",
            "What the server had taken and was sent again, by what showed that it may have lost it.",
            "reason",
            lost,
        )
