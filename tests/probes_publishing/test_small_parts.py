"""Restart reasons, waits, ages, reflector preference, reports that are too large."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from probes.backoff import Backoff
from probes.counters import Counters
from probes.publishing.age import Age, age_of
from probes.publishing.preference import Preference
from probes.publishing.report import Draft, report_bytes
from probes.publishing.restart_reason import RestartReason, Run, boot_id, restart_reason
from probes.publishing.spool import Made, Slot
from telemetry.clock import ManualClock
from telemetry.codec import MAX_ITEMS, MAX_REPORT_BYTES, decode, encode_item
from telemetry.messages import Ping, Reach, Stream, Tombstone
from telemetry.windows import HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("previous", "reason"),
    [
        (None, RestartReason.UNKNOWN),
        (Run("boot-1", "1.0", clean=True), RestartReason.OPERATOR),
        (Run("boot-0", "1.0", clean=True), RestartReason.OPERATOR),
        (Run("boot-1", "1.0", clean=False), RestartReason.CRASH),
        (Run("boot-0", "1.0", clean=False), RestartReason.POWER),
        (Run("boot-0", "0.9", clean=False), RestartReason.UPDATE),
        (Run("boot-1", "0.9", clean=True), RestartReason.UPDATE),
    ],
)
def test_restart_reason(previous: Run | None, reason: RestartReason) -> None:
    """How the previous run ended tells why this one started."""
    assert restart_reason(previous, "boot-1", "1.0") is reason


def test_boot_id_of_this_machine_and_of_none(tmp_path: Path) -> None:
    """The kernel's boot id is 36 characters; where there is none it is `unknown`."""
    assert len(boot_id()) == 36
    assert boot_id() == boot_id()
    assert boot_id(tmp_path / "none") == "unknown"


def test_waits_are_jittered_over_their_whole_range_and_capped() -> None:
    """The wait is uniform from 0 to a ceiling that doubles from the base to the cap; success starts over."""
    backoff = Backoff(base_s=1.0, cap_s=30.0, rng=random.Random(7))
    for ceiling in (1, 2, 4, 8, 16, 30, 30, 30):
        assert 0 <= backoff.next_s() <= ceiling
    waits = [backoff.next_s() for _ in range(4000)]
    assert max(waits) <= 30
    assert 14.5 < sum(waits) / len(waits) < 15.5
    assert min(waits) < 0.1
    backoff.reset()
    assert backoff.next_s() <= 1


def test_age_by_the_clock_that_knows() -> None:
    """Within a boot the monotonic clock counts, across boots real time, never below zero."""
    clock = ManualClock(now_ns=1000 * SECOND_NS, monotonic_ns=50 * SECOND_NS)
    assert age_of(Made("b", 20 * SECOND_NS, 5), "b", clock) == Age(30 * SECOND_NS, monotonic=True)
    assert age_of(Made("a", 20 * SECOND_NS, 900 * SECOND_NS), "b", clock) == Age(
        100 * SECOND_NS, monotonic=False
    )
    assert age_of(Made("a", 0, 2000 * SECOND_NS), "b", clock) == Age(0, monotonic=False)
    assert age_of(Made("b", 60 * SECOND_NS, 990 * SECOND_NS), "b", clock) == Age(
        10 * SECOND_NS, monotonic=False
    )


def dark(make_stream: Any) -> tuple[Stream, ...]:
    return (make_stream(sent=150, received=0),)


def test_next_reflector_after_a_minute_without_any_answer(make_stream: Any) -> None:
    """Four windows in a row without a reply move on to the next reflector; one reply begins the count anew."""
    preference = Preference()
    counts = {"main.state": 3}
    for _ in range(3):
        assert preference.observe(dark(make_stream), counts, 0) is False
    assert preference.observe((make_stream(sent=150, received=1),), counts, 0) is False
    seen = [preference.observe(dark(make_stream), counts, 0) for _ in range(12)]
    assert [index for index, moved in enumerate(seen) if moved] == [3, 7, 11]
    assert preference.choice() == {"main.state": 0}


