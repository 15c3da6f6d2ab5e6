"""One batch from the inbox to durable rows: examine, append, keep what was refused.

`sort` runs in a thread of its own, `append` in the writer's, one batch behind. When `append` returns, everything in the batch may be acknowledged: it is durable,
or refused and counted. When it raises `StoreError` or `OSError` nothing may be, and the batch is tried again
(the store knows duplicates by their numbers).
"""

from __future__ import annotations

import gc
import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from collector.accounting import stand_in
from collector.arrears import Arrears
from collector.batch import Batch, Fresh
from collector.crowding import Crowding
from collector.enrolment.roll import Roll
from collector.intake import Bounds, examine, outlived
from collector.office_clocks import OfficeClocks
from collector.outcome import Accepted, Answered, Misdated, RefusalCode, Refused, Said
from collector.redating import Redater
from telemetry.messages import Opaque
from telemetry.store.errors import StoreError
from telemetry.store.protocol import Counting, Fate, InHour, Preparing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from collector.crowding import StoredBefore
    from collector.message import Message
    from config.sites import Registry
    from telemetry.messages import Envelope
    from telemetry.store.protocol import Received, ReportStore

log = logging.getLogger(__name__)
Settled = Accepted | Said | Answered | Refused
"""An outcome with nothing left to be found out."""
NOT_NOW: Final = (StoreError, OSError)
"""The store cannot write at present (disk full, locked); anything else that it raises is the fault of a report."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What messages are examined by; replaced as a whole when the configuration changes."""

    root: str
    registry: Registry
    bounds: Bounds
    roll: Roll = field(default_factory=Roll)


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered from batch to batch; the examining thread's alone."""

    redater: Redater = field(default_factory=Redater)
    clocks: OfficeClocks = field(default_factory=OfficeClocks)
    arrears: Arrears = field(default_factory=Arrears)
    crowding: Crowding = field(default_factory=Crowding)


@dataclass(frozen=True, slots=True)
class Sorted:
    """A batch whose messages are examined and whose reports the store can take."""

    batch: Batch
    reports: list[tuple[Received, Message]]


def commit(messages: Sequence[Message], rules: Rules, memory: Memory, store: ReportStore) -> Batch:
    """Examine messages and append their reports in one durable transaction.

    Raises:
        StoreError, OSError: the store cannot write now; nothing of the batch may be acknowledged.
    """
    return append(sort(messages, rules, memory, store), store)


def sort(messages: Sequence[Message], rules: Rules, memory: Memory, store: ReportStore) -> Sorted:
    """Examine messages; touches nothing but memory, so that it may be done while another batch is being written."""
    began = time.perf_counter()
    with _no_collecting():
        found = _sort_all(messages, rules, memory, store)
    found.batch.took_s = time.perf_counter() - began
    return found


def append(found: Sorted, store: ReportStore) -> Batch:
    """Append what was found in one durable transaction. May be called again when it has failed.

    Raises:
        StoreError, OSError: the store cannot write now; nothing of the batch may be acknowledged.
    """
    began = time.perf_counter()
    batch = replace(found.batch, newest={}, refused=list(found.batch.refused))
    _append(found.reports, batch, store)
    batch.took_s += time.perf_counter() - began
    return batch


def _sort_all(messages: Sequence[Message], rules: Rules, memory: Memory, store: ReportStore) -> Sorted:
    batch = Batch(messages=len(messages))
    reports: list[tuple[Received, Message]] = []
    prepare = store.prepare if isinstance(store, Preparing) else None
    before = _told_by(store) if isinstance(store, Counting) else None
    memory.clocks.look()
    for message in messages:
        outcome = _outcome(message, rules, memory, batch)
        if isinstance(outcome, Accepted):
            outcome = _too_much(outcome.report.envelope, message, memory, before) or outcome
        elif isinstance(outcome, Refused):
            outcome = _too_many(outcome, memory, before) or outcome
        _sort(outcome, message, batch, reports)
        if prepare is not None and reports and reports[-1][1] is message:
            reports[-1] = (_prepared(prepare, reports[-1][0]), message)
    return Sorted(batch, reports)


def _too_much(
    envelope: Envelope, message: Message, memory: Memory, before: StoredBefore | None
) -> Refused | None:
    """By what has arrived, then by the hour that it is dated into: what is refused by the one fills no hour."""
    return memory.arrears.objection(envelope, message) or memory.crowding.objection(envelope, message, before)


