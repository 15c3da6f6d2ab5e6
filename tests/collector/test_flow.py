"""Reports through a broker into the store, with each of our brokers."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from collector import planning
from collector.mqtt import Membership
from telemetry.codec import decode_control
from telemetry.control import Plan, Presence, Stored
from telemetry.store.protocol import Selection
from telemetry.windows import DAY_NS, HOUR_NS, window_start

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from typing import Any

    from telemetry.messages import Envelope

    Hub = Any
    Eventually = Callable[..., Awaitable[None]]
    Maker = Callable[..., Envelope]

pytestmark = pytest.mark.server
ALL = Selection(start_ns=0, end_ns=2**62)


def rewrite(file: Path, old: str, new: str) -> None:
    """Change a file as an editor does."""
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


async def test_reports_are_stored_once_and_confirmed(
    hub: Hub, eventually: Eventually, make_envelope: Maker
) -> None:
    """What came is stored once; `stored` says so with what is missing; duplicates are told again."""
    async with hub.collecting() as collector, hub.office() as agra:
        for seq in (1, 2, 4, 2):
            await agra.report(make_envelope(seq))
        await eventually(lambda: agra.on("stored"))
        stored = decode_control(agra.on("stored")[-1], Stored)
        await eventually(lambda: collector.counters.stored == 3)
        await eventually(lambda: collector.counters.duplicates)  # the copy may come in a batch of its own
        assert collector.counters.duplicates == 1
        assert stored.epoch == make_envelope().epoch
        assert stored.through >= 1
        assert len(hub.store.streams(ALL)) == 3
    async with hub.collecting() as again, hub.office() as agra:
        await agra.report(make_envelope(4))
        await eventually(lambda: again.counters.duplicates == 1)
        await eventually(lambda: len(agra.on("stored")) >= 2)  # the retained one, and the new
        assert decode_control(agra.on("stored")[-1], Stored).missing == ((3, 3),)


async def test_whoever_waits_for_reports_is_told_when_they_are_stored(
    hub: Hub, eventually: Eventually, make_envelope: Maker
) -> None:
    """At the call the report can be read already."""
    seen: list[int] = []
    async with (
        hub.collecting(committed=lambda: seen.append(len(hub.store.streams(ALL)))),
        hub.office() as agra,
    ):
        await agra.report(make_envelope(1))
        await eventually(lambda: seen)
    assert seen[0] == 1


async def test_malformed_and_foreign_messages_never_stop_the_flow(
    hub: Hub, eventually: Eventually, make_envelope: Maker
) -> None:
    """Among two thousand wrong messages the few right ones arrive; the wrong are counted and kept, bounded."""
    async with hub.collecting() as collector, hub.office() as agra:
        for i in range(1000):
            await agra.client.publish("tatpar/1/agra/p1/report", b"\xff" * 50, qos=0)
            await agra.client.publish("tatpar/1/mathura/p1/report", b"{}", qos=0)
            if i % 100 == 0:
                await agra.report(make_envelope(1 + i // 100))
                await agra.report(make_envelope(1, site="meerut"), site="agra")
        await eventually(lambda: collector.counters.messages >= 2020)
        refused = collector.counters.refused
        assert collector.counters.stored == 10
        assert (refused["malformed"], refused["unknown_site"], refused["foreign"]) == (1000, 1000, 10)
        await eventually(
            lambda: (
                len(hub.state.quarantined(5000)) == hub.live.current.settings.collector.quarantine_messages
            )
        )
        await eventually(lambda: collector.detail()["queue_messages"] == 0)
    assert "agra" in {row.topic.split("/")[2] for row in hub.state.quarantined(50)}


async def test_presence_is_written_down_also_when_the_will_says_it(hub: Hub, eventually: Eventually) -> None:
    """Retained presence from before the collector came, and a change after; a site may not speak for another root."""
    async with hub.office() as agra:
        await agra.client.publish(
            "tatpar/1/agra/p1/presence", b'{"online":true,"since_ns":7,"version":"0.1"}', qos=1, retain=True
        )
        async with hub.collecting():
            await eventually(lambda: ("agra", "p1") in hub.state.presence())
            assert hub.state.presence()["agra", "p1"] == Presence(online=True, since_ns=7, version="0.1")
            await agra.client.publish(
                "tatpar/1/agra/p1/presence", b'{"online":false,"since_ns":9}', qos=1, retain=True
            )
            await eventually(lambda: not hub.state.presence()["agra", "p1"].online)
            assert len(hub.state.presence_spans("agra", 0, 2**62)) == 1


async def test_a_plan_that_somebody_overwrote_is_mended_when_the_probe_comes_on_line(
    hub: Hub, eventually: Eventually
) -> None:
    """Garbage retained in a plan's place: the probe that starts then finds the true plan within seconds."""
    async with hub.collecting(), hub.office() as agra:
        await eventually(lambda: agra.on("plan"))
        plan = agra.on("plan")[-1]
        await agra.client.publish("tatpar/1/agra/p1/plan", b"\xff garbage", qos=1, retain=True)
        await eventually(lambda: agra.on("plan")[-1] != plan)
        await agra.client.publish(
            "tatpar/1/agra/p1/presence", b'{"online":true,"since_ns":7,"version":"0.1"}', qos=1, retain=True
        )
        await eventually(lambda: agra.on("plan")[-1] == plan)
        async with hub.office() as later:
            await eventually(lambda: later.on("plan") == [plan])


