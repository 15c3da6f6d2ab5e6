"""Every linked office is told its plan once, and withdrawn from it when it is to have none."""

from __future__ import annotations

import itertools
from contextlib import closing
from typing import TYPE_CHECKING, cast

from collector.commits import Batch
from collector.ground import Ground
from collector.link import LinkOptions
from collector.mqtt import Bridge, Membership, Sending
from collector.planner import MAX_PROBES, Planner
from collector.planning import Planning
from config.live import LiveConfig
from telemetry.clock import ManualClock, SystemClock
from telemetry.codec import decode_control, encode_control
from telemetry.control import Plan
from telemetry.state.db import StateDb
from telemetry.store.memory import MemoryStore
from telemetry.windows import HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from telemetry.store.protocol import Received


class Broker:
    """Takes publications, or holds them."""

    def __init__(self) -> None:
        self.up = True
        self.said: list[tuple[str, bytes]] = []

    def publish(self, name: str, payload: bytes) -> Sending:
        if not self.up:
            return Sending.HELD
        self.said.append((name, payload))
        return Sending.SENT


PLAN = Plan(valid_until_ns=5)


def test_every_site_gets_its_plan_once_until_it_changes(live: LiveConfig) -> None:
    """Also before any of its probes has spoken."""
    broker = Broker()
    planner = Planner("r", broker.publish)
    planner.adopt({"agra": PLAN, "meerut": PLAN}, live.current, 0)
    assert [probe for probe, _ in planner.tell()] == [("agra", "p1"), ("meerut", "p1")]
    planner.adopt({"agra": PLAN, "meerut": Plan(valid_until_ns=6)}, live.current, 1)
    assert [probe for probe, _ in planner.tell()] == [("meerut", "p1")]
    assert decode_control(broker.said[-1][1], Plan).valid_until_ns == 6


def test_a_second_probe_gets_the_plan_when_it_speaks(live: LiveConfig) -> None:
    """Probes are not listed anywhere; who speaks exists."""
    planner = Planner("r", Broker().publish)
    planner.adopt({"agra": PLAN}, live.current, 0)
    planner.tell()
    planner.heard("agra", "p2")
    assert [probe for probe, _ in planner.tell()] == [("agra", "p2")]


def test_what_the_broker_did_not_take_is_told_later(live: LiveConfig) -> None:
    """Nothing is lost to a broker that is away."""
    broker = Broker()
    broker.up = False
    planner = Planner("r", broker.publish)
    planner.adopt({"agra": PLAN}, live.current, 0)
    assert planner.tell() == []
    broker.up = True
    assert len(planner.tell()) == 1
    planner.again()
    assert len(planner.tell()) == 1


def test_when_the_broker_takes_no_more_the_rest_waits_and_is_told_in_order(live: LiveConfig) -> None:
    """One refusal ends the round: thousands of offers to a broker that is busy would only cost time."""
    broker = Broker()
    offered: list[str] = []

    def publish(name: str, payload: bytes) -> Sending:
        offered.append(name)
        return broker.publish(name, payload) if len(broker.said) < 2 else Sending.HELD

    planner = Planner("r", publish)
    planner.adopt(dict.fromkeys(("agra", "meerut", "etah", "mathura"), PLAN), live.current, 0)
    assert [site for (site, _), _ in planner.tell()] == ["agra", "meerut"]
    assert offered == ["r/agra/p1/plan", "r/meerut/p1/plan", "r/etah/p1/plan"]
    broker.said.clear()
    assert [site for (site, _), _ in planner.tell()] == ["etah", "mathura"]
    assert planner.tell() == []


def test_a_site_that_is_not_linked_any_more_loses_its_plan(live: LiveConfig) -> None:
    """Its retained plan is cleared."""
    broker = Broker()
    planner = Planner("r", broker.publish)
    planner.adopt({"agra": PLAN, "meerut": PLAN}, live.current, 0)
    planner.tell()
    planner.adopt({"agra": PLAN}, live.current, 0)
    planner.tell()
    assert broker.said[-1] == ("r/meerut/p1/plan", b"")


