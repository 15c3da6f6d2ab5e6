"""Live reports of a slow clock get their time; what merely waited keeps its own."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict, Unpack

import pytest
from msgspec import structs
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from collector import office_clocks
from collector.boots import LASTING_SYNCHRONISED_NS
from collector.message import Message
from collector.mqtt import Membership
from collector.office_clocks import OfficeClocks
from collector.outcome import RefusalCode, Refused
from telemetry.messages import Clock, ClockState
from telemetry.store.protocol import Received, Selection
from telemetry.windows import DAY_NS, HOUR_NS, MS_NS, SECOND_NS, WINDOW_NS, window_start

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from collector.service import Collector
    from telemetry.messages import Envelope
    from tests.collector.conftest import Hub, Office

NOW = window_start(1_790_000_000_000_000_000)
MADE_AFTER = 18 * SECOND_NS
UNSYNCHRONISED = Clock(state=ClockState.UNSYNCHRONISED)
MINUTE_NS = 60 * SECOND_NS


class Told(TypedDict, total=False):
    """What else a report may be: kept waiting by a broker, of this age as the probe says it, live or not, of which boot."""

    waited_ns: int
    age_ms: int | None
    live: bool
    boot: str


@dataclass
class Line:
    """One probe's reports: number `turn` is of the window `turn` after NOW, dated `slow_ns` behind it."""

    make: Callable[..., Envelope]
    clocks: OfficeClocks
    clock: Clock = UNSYNCHRONISED

    def start(self, turn: int, slow_ns: int, **told: Unpack[Told]) -> int:
        """Where the report is dated in the end, relative to the window in which it was measured; ns."""
        true_ns = NOW + turn * WINDOW_NS
        mended = self.settled(turn, slow_ns, **told)
        assert not isinstance(mended, Refused)
        if mended is None:
            return -slow_ns
        assert mended.payload == b"", "what is stored is the mended one"
        assert mended.envelope.clock.state is ClockState.UNSYNCHRONISED
        assert mended.envelope.clock.offset_ms == (true_ns - slow_ns - mended.envelope.start_ns) / MS_NS
        return mended.envelope.start_ns - true_ns

    def settled(self, turn: int, slow_ns: int, **told: Unpack[Told]) -> Received | Refused | None:
        """What becomes of the report; live, of the first boot and 200 ms old where nothing else is told."""
        true_ns, age_ms = NOW + turn * WINDOW_NS, told.get("age_ms", 200)
        boot = told.get("boot", "boot-1")
        envelope = self.make(turn + 1, start_ns=true_ns - slow_ns, clock=self.clock, boot=boot)
        received_ns = true_ns + MADE_AFTER + (age_ms or 0) * MS_NS + told.get("waited_ns", 0)
        message = Message("t", b"", received_ns, age_ms=age_ms)
        report = Received(envelope, received_ns, backlog=not told.get("live", True), payload=b"as it came")
        return self.clocks.settle(report, message, misdated=False)

    def said(self) -> list[int]:
        """By how much the clock was said to be ahead since the last time; ns."""
        return [one.ahead_ns for one in self.clocks.news()[1]]


@pytest.fixture
def line(make_envelope: Callable[..., Envelope]) -> Line:
    return Line(make_envelope, OfficeClocks())


@pytest.mark.parametrize("slow_ns", [5 * WINDOW_NS, 6 * MINUTE_NS, 3 * HOUR_NS, 80 * 24 * HOUR_NS])
def test_from_its_second_report_on_a_slow_clock_is_redated(line: Line, slow_ns: int) -> None:
    """Late by the same twice, a window apart in our time."""
    assert [line.start(turn, slow_ns) for turn in range(4)] == [-slow_ns, 0, 0, 0]


@pytest.mark.parametrize("slow_ns", [0, WINDOW_NS, 4 * WINDOW_NS])
def test_up_to_a_minute_a_date_stands(line: Line, slow_ns: int) -> None:
    assert [line.start(turn, slow_ns) for turn in range(4)] == [-slow_ns] * 4