async def test_a_retained_report_is_not_taken_when_the_collector_subscribes(
    hub: Hub, eventually: Eventually, make_envelope: Maker
) -> None:
    """A poisoned retained report is left where it lies; live ones flow."""
    async with hub.office() as agra:
        await agra.report(make_envelope(9), retain=True)
        async with hub.collecting() as collector:
            await agra.report(make_envelope(1))
            await eventually(lambda: collector.counters.stored == 1)
            assert list(hub.store.received("agra", "p1")[make_envelope().epoch]) == [(1, 1)]


async def test_plans_reach_the_probes_and_follow_the_files(
    hub: Hub, eventually: Eventually, config_file: Path
) -> None:
    """Every linked site has a retained plan; a site linked while we run gets one, one that is dropped loses it."""
    async with hub.collecting(), hub.office() as agra:
        await eventually(lambda: agra.on("plan") and agra.on("plan", "meerut"))
        plan = decode_control(agra.on("plan")[-1], Plan)
        assert [end.end for end in plan.ends] == ["state"]
        assert plan.valid_until_ns > time.time_ns() + 24 * HOUR_NS
        assert agra.on("plan", "unnao") == []
        sites = config_file.parent / "sites.csv"
        rewrite(sites, "80.49,planned", "80.49,linked")
        rewrite(sites, "77.71,linked", "77.71,planned")
        await eventually(lambda: agra.on("plan", "unnao") and agra.on("plan", "meerut")[-1] == b"")
        await eventually(lambda: ("unnao", "p1") in hub.state.plans())


async def test_a_wrong_file_leaves_the_old_configuration_at_work(
    killable_hub: Hub, eventually: Eventually, make_envelope: Maker, config_file: Path
) -> None:
    """A typing error in the list of sites stops nothing."""
    async with killable_hub.collecting() as collector, killable_hub.office() as agra:
        (config_file.parent / "sites.csv").write_text("id,name\nagra\n", encoding="utf-8")
        await eventually(lambda: killable_hub.live.problem is not None)
        await agra.report(make_envelope(1))
        await eventually(lambda: collector.counters.stored == 1)


