"""From a real spool through a real broker into the store: each report once, and whatever cannot be there is known."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from collector.outcome import RefusalCode
from probes.publishing.office_settings import SpoolLimits
from telemetry.store.protocol import Selection

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    Eventually = Callable[..., Awaitable[None]]
    MakeProbe = Callable[..., Any]

pytestmark = pytest.mark.server
ALL = Selection(start_ns=0, end_ns=2**62)


def accounted(hub: Any) -> dict[str, list[tuple[int, int]]]:
    return {epoch: list(ranges) for epoch, ranges in hub.store.received("agra", "p1").items()}


async def test_what_a_full_spool_dropped_is_known_to_the_hub_and_not_asked_for(
    killable_hub: Any, make_probe: MakeProbe, eventually: Eventually
) -> None:
    """Twelve made off line with room for five: five stored, seven written off with their reason, nothing outstanding."""
    probe = make_probe("agra", killable_hub.broker.port, spool_limits=SpoolLimits(max_reports=5))
    for _ in range(12):
        await probe.wait()
    async with killable_hub.collecting() as collector, probe.publishing():
        await eventually(lambda: collector.counters.stored == 5, within_s=120)
        await eventually(lambda: probe.spool.reports == 0, within_s=120)
    assert accounted(killable_hub) == {probe.spool.epoch: [(1, 12)]}
    written_off = [(h.first_seq, h.last_seq, h.tombstone) for h in killable_hub.store.gaps(ALL).holes]
    assert sum(last - first + 1 for first, last, _ in written_off) == 7
    assert {reason for _, _, reason in written_off} == {"spool_full"}


async def test_a_lost_spool_begins_a_new_epoch_and_leaves_the_old_one_s_holes_known(
    killable_hub: Any, make_probe: MakeProbe, eventually: Eventually, tmp_path: Path, make_envelope: Any
) -> None:
    """What was lost with the disk stays missing, by its number; what is made since is stored under other numbers."""
    old = make_envelope().epoch
    async with killable_hub.collecting() as collector:
        async with killable_hub.office() as agra:
            for seq in (1, 2, 5):
                await agra.report(make_envelope(seq))
            await eventually(lambda: collector.counters.stored == 3)
        probe = make_probe("agra", killable_hub.broker.port, tmp_path / "new-disk")
        async with probe.publishing():
            for _ in range(4):
                await probe.report()
            await eventually(lambda: collector.counters.stored == 7, within_s=120)
    assert accounted(killable_hub) == {old: [(1, 2), (5, 5)], probe.spool.epoch: [(1, 4)]}
    assert [(h.epoch, h.first_seq, h.last_seq) for h in killable_hub.store.gaps(ALL).holes] == [(old, 3, 4)]


async def test_an_old_copy_of_a_spool_that_is_put_back_loses_no_report(
    killable_hub: Any, make_probe: MakeProbe, eventually: Eventually, tmp_path: Path
) -> None:
    """The copy has made, off line, more reports than were lost: none of them passes for a stored one."""
    port = killable_hub.broker.port
    config = killable_hub.live.current
    settings = replace(config.settings.collector, confirm_s=0.2)
    killable_hub.live._current = replace(config, settings=replace(config.settings, collector=settings))
    (tmp_path / "restored").mkdir()
    async with killable_hub.collecting() as collector:
        first = make_probe("agra", port)
        async with first.publishing():
            for _ in range(3):
                await first.report()
            await eventually(lambda: first.spool.reports == 0, within_s=120)
            shutil.copy(tmp_path / "agra.db", tmp_path / "restored" / "agra.db")
            shutil.copy(tmp_path / "agra.db-wal", tmp_path / "restored" / "agra.db-wal")
            for _ in range(4):
                await first.report()  # 4 to 7, gone with the disk
            await eventually(lambda: collector.counters.stored == 7, within_s=120)
            await eventually(lambda: first.spool.reports == 0, within_s=120)  # the hub has said so
        restored = make_probe("agra", port, tmp_path / "restored")
        assert (restored.spool.epoch, restored.spool.next_seq) == (first.spool.epoch, 4)
        for _ in range(6):
            await restored.wait(boot="after-the-restore")  # 4 to 9
        async with restored.publishing():
            await eventually(lambda: collector.counters.stored == 13, within_s=120)
        assert restored.counters.renumbered == 1
        assert collector.counters.refused == {}
    assert accounted(killable_hub) == {first.spool.epoch: [(1, 7)], restored.spool.epoch: [(1, 6)]}
    assert len(killable_hub.store.envelopes("agra", 0, 2**62)) == 13


async def test_two_machines_with_one_spool_are_noticed_by_the_hub(
    killable_hub: Any, make_probe: MakeProbe, eventually: Eventually, tmp_path: Path
) -> None:
    """When nothing tells the copy (here: its hub has not spoken yet), its reports are refused by name, kept and counted."""
    port = killable_hub.broker.port
    (tmp_path / "copy").mkdir()
    one = make_probe("agra", port)
    await one.wait()
    shutil.copy(tmp_path / "agra.db", tmp_path / "copy" / "agra.db")
    shutil.copy(tmp_path / "agra.db-wal", tmp_path / "copy" / "agra.db-wal")
    two = make_probe("agra", port, tmp_path / "copy")
    for _ in range(3):
        await one.wait(boot="boot-of-one")
        await two.wait(boot="boot-of-two")
    async with killable_hub.collecting() as collector, killable_hub.office() as agra:
        for seq in range(1, 5):
            await agra.report(one.spool.read(seq).payload)
        await eventually(lambda: collector.counters.stored == 4)
        for seq in range(1, 5):
            await agra.report(two.spool.read(seq).payload)
        await eventually(lambda: collector.counters.refused == {"number_twice": 3})
        assert collector.counters.duplicates == 1
        await eventually(lambda: len(killable_hub.state.quarantined(10)) == 3)
    assert all(row.reason.startswith(RefusalCode.NUMBER_TWICE) for row in killable_hub.state.quarantined(10))