def _too_many(refused: Refused, memory: Memory, before: StoredBefore | None) -> Refused | None:
    """The same of a report that is refused with its number, for which a row will stand in."""
    account = stand_in(refused)
    if account is None:
        return None
    return memory.arrears.objection(
        account.envelope, refused.message
    ) or memory.crowding.objection_to_stand_in(refused, account.envelope, before)


def _told_by(store: Counting) -> StoredBefore:
    """The store's count; none when it cannot say now: its commits fail too then, and are tried again."""

    def stored_before(site: str, probe: str, hour_ns: int) -> InHour:
        try:
            return store.reports_in_hour(site, probe, hour_ns)
        except NOT_NOW:
            return InHour(0, 0)

    return stored_before


def _prepared(prepare: Callable[[Received], Received], report: Received) -> Received:
    try:
        return prepare(report)
    except Exception:  # noqa: BLE001 - `append` will say the same of it, and is asked in a way that finds the culprit
        return report


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Keep the garbage collector from going through thousands of reports that are gone in a moment (a quarter of the time)."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _outcome(message: Message, rules: Rules, memory: Memory, batch: Batch) -> Settled:
    outcome = examine(message, rules.root, rules.registry, rules.bounds, rules.roll)
    if not isinstance(outcome, (Accepted, Misdated)):
        return outcome
    mended = memory.clocks.settle(outcome.report, message, misdated=isinstance(outcome, Misdated))
    if mended is None:
        if isinstance(outcome, Accepted):
            return outcome
        mended = _by_its_age(outcome, memory)
    if isinstance(mended, Refused):
        return mended
    if (gone := outlived(mended, message, rules.bounds)) is not None:
        return gone
    batch.redated += 1
    return Accepted(mended)


def _by_its_age(misdated: Misdated, memory: Memory) -> Received | Refused:
    """Of a boot that nothing is known of: its date cannot be, and its age is the best that there is."""
    mended = memory.redater.redate(misdated)
    if isinstance(mended, Refused):
        return mended
    memory.clocks.dated(misdated.report, mended.offset_ns)
    return mended.report


def _sort(outcome: Settled, message: Message, batch: Batch, reports: list[tuple[Received, Message]]) -> None:
    match outcome:
        case Accepted(report):
            batch.live += not report.backlog
            batch.backlog += report.backlog
            batch.opaque_items += sum(isinstance(item, Opaque) for item in report.envelope.items)
            reports.append((report, message))
        case Said():
            batch.said.append(outcome)
        case Answered():
            batch.answers.append(outcome)
        case Refused():
            batch.refused.append(outcome)
            account = stand_in(outcome)
            if account is not None:
                reports.append((account, message))


def _append(reports: list[tuple[Received, Message]], batch: Batch, store: ReportStore) -> None:
    if not reports:
        return
    try:
        fates = store.append([report for report, _ in reports])
    except NOT_NOW:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a report can do to the store, the others must get through
        _divide(reports, batch, store, error)
        return
    for (report, message), fate in zip(reports, fates, strict=True):
        batch.stored += fate is Fate.STORED
        batch.duplicates += fate is Fate.DUPLICATE
        if fate is Fate.STORED and not report.backlog:
            batch.fresh.append(Fresh(report.envelope.start_ns, report.received_ns, message.age_ms))
        if fate is Fate.NUMBER_TWICE:
            detail = (
                f"another report is stored as {report.envelope.epoch}/{report.envelope.seq}: two machines use a copy of"
                " one spool, or an old copy was put back"
            )
            batch.refused.append(Refused(RefusalCode.NUMBER_TWICE, detail, message, report.envelope))
        batch.newest[report.envelope.site, report.envelope.probe] = report


def _divide(
    reports: list[tuple[Received, Message]], batch: Batch, store: ReportStore, error: Exception
) -> None:
    """Find the report that the store cannot take, by halves, and put its tombstone in its place."""
    if len(reports) > 1:
        middle = len(reports) // 2
        _append(reports[:middle], batch, store)
        _append(reports[middle:], batch, store)
        return
    [(report, message)] = reports
    where = {"site": report.envelope.site, "probe": report.envelope.probe, "seq": report.envelope.seq}
    extra = {"event": "report.unstorable", **where, "reason": repr(error)}
    log.error("the store cannot take a report of %s: %r", report.envelope.site, error, extra=extra)
    detail = f"the store cannot take it: {error!r}"[:500]
    refused = Refused(RefusalCode.UNSTORABLE, detail, message, report.envelope)
    was_refused = any(earlier.message is message for earlier in batch.refused)
    batch.refused.append(refused)
    account = stand_in(refused)
    if account is not None and not was_refused:
        _append([(account, message)], batch, store)