def test_only_the_site_that_has_news_is_looked_at(live: LiveConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe that appears at one office costs nothing for the other thousands."""
    planner = Planner("r", Broker().publish)
    planner.adopt(dict.fromkeys(("agra", "meerut", "etah"), PLAN), live.current, 0)
    planner.tell()
    made: list[Plan] = []

    def encode(plan: Plan) -> bytes:
        made.append(plan)
        return encode_control(plan)

    monkeypatch.setattr("collector.planner.encode_control", encode)
    planner.heard("meerut", "p1")
    assert planner.tell() == []
    assert not made
    planner.heard("etah", "p2")
    planner.tell()
    assert made == [PLAN]


def test_a_probe_that_was_told_and_is_not_linked_any_more_is_withdrawn_by_the_next_leader(
    live: LiveConfig,
) -> None:
    """Also one that this collector has never heard."""
    broker = Broker()
    planner = Planner("r", broker.publish)
    planner.adopt({"agra": PLAN}, live.current, 0)
    planner.again([("agra", "p1"), ("meerut", "p7")])
    assert [probe for probe, _ in planner.tell()] == [("agra", "p1")]
    assert broker.said[-1] == ("r/meerut/p7/plan", b"")
    said = len(broker.said)
    assert planner.tell() == []
    assert len(broker.said) == said


def test_a_revoked_probe_is_told_no_plan_again(live: LiveConfig) -> None:
    """Neither at the next hour nor when the connection is new, nor for what it said before; enrolled again, it gets one."""
    revoked: set[tuple[str, str]] = set()
    broker = Broker()
    planner = Planner("r", broker.publish, lambda site, probe: (site, probe) in revoked)
    planner.adopt({"agra": PLAN}, live.current, 0)
    assert planner.tell()
    revoked.add(("agra", "p1"))
    planner.arrived("agra", "p1")
    planner.again([("agra", "p1")])
    assert planner.tell() == []
    assert broker.said[1:] == [("r/agra/p1/plan", b"")]
    planner.again()
    planner.adopt({"agra": Plan(valid_until_ns=6)}, live.current, 1)
    assert planner.tell() == []
    assert len(broker.said) == 2
    revoked.clear()
    planner.arrived("agra", "p1")
    assert [probe for probe, _ in planner.tell()] == [("agra", "p1")]


def test_revoked_probes_take_no_places_of_others(live: LiveConfig) -> None:
    """A site whose probe was replaced often still has its newest one planned."""
    planner = Planner("r", Broker().publish, lambda _, probe: probe != "new")
    planner.adopt({"agra": PLAN}, live.current, 0)
    for number in range(MAX_PROBES):
        planner.heard("agra", f"old{number}")
    planner.heard("agra", "new")
    assert [probe for probe, _ in planner.tell()] == [("agra", "new")]


def test_a_probe_above_the_bound_is_counted_and_a_site_named_once(
    live: LiveConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The 65th of a site gets no plan: that is in the counters each time it speaks, and in the log once a site."""
    received = cast("Received", None)  # only whose it is counts
    with closing(StateDb(tmp_path / "state.db")) as state, closing(MemoryStore()) as store:
        ground = Ground(live, store, state, SystemClock(), "r")
        bridge = Bridge(LinkOptions("127.0.0.1", 1), "r", Membership("c"), lambda _: None)
        planning = Planning(ground, bridge, lambda site, probe: (site, probe) == ("agra", "n0"))
        for site, number in itertools.product(("agra", "etah"), range(MAX_PROBES)):
            planning.note(Batch(newest={(site, f"n{number}"): received}))
        assert (
            ground.counters.plans_withheld == 1
        )  # every site has p1; one of agra's is revoked and gives way
        for _ in range(3):
            planning.note(Batch(newest={("agra", "new"): received, ("etah", "new"): received}))
        ground.close()
    assert ground.counters.detail()["plans_withheld"] == 7
    said = [(record.event, record.site) for record in caplog.records]  # type: ignore[attr-defined]
    assert said == [("plans.withheld", "etah"), ("plans.withheld", "agra")]


def test_what_is_withheld_is_of_now(
    live: LiveConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A site is named while such probes speak; two minutes after the last it is over, and it is news when it comes again."""
    received, clock = cast("Received", None), ManualClock()
    with closing(StateDb(tmp_path / "state.db")) as state, closing(MemoryStore()) as store:
        ground = Ground(live, store, state, clock, "r")
        bridge = Bridge(LinkOptions("127.0.0.1", 1), "r", Membership("c"), lambda _: None)
        planning = Planning(ground, bridge, lambda *_: False)
        for number in range(MAX_PROBES):
            planning.note(Batch(newest={("agra", f"n{number}"): received}))
        assert planning.withheld.detail() == {"withheld_sites": 1, "withheld": {"agra": "n63"}}
        clock.advance(100 * SECOND_NS)
        planning.note(Batch(newest={("agra", "new"): received}))
        clock.advance(100 * SECOND_NS)
        assert planning.withheld.now() == {"agra": "new"}
        clock.advance(100 * SECOND_NS)
        assert planning.withheld.detail() == {"withheld_sites": 0, "withheld": {}}
        planning.note(Batch(newest={("agra", "new"): received}))
        ground.close()
    assert [record.probe for record in caplog.records] == ["n63", "new"]  # type: ignore[attr-defined]


def test_who_is_refused_costs_no_look_at_all_the_others() -> None:
    """The places of a full site are gone through once for each roll, however often one more speaks; a new roll frees them."""
    asked: list[str] = []
    revoked: set[str] = set()
    refused: list[str] = []
    roll = [0]

    def is_revoked(_: str, probe: str) -> bool:
        asked.append(probe)
        return probe in revoked

    planner = Planner(
        "r", Broker().publish, is_revoked, lambda _, probe: refused.append(probe), lambda: roll[0]
    )
    for number in range(MAX_PROBES - 1):
        planner.heard("agra", f"n{number}")
    for _ in range(100):
        planner.heard("agra", "new")
    assert len(refused) == 100
    assert len(asked) == MAX_PROBES
    revoked.add("n7")
    roll[0] = 1
    planner.heard("agra", "new")
    planner.heard("agra", "more")
    assert refused[100:] == ["more"]


def test_plans_are_made_anew_for_another_hour_or_configuration(config_file: Path) -> None:
    """And only then."""
    config = LiveConfig(config_file).current
    planner = Planner("r", Broker().publish)
    planner.adopt({}, config, 5 * HOUR_NS)
    assert not planner.outdated(config, 6 * HOUR_NS - 1)
    assert planner.outdated(config, 6 * HOUR_NS)
    assert planner.outdated(LiveConfig(config_file).current, 5 * HOUR_NS)
