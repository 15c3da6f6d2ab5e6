"""Two reports under one number are told from one that was sent twice, by the stores that keep reports whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import pytest

from telemetry.store.memory import MemoryStore
from telemetry.store.protocol import Fate
from telemetry.store.sqlite import SqliteStore
from telemetry.store.sqlite.twins import BY_NUMBER_AT_MOST
from telemetry.windows import HOUR_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from telemetry.store.protocol import Received


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MemoryStore | SqliteStore]:
    made = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "reports.db")
    yield made
    made.close()


def changed(report: Received, **changes: object) -> Received:
    return replace(report, envelope=msgspec.structs.replace(report.envelope, **changes))


def test_what_was_made_at_another_time_is_another_report(store, fleet) -> None:
    """By boot and monotonic clock; also within one batch, and in the same window."""
    first = fleet.report("agra", 1, 1)
    mono_ns = first.envelope.mono_ns
    assert store.append([first, first, changed(first, mono_ns=mono_ns + 1)]) == [
        Fate.STORED,
        Fate.DUPLICATE,
        Fate.NUMBER_TWICE,
    ]
    assert store.append([changed(first, boot="other"), first]) == [Fate.NUMBER_TWICE, Fate.DUPLICATE]
    later = changed(
        first, start_ns=first.envelope.start_ns + 20 * WINDOW_NS, mono_ns=mono_ns + 20 * WINDOW_NS
    )
    assert store.append([later]) == [Fate.NUMBER_TWICE]


def test_a_report_of_a_wrong_clock_is_itself_in_any_window(store, fleet) -> None:
    """Its window is an estimate that may differ the second time: what the probe's own clock says does not."""
    first = fleet.report("agra", 1, 1)
    store.append([first])
    again = changed(first, start_ns=first.envelope.start_ns + WINDOW_NS)
    assert store.append([again]) == [Fate.DUPLICATE]


def test_of_many_copies_in_other_windows_some_are_compared(tmp_path, fleet) -> None:
    """Comparing by number alone reads all recent rows of a site: a bounded number of times in a commit."""
    store = SqliteStore(tmp_path / "reports.db")
    reports = [fleet.report("agra", seq, seq) for seq in range(1, BY_NUMBER_AT_MOST + 11)]
    store.append(reports)
    copies = [changed(r, start_ns=r.envelope.start_ns + HOUR_NS, boot="other") for r in reports]
    fates = store.append(copies)
    assert fates.count(Fate.NUMBER_TWICE) == BY_NUMBER_AT_MOST
    assert fates.count(Fate.DUPLICATE) == 10
    store.close()
