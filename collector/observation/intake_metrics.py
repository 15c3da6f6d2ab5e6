"""Families about reports on their way in: messages, reports, refusals, commits, the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.observation.families import counter, counters, gauge, histogram
from collector.outcome import RefusalCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

    from collector.counters import Counters
    from collector.inbox import Inbox
    from collector.observation.lags import Lags


def of_counters(c: Counters) -> Iterator[Metric]:
    """What was done since the start."""
    yield counter("tatpar_collector_messages", "Messages taken from the broker and settled.", c.messages)
    yield counters(
        "tatpar_collector_reports",
        "Reports that were sound, by the topic they came on; those already stored count too.",
        "kind",
        {"live": c.reports_live, "backlog": c.reports_backlog},
    )
    yield counter("tatpar_collector_reports_stored", "Reports stored for the first time.", c.stored)
    yield counter(
        "tatpar_collector_reports_duplicate",
        "Reports that were stored already and came again (harmless; many say that confirmations do not arrive).",
        c.duplicates,
    )
    yield counter(
        "tatpar_collector_reports_redated",
        "Reports of a wrong clock, given their time by their age.",
        c.redated,
    )
    yield counter(
        "tatpar_collector_items_opaque",
        "Items of a newer probe, stored as they came and not understood yet.",
        c.opaque_items,
    )
    yield counter("tatpar_collector_presences", "Words of probes about themselves.", c.presences)
    yield counter("tatpar_collector_answers", "Answers of probes to commands.", c.answers)
    refused = dict.fromkeys((code.value for code in RefusalCode), 0.0) | dict(c.refused)
    yield counters(
        "tatpar_collector_refused",
        "Messages that were not taken, by reason; kept in the quarantine.",
        "reason",
        refused,
    )
    yield counter("tatpar_collector_commits", "Commits that went through.", c.commits)
    yield counter(
        "tatpar_collector_commit_failures",
        "Attempts to commit that failed; nothing was acknowledged, the batch was tried again.",
        c.commit_failures,
    )
    yield counter("tatpar_collector_confirmations", "Words to probes about what is stored.", c.confirmations)
    yield counter("tatpar_collector_plans", "Plans told to probes.", c.plans)
    yield counter(
        "tatpar_collector_plans_withheld",
        "Times that a probe was heard which gets no plan, because its site has 64 already (the log names site and probe).",
        c.plans_withheld,
    )
    yield counter(
        "tatpar_collector_state_failures", "Writes to the state database that failed.", c.state_failures
    )
    yield counter(
        "tatpar_collector_upkeep_failures", "Folding, rolling up or pruning that failed.", c.upkeep_failures
    )


def of_lags(lags: Lags) -> Iterator[Metric]:
    """How long things take."""
    yield histogram(
        "tatpar_report_lag_seconds",
        "From the closing of a live report at its probe (3 s after its window's end) to its commit. The end is by the"
        " hub's clock, the beginning by the probe's: a probe's clock error is in it (a floor by its monotonic age"
        " keeps a fast clock from hiding lag), and so is the second over which probes spread their publishing.",
        lags.report,
    )
    yield histogram(
        "tatpar_collector_intake_seconds",
        "From the receipt of a live report by the collector to its commit; the hub's clock alone.",
        lags.intake,
    )
    yield histogram(
        "tatpar_collector_commit_duration_seconds",
        "Duration of a commit: examining a batch and writing it durably.",
        lags.commit,
    )


def of_queue(inbox: Inbox, limit_messages: int, limit_bytes: int) -> Iterator[Metric]:
    """The bounded queue between the broker and the commits."""
    yield gauge(
        "tatpar_collector_queue_messages", "Messages held, those in a commit included.", inbox.messages
    )
    yield gauge("tatpar_collector_queue_bytes", "Bytes of payload and topic held.", inbox.bytes)
    yield gauge(
        "tatpar_collector_queue_limit_messages", "Messages from which reading pauses.", limit_messages
    )
    yield gauge("tatpar_collector_queue_limit_bytes", "Bytes from which reading pauses.", limit_bytes)
    yield gauge(
        "tatpar_collector_queue_high_messages", "Most messages held since the start.", inbox.high_messages
    )
    yield gauge("tatpar_collector_queue_high_bytes", "Most bytes held since the start.", inbox.high_bytes)
    yield from _over_quota(inbox)


def _over_quota(inbox: Inbox) -> Iterator[Metric]:
    """Where the inbox has quotas: what it held back, by site; names that are no sites of ours come under one (`?`)."""
    deferrals = getattr(inbox, "deferrals", None)
    if deferrals is not None:
        text = "Messages refused for now because their site had used up its share of the queue; sent again."
        yield counters("tatpar_collector_over_quota", text, "site", dict(deferrals.by_site))