def test_only_reflector_is_measured_through_any_outage(make_stream: Any) -> None:
    """With one reflector an outage changes nothing, and neither does a window in which nothing was sent."""
    preference = Preference()
    assert not any(preference.observe(dark(make_stream), {"main.state": 1}, 0) for _ in range(50))
    assert preference.choice() == {}
    idle = (make_stream(sent=0, received=0),)
    assert not any(Preference().observe(idle, {"main.state": 3}, 0) for _ in range(50))


def test_back_to_the_first_reflector_after_an_hour(make_stream: Any) -> None:
    """A reflector that had to stand in is left after an hour for the preferred one."""
    preference = Preference()
    counts = {"main.state": 2}
    for _ in range(4):
        preference.observe(dark(make_stream), counts, 0)
    assert preference.choice() == {"main.state": 1}
    fine = (make_stream(),)
    assert preference.observe(fine, counts, HOUR_NS - 1) is False
    assert preference.observe(fine, counts, HOUR_NS) is True
    assert preference.choice() == {"main.state": 0}
    assert preference.observe(fine, counts, 3 * HOUR_NS) is False


def draft(window: Any, *items: Any) -> Draft:
    return Draft(window, (*window.streams, *items), Made("boot-1", 3, 4))


def test_report_carries_identity_boot_and_spool(make_window: Any) -> None:
    """A report says who, which, when, and how full the spool is; tombstones come first."""
    tombstone = Tombstone(first_seq=1, last_seq=2, from_ns=0, until_ns=30, reason="spool_full")
    counters = Counters()
    window = make_window("agra/p1", 4)
    ping = Ping(target="gateway", sent=15, received=0)
    slot = Slot("0123456789abcdef", 9, (tombstone,), 7)
    envelope = decode(report_bytes(draft(window, ping), slot, "agra", "p1", counters))
    assert (envelope.site, envelope.probe, envelope.epoch, envelope.seq) == (
        "agra",
        "p1",
        "0123456789abcdef",
        9,
    )
    assert (envelope.boot, envelope.mono_ns, envelope.start_ns) == ("boot-1", window.mono_ns, window.start_ns)
    assert envelope.self_report.spool_rows == 7
    assert envelope.items == (tombstone, *window.streams, ping)
    assert counters.reports_too_large == 0


def test_report_with_too_many_items_is_shortened(make_window: Any) -> None:
    """Of too many items the last are left out, which is counted; the hub would have refused the whole report."""
    counters = Counters()
    window = make_window("agra/p1")
    many = [Reach(target=f"t{n}", method="tcp", answered=False) for n in range(MAX_ITEMS + 44)]
    payload = report_bytes(draft(window, *many), Slot("0" * 16, 1, (), 1), "agra", "p1", counters)
    assert decode(payload).items == (*window.streams, *many[: MAX_ITEMS - 1])
    assert counters.reports_too_large == 1


def test_report_of_too_many_bytes_is_shortened(make_window: Any, make_stream: Any) -> None:
    """As many items as fit stay, the first ones; that something was left out is counted."""
    counters = Counters()
    hist = tuple(number for index in range(900) for number in (index, 4_000_000_000))
    stream = make_stream()
    many = sum(hist[1::2])
    heavy = msgspec.structs.replace(
        stream,
        up=msgspec.structs.replace(stream.up, sent=many, received=many, ipdv_hist=hist, pdv_hist=hist),
    )
    one = len(encode_item(heavy))
    window = make_window("agra/p1", streams=(heavy,) * 12)
    payload = report_bytes(draft(window), Slot("0" * 16, 1, (), 1), "agra", "p1", counters)
    assert MAX_REPORT_BYTES - one < len(payload) <= MAX_REPORT_BYTES < 12 * one
    assert decode(payload).items == (heavy,) * (MAX_REPORT_BYTES // one)
    assert counters.reports_too_large == 1
