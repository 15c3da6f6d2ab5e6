"""Plans follow the calendar, and reach those whom they concern."""

from __future__ import annotations

import itertools
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.commits import Batch
from collector.ground import Ground
from collector.link import LinkOptions
from collector.mqtt import Bridge, Membership, Sending
from collector.planner import MAX_PROBES, Planner
from collector.planning import Planning
from collector.plans import MAX_RATES, merge, plan_everyone, site_plan
from config.live import LiveConfig
from config.settings import Probing
from telemetry.clock import ManualClock, SystemClock
from telemetry.codec import decode_control, encode_control
from telemetry.control import Plan, PlannedEnd, PlannedReach, Rate
from telemetry.state.db import StateDb
from telemetry.store.memory import MemoryStore
from telemetry.windows import HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from pathlib import Path

    from telemetry.store.protocol import Received

MINUTE_NS = 60 * SECOND_NS


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND_NS


EVENT = """BEGIN:VEVENT
UID:{uid}
DTSTAMP:20261101T000000Z
DTSTART:{start}
DTEND:{end}
SUMMARY:{uid}
ATTENDEE:urn:tatpar:site:{site}
END:VEVENT
"""


@pytest.fixture
def meet(config_file: Path) -> object:
    """Writes meetings of one office each, as (uid, start, end, site)."""

    def write(*meetings: tuple[str, str, str, str]) -> None:
        events = "".join(EVENT.format(uid=u, start=s, end=e, site=o) for u, s, e, o in meetings)
        text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n{events}END:VCALENDAR\n"
        (config_file.parent / "meetings" / "all.ics").write_text(text.replace("\n", "\r\n"), encoding="utf-8")

    return write


def test_the_rate_rises_half_an_hour_before_a_meeting_and_falls_at_its_end(
    config_file: Path, meet: object
) -> None:
    """Only the invited office's; the others keep the base rate."""
    meet(("one", "20261123T100000Z", "20261123T110000Z", "agra"))  # type: ignore[operator]
    plans = plan_everyone(LiveConfig(config_file).current, at("2026-11-23T08:20:00"))
    rate = Rate(
        from_ns=at("2026-11-23T09:30:00"), until_ns=at("2026-11-23T11:00:00"), rate_pps=50, end="state"
    )
    assert set(plans) == {"agra", "meerut"}
    assert plans["agra"].rates == (rate,)
    assert plans["agra"].base_rate_pps == 10
    assert plans["agra"].valid_until_ns == at("2026-11-24T10:00:00")
    assert plans["agra"].ends == (PlannedEnd(end="state", reflectors=("127.0.0.1:862",)),)
    assert plans["meerut"].rates == ()


def test_a_plan_says_what_to_ask_beside_the_line(config_file: Path) -> None:
    """The room's device of the office's own line, the platform of the settings; an office without a device asks the platform alone.

    Without any of it a plan is as it was before there was reachability, to the octet.
    """
    before = encode_control(plan_everyone(LiveConfig(config_file).current, at("2026-11-23T08:20:00"))["agra"])
    assert b"reach" not in before
    sites = config_file.parent / "sites.csv"
    heading, *rows = sites.read_text(encoding="utf-8").splitlines()
    cells = ["sip:10.1.2.3 h323:10.1.2.3" if row.startswith("agra,") else "" for row in rows]
    sites.write_text(
        "\n".join(
            [f"{heading},room_device", *(f"{row},{cell}" for row, cell in zip(rows, cells, strict=True))]
        ),
        encoding="utf-8",
    )
    with config_file.open("a", encoding="utf-8") as settings:
        settings.write('\n[reach]\nedges = ["tls:meet.example"]\nevery_s = 30\n')
    plans = plan_everyone(LiveConfig(config_file).current, at("2026-11-23T08:20:00"))
    edge = PlannedReach(target="edge", ask="tls:meet.example:443")
    room = (
        PlannedReach(target="room", ask="sip:10.1.2.3:5060"),
        PlannedReach(target="room", ask="h323:10.1.2.3:1720"),
    )
    assert plans["agra"].reach == (*room, edge)
    assert plans["meerut"].reach == (edge,)
    assert plans["agra"].reach_every_s == 30