@pytest.mark.parametrize("age_ms", [0, 40_000])
def test_how_long_a_report_was_kept_is_no_slowness(line: Line, age_ms: int) -> None:
    """The probe itself held it back, and says so."""
    assert [line.start(turn, WINDOW_NS, age_ms=age_ms) for turn in range(4)] == [-WINDOW_NS] * 4


@pytest.mark.parametrize("drain_s", [0.0, 0.5, 5.0])
def test_a_queue_that_the_broker_kept_for_us_keeps_its_dates(line: Line, drain_s: float) -> None:
    """We were away for ten minutes; each report's `age-ms` is from before that, and so of no help."""
    back_ns = 40 * WINDOW_NS
    for turn in range(40):
        waited_ns = back_ns - turn * WINDOW_NS + round(turn * drain_s * SECOND_NS)
        assert line.start(turn, 0, waited_ns=waited_ns) == 0
    for turn in range(55, 60):
        assert line.start(turn, 0) == 0


def test_the_same_packets_again_prove_nothing(line: Line) -> None:
    """Not acknowledged, so the broker sends it again, with the age that it had at first."""
    for waited_s in (70, 85, 100, 200):
        assert line.start(0, 0, waited_ns=waited_s * SECOND_NS) == 0


def test_a_spool_of_hours_keeps_its_dates(line: Line) -> None:
    """Backlog is old because it waited."""
    for turn in range(8):
        age_ns = (100 - turn) * WINDOW_NS
        assert line.start(turn, 0, age_ms=age_ns // MS_NS, live=False) == 0
        assert line.start(turn, 0, waited_ns=HOUR_NS, age_ms=age_ns // MS_NS, live=False) == 0


def test_the_backlog_of_a_slow_clock_lands_beside_its_live_reports(line: Line) -> None:
    """Else an outage of a slow office would be a hole, and the same hour have double."""
    for turn in range(3):
        line.start(turn + 100, 3 * HOUR_NS)
    assert line.start(50, 3 * HOUR_NS, age_ms=60 * 15_000, live=False) == 0
    assert line.start(51, 0, age_ms=60 * 15_000, live=False) == 0, "from before the clock was set wrong"
    other_boot = line.start(52, 3 * HOUR_NS, age_ms=60 * 15_000, live=False, boot="boot-0")
    assert other_boot == -3 * HOUR_NS


def test_without_an_age_a_date_stands(line: Line) -> None:
    """An old probe, or one whose monotonic clock does not vouch."""
    assert [line.start(turn, 3 * HOUR_NS, age_ms=None) for turn in range(9)] == [-3 * HOUR_NS] * 9


def test_a_probe_that_says_its_clock_is_right_is_believed_for_a_minute(line: Line) -> None:
    """Its source of time may be wrong; a narrow line may be slow for a while."""
    line.clock = Clock(state=ClockState.SYNCHRONISED)
    held = LASTING_SYNCHRONISED_NS // WINDOW_NS
    assert [line.start(turn, HOUR_NS) for turn in range(held + 2)] == [-HOUR_NS] * held + [0, 0]


def test_a_slow_clock_behind_a_queue_keeps_its_offset(line: Line) -> None:
    """The wait is not taken for more slowness."""
    for turn in range(3):
        line.start(turn, 6 * MINUTE_NS)
    for turn in range(3, 20):
        assert line.start(turn, 6 * MINUTE_NS, waited_ns=(20 - turn) * WINDOW_NS) == 0


def test_a_clock_that_is_set_right_is_believed_at_once(line: Line) -> None:
    for turn in range(3):
        line.start(turn, 3 * HOUR_NS)
    assert [line.start(turn, 0) for turn in range(3, 6)] == [0, 0, 0]
    assert line.start(6, 0, waited_ns=3 * HOUR_NS) == 0, "and what was known is forgotten"


@pytest.mark.parametrize("better_ns", [2 * MINUTE_NS, 6 * HOUR_NS])
def test_a_clock_that_is_set_wrong_otherwise_is_followed(line: Line, better_ns: int) -> None:
    for turn in range(3):
        line.start(turn, 3 * HOUR_NS)
    line.start(3, better_ns)
    assert [line.start(turn, better_ns) for turn in range(4, 6)] == [0, 0]


def test_an_offset_that_is_a_window_off_is_mended(line: Line) -> None:
    """Found from a probe that closed its windows early, as one does that has just been started."""
    for turn in range(3):
        line.start(turn, 23 * WINDOW_NS)
    assert [line.start(turn, 24 * WINDOW_NS) for turn in range(3, 6)] == [-WINDOW_NS, 0, 0]


def test_lateness_between_two_windows_does_not_go_to_and_fro(line: Line) -> None:
    """Windows that follow each other stay so while receipt jitters."""
    jitter_s = (7, 8, 6, 9, 8, 7, 6, 8, 9, 7)
    starts = [line.start(turn, HOUR_NS, waited_ns=s * SECOND_NS) for turn, s in enumerate(jitter_s)]
    assert len(set(starts[1:])) == 1


def test_an_absurd_age_harms_nobody(line: Line) -> None:
    """A probe that lies can misdate its own reports only within what any date may be."""
    assert [line.start(turn, 0, age_ms=10**14) for turn in range(3)] == [0, 0, 0]


def test_a_slow_clock_is_told_once(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for turn in range(9):
            line.start(turn, 6 * MINUTE_NS)
    told = [record for record in caplog.records if getattr(record, "event", "") == "report.slow-clock"]
    assert [(one.site, one.behind_s) for one in told] == [("agra", 360.0)]  # type: ignore[attr-defined]


def test_while_a_report_is_in_doubt_its_clock_is_not_called_right(line: Line) -> None:
    """Three hours slow, then set to two, and the first report after that waited: for the line, or for its clock."""
    for turn in range(3):
        line.start(turn, 3 * HOUR_NS)
    assert line.said() == [-3 * HOUR_NS]
    outcome = line.settled(3, 2 * HOUR_NS, waited_ns=90 * SECOND_NS)
    assert isinstance(outcome, Refused)
    assert outcome.code is RefusalCode.UNDATED
    assert line.said() == []
    for turn in range(4, 7):
        line.settled(turn, 2 * HOUR_NS)
    assert line.said() == [-2 * HOUR_NS]
    line.start(7, 0)
    assert line.said() == [0]


def test_that_a_clock_is_wrong_is_kept_anew_each_day_while_it_is_heard(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    """Who reads it knows by that whether it is heard still; the log is not told again."""
    a_day = DAY_NS // WINDOW_NS
    with caplog.at_level(logging.WARNING):
        for turn in range(3 * a_day):
            line.settled(turn, 3 * HOUR_NS)
    assert line.said() == [-3 * HOUR_NS] * 3
    assert len([one for one in caplog.records if getattr(one, "event", "") == "report.slow-clock"]) == 1


def test_what_is_read_again_costs_a_probe_nothing(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Collectors that share read what was kept each second; only what is new makes a probe be thought about anew."""
    for turn in range(4):
        line.start(turn, 3 * HOUR_NS)
    boots, _ = line.clocks.news()
    assert boots
    line.clocks.take_over(boots, {})
    monkeypatch.setattr(office_clocks, "learnt", None)
    assert line.start(4, 3 * HOUR_NS) == 0
    line.clocks.take_over([structs.replace(boots[0], at_ns=boots[0].at_ns + 1)], {})
    with pytest.raises(TypeError):
        line.start(5, 3 * HOUR_NS)


@dataclass
class HandSet:
    """The hub's clock, set by the test."""

    at_ns: int

    def now_ns(self) -> int:
        return self.at_ns

    def monotonic_ns(self) -> int:
        return self.at_ns


def _age(age_ms: int) -> Properties:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.UserProperty = [("age-ms", str(age_ms))]
    return properties


async def test_an_office_six_minutes_slow_is_seen_now(
    hub: Hub, eventually: Callable[..., Awaitable[None]], make_envelope: Callable[..., Envelope]
) -> None:
    """Through each broker, the collector and the store: the newest windows are those in which it measured."""
    clock = HandSet(NOW + MADE_AFTER + SECOND_NS)
    async with hub.collecting(clock=clock) as collector, hub.office() as agra:
        for turn in range(4):
            start_ns = NOW + turn * WINDOW_NS - 6 * MINUTE_NS
            report = make_envelope(turn + 1, start_ns=start_ns, clock=UNSYNCHRONISED)
            await agra.report(report, properties=_age(300))
            await eventually(lambda so_far=turn + 1: collector.counters.stored == so_far)
            clock.at_ns += WINDOW_NS
        assert collector.counters.redated == 3
    starts = sorted(hub.store.streams(Selection(0, 2**62)).columns["start_ns"].tolist())
    assert starts == [NOW - 6 * MINUTE_NS, *(NOW + turn * WINDOW_NS for turn in (1, 2, 3))]


async def test_what_is_known_of_a_clock_outlives_a_restart_and_is_told_until_it_is_right(
    hub: Hub, eventually: Callable[..., Awaitable[None]], make_envelope: Callable[..., Envelope]
) -> None:
    """Only the first report of the office lies where its own clock put it, whoever starts anew meanwhile."""
    clock, turns = HandSet(NOW + MADE_AFTER + SECOND_NS), iter(range(100))

    async def report(office: Office, collector: Collector, slow_ns: int) -> None:
        turn, before = next(turns), collector.counters.stored
        start_ns = NOW + turn * WINDOW_NS - slow_ns
        made = make_envelope(turn + 1, start_ns=start_ns, clock=UNSYNCHRONISED)
        await office.report(made, properties=_age(300))
        await eventually(lambda: collector.counters.stored == before + 1)
        clock.at_ns += WINDOW_NS

    async with hub.office() as agra:
        for _ in range(3):
            async with hub.collecting(clock=clock) as collector:
                for _ in range(2):
                    await report(agra, collector, 6 * MINUTE_NS)
                await eventually(lambda: hub.state.boots() and hub.state.wrong_clocks(0))
        [wrong] = hub.state.wrong_clocks(0)
        assert (wrong.site, wrong.ahead_ns, wrong.until_ns) == ("agra", -6 * MINUTE_NS, None)
        async with hub.collecting(clock=clock) as collector:
            for _ in range(2):
                await report(agra, collector, 0)
            await eventually(lambda: hub.state.wrong_clocks(0)[0].until_ns)
    assert hub.state.wrong_clocks(clock.at_ns) == []
    starts = sorted(hub.store.streams(Selection(0, 2**62)).columns["start_ns"].tolist())
    assert starts == [NOW - 6 * MINUTE_NS, *(NOW + turn * WINDOW_NS for turn in range(1, 8))]


async def test_collectors_that_share_know_of_a_clock_what_one_of_them_found(
    hub: Hub, eventually: Callable[..., Awaitable[None]], make_envelope: Callable[..., Envelope]
) -> None:
    """The next report of the office comes to another, which has never heard it."""
    clock = HandSet(NOW + MADE_AFTER + SECOND_NS)

    def made(turn: int) -> Envelope:
        start_ns = NOW + turn * WINDOW_NS - 6 * MINUTE_NS
        return make_envelope(turn + 1, start_ns=start_ns, clock=UNSYNCHRONISED)

    async with hub.collecting(clock=clock, membership=Membership.member()) as first:
        async with hub.office() as agra:
            for turn in range(2):
                await agra.report(made(turn), properties=_age(300))
                await eventually(lambda so_far=turn + 1: first.counters.stored == so_far)
                clock.at_ns += WINDOW_NS
            await eventually(hub.state.boots)
        async with hub.collecting(clock=clock, membership=Membership.member()) as second:
            first.stop()
            await eventually(lambda: not first.bridge.connected)
            async with hub.office() as agra:
                await agra.report(made(2), properties=_age(300))
                await eventually(lambda: second.counters.stored == 1)
            assert second.counters.redated == 1