async def test_reports_of_a_wrong_clock_are_stored_at_their_time(
    hub: Hub, eventually: Eventually, make_envelope: Maker
) -> None:
    """The age that the probe's monotonic clock gives travels as a user property through each broker."""
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.UserProperty = [("age-ms", str(3_600_000)), ("age-clock", "monotonic")]
    async with hub.collecting() as collector, hub.office() as agra:
        await agra.report(make_envelope(1, start_ns=0), leaf="backlog", properties=properties)
        await eventually(lambda: collector.counters.stored == 1)
        assert collector.counters.redated == 1
    [start_ns] = hub.store.streams(ALL).columns["start_ns"].tolist()
    assert abs(start_ns - window_start(time.time_ns() - HOUR_NS)) < DAY_NS // 1000


async def test_the_heartbeat_shows_counters_and_silence(
    killable_hub: Hub, eventually: Eventually, config_file: Path
) -> None:
    """Anyone who opens the state database sees what the collector does, and who does not speak."""
    rewrite(config_file, "dark_after_s = 120", "dark_after_s = 1")
    killable_hub.live.refresh()
    async with killable_hub.collecting():
        await eventually(lambda: "collector" in killable_hub.state.beats())
        await eventually(
            lambda: killable_hub.state.beats()["collector"].detail["silent"] == {"agra": None, "meerut": None}
        )
        bridge = killable_hub.state.beats()["collector"].detail["bridge"]
        assert isinstance(bridge, dict)
        assert bridge["connected"]
        await eventually(
            lambda: killable_hub.state.beats()["collector"].detail["bridge"]["broker_dropped"] == 0
        )  # type: ignore[index]


async def test_a_second_collector_waits_until_the_first_is_gone(
    killable_hub: Hub, eventually: Eventually
) -> None:
    """One that works alone at a time, by the kernel's lock; the next works as soon as the first has left."""
    from collector.service import Collector

    async with killable_hub.collecting():
        second = Collector(killable_hub.live, killable_hub.store, killable_hub.state, killable_hub.broker)
        waiting = asyncio.create_task(second.run())
        await asyncio.sleep(0.7)
        assert not second.bridge.connected  # type: ignore[index]
    await eventually(lambda: second.bridge.connected)  # type: ignore[index]
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_giant_message_reaches_neither_memory_nor_store(
    killable_hub: Hub, eventually: Eventually, make_envelope: Maker
) -> None:
    """A broker without a bound of its own: somewhat too large is refused and counted, far too large never delivered."""
    async with killable_hub.collecting() as collector, killable_hub.office() as agra:
        for size in (300_000, 3_000_000):
            await agra.report(b" " * size)
        await agra.report(make_envelope(1))
        await eventually(lambda: collector.counters.stored == 1)
        assert collector.counters.refused == {"too_large": 1}
        assert collector.bridge.connects == 1


async def test_several_collectors_divide_the_reports(
    hub: Hub, eventually: Eventually, make_envelope: Maker
) -> None:
    """A shared subscription: each takes its part, together they store every report once; one leaves, the other has all."""
    async with hub.office() as agra, hub.collecting(membership=Membership.member()) as one:
        async with hub.collecting(membership=Membership.member()) as two:
            for seq in range(1, 201):
                await agra.report(make_envelope(seq))
            await eventually(lambda: one.counters.stored + two.counters.stored == 200)
            assert min(one.counters.stored, two.counters.stored) > 20
        before = one.counters.stored
        for seq in range(201, 251):
            await agra.report(make_envelope(seq))
        await eventually(lambda: one.counters.stored == before + 50)
    assert list(hub.store.received("agra", "p1")[make_envelope().epoch]) == [(1, 250)]


async def test_plans_that_cannot_be_made_do_not_stop_the_reports(
    killable_hub: Hub, eventually: Eventually, make_envelope: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trouble is said and shown; collecting goes on."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("calendar")

    monkeypatch.setattr(planning, "plan_everyone", broken)
    async with killable_hub.collecting() as collector, killable_hub.office() as agra:
        await eventually(lambda: "calendar" in str(collector.detail()["trouble"]))
        await agra.report(make_envelope(1))
        await eventually(lambda: collector.counters.stored == 1)