def test_a_region_may_have_an_edge_of_its_own(config_file: Path) -> None:
    """Its offices are sent there instead; the others ask what the settings say for all."""
    sites = config_file.parent / "sites.csv"
    sites.write_text(sites.read_text(encoding="utf-8").replace("मेरठ,west", "मेरठ,awadh"), encoding="utf-8")
    registry = LiveConfig(config_file).current.registry.by_id
    assert registry["agra"].region != registry["meerut"].region
    own = "\n".join(
        f'[[regions]]\nid = "{name}"\nname_en = "A"\nname_hi = "अ"'
        + ('\nreach_edges = ["tls:near.example"]' if name == registry["agra"].region else "")
        for name in sorted({site.region for site in registry.values()})
    )
    with config_file.open("a", encoding="utf-8") as settings:
        settings.write(f'\n{own}\n[reach]\nedges = ["tls:meet.example"]\n')
    plans = plan_everyone(LiveConfig(config_file).current, at("2026-11-23T08:20:00"))
    assert [one.ask for one in plans["agra"].reach] == ["tls:near.example:443"]
    assert [one.ask for one in plans["meerut"].reach] == ["tls:meet.example:443"]


def test_meetings_that_follow_each_other_make_one_span(config_file: Path, meet: object) -> None:
    """The rate does not dip between two meetings less than half an hour apart."""
    meet(  # type: ignore[operator]
        ("one", "20261123T100000Z", "20261123T110000Z", "agra"),
        ("two", "20261123T112000Z", "20261123T114500Z", "agra"),
    )
    plan = plan_everyone(LiveConfig(config_file).current, at("2026-11-23T08:20:00"))["agra"]
    assert [(r.from_ns, r.until_ns) for r in plan.rates] == [
        (at("2026-11-23T09:30:00"), at("2026-11-23T11:45:00"))
    ]


def test_a_meeting_just_past_the_plan_s_end_already_counts(config_file: Path, meet: object) -> None:
    """Its lead begins within the plan."""
    meet(("one", "20261124T101500Z", "20261124T110000Z", "agra"))  # type: ignore[operator]
    plan = plan_everyone(LiveConfig(config_file).current, at("2026-11-23T08:20:00"))["agra"]
    assert plan.valid_until_ns == at("2026-11-24T10:00:00")
    assert [r.from_ns for r in plan.rates] == [at("2026-11-24T09:45:00")]


def test_a_plan_made_during_a_meeting_still_holds_it(config_file: Path, meet: object) -> None:
    """A collector started in mid-meeting does not lower the rate."""
    meet(("one", "20261123T100000Z", "20261123T110000Z", "agra"))  # type: ignore[operator]
    now_ns = at("2026-11-23T10:40:00")
    plan = plan_everyone(LiveConfig(config_file).current, now_ns)["agra"]
    assert any(r.from_ns <= now_ns < r.until_ns for r in plan.rates)


def test_within_an_hour_a_plan_does_not_change(config_file: Path, meet: object) -> None:
    """So it is published once, and again with the hour."""
    meet(("one", "20261123T100000Z", "20261123T110000Z", "agra"))  # type: ignore[operator]
    config = LiveConfig(config_file).current
    first, last, next_hour = (
        plan_everyone(config, at(f"2026-11-23T{t}")) for t in ("08:00:00", "08:59:59", "09:00:00")
    )
    assert first == last
    assert first != next_hour


def test_a_plan_too_long_is_cut_where_it_says_so() -> None:
    """It runs out where the first span that is left out begins."""
    spans = [(i * HOUR_NS, i * HOUR_NS + MINUTE_NS) for i in range(MAX_RATES + 5)]
    plan = site_plan({"state": spans}, (), Probing(), 10**18)
    assert len(plan.rates) == MAX_RATES
    assert plan.valid_until_ns == MAX_RATES * HOUR_NS


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 10)), max_size=12))
def test_merged_spans_cover_the_same_time_once(spans: list[tuple[int, int]]) -> None:
    """Nothing more, nothing less, and no two touch."""
    given_spans = [(a, a + length) for a, length in spans]
    merged = merge(given_spans)
    assert {t for a, b in merged for t in range(a, b)} == {t for a, b in given_spans for t in range(a, b)}
    assert all(first[1] < second[0] for first, second in itertools.pairwise(merged))


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
