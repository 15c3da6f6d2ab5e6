"""The default route and the interface counters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest

from probes.icmp.gateway import Gateway, default_gateway
from probes.kernel.interface_counters import Sample, read_counters
from probes.kernel.interfaces import LinkMeters
from telemetry.clock import ManualClock
from telemetry.messages import Link
from telemetry.windows import SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"


def routes(tmp_path: Path, *lines: str) -> Path:
    file = tmp_path / "route"
    file.write_text(HEADER + "".join(line + "\n" for line in lines), encoding="ascii")
    return file


def test_default_route_with_the_least_metric(tmp_path: Path) -> None:
    """Of several default routes that are up the one with the least metric counts; other routes never do."""
    file = routes(
        tmp_path,
        "wwan0\t00000000\t0100A8C0\t0003\t0\t0\t700\t00000000\t0\t0\t0",
        "eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0",
        "eth1\t00000000\t0101000A\t0002\t0\t0\t1\t00000000\t0\t0\t0",
        "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
    )
    assert default_gateway(file) == Gateway("eth0", "192.0.2.1")


def test_point_to_point_line_has_no_next_hop(tmp_path: Path) -> None:
    """A default route without a gateway names its interface only."""
    file = routes(tmp_path, "ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0")
    assert default_gateway(file) == Gateway("ppp0", None)


@pytest.mark.parametrize(
    "lines",
    [(), ("rubbish",), ("eth0\tzz\tzz\t0003\t0\t0\t0\t00000000\t0\t0\t0",), ("eth0 00000000 010200C0",)],
)
def test_no_default_route_is_none(tmp_path: Path, lines: tuple[str, ...]) -> None:
    """Without a default route, or with a table that cannot be read, there is none."""
    assert default_gateway(routes(tmp_path, *lines)) is None
    assert default_gateway(tmp_path / "missing") is None


class Meter:
    """Link meters over counters that the test sets."""

    def __init__(self) -> None:
        self.clock = ManualClock(100 * WINDOW_NS, 0)
        self.counters = {"eth0": Sample(0, 0, 0, 0, 0, is_up=True)}
        self.route: str | None = "eth0"
        self.links = LinkMeters(self.clock, read=self._read, route=lambda: self.route)

    def _read(self, mono_ns: int) -> dict[str, Sample]:
        return {name: sample._replace(mono_ns=mono_ns) for name, sample in self.counters.items()}

    def window(self, *, seconds: float = 15, **changes: int) -> Link | None:
        """Let a window pass in which the counters rise; what it is reported as."""
        start_ns = self.clock.now_ns()
        self.clock.advance(int(seconds * SECOND_NS))
        now = self.counters["eth0"]
        self.counters["eth0"] = now._replace(
            **{key: getattr(now, key) + value for key, value in changes.items()}
        )
        self.links.sample()
        return self.links.take("auto", start_ns)


@pytest.fixture
def meter() -> Meter:
    made = Meter()
    made.links.watch("auto")
    return made


def test_first_window_is_absent_then_rates_are_per_second(meter: Meter) -> None:
    """The first window has no beginning; after it bytes become bits per second, errors and drops are counts."""
    assert meter.window(sent_bytes=10**9) is None
    assert meter.window(sent_bytes=15_000_000, received_bytes=30_000_000, errors=2, drops=3) == Link(
        interface="eth0", up_bps=8e6, down_bps=16e6, errors=2, drops=3, is_up=True
    )
    idle = meter.window()
    assert idle is not None
    assert (idle.up_bps, idle.down_bps, idle.errors) == (0.0, 0.0, 0)


def test_counters_that_ran_backwards_leave_the_window_out(meter: Meter) -> None:
    """An interface that was made anew starts from 0: that window is absent, the next is right."""
    meter.window(sent_bytes=10**9)
    assert meter.window(sent_bytes=-(10**9)) is None
    after = meter.window(sent_bytes=15)
    assert after is not None
    assert after.up_bps == 8.0


def test_samples_that_are_not_a_window_apart_are_left_out(meter: Meter) -> None:
    """When the machine slept, or the clock was set, the window is absent."""
    meter.window()
    start_ns = meter.clock.now_ns()
    assert meter.window(seconds=17, sent_bytes=100) is None
    assert meter.links.take("auto", start_ns) is None


def test_interface_that_went_away_and_route_that_moved(meter: Meter) -> None:
    """Without the interface the window is absent; when the default route moves, the other interface is reported."""
    meter.window()
    assert meter.links.take("", 0) is None
    meter.counters["wwan0"] = Sample(0, 0, 0, 0, 0, is_up=True)
    meter.window()
    meter.route = "wwan0"
    link = meter.window()
    assert link is not None
    assert link.interface == "wwan0"
    del meter.counters["wwan0"]
    assert meter.window() is None
    meter.route = None
    assert meter.window() is None


def test_few_windows_are_kept(meter: Meter) -> None:
    """Windows that nobody takes do not pile up."""
    for _ in range(50):
        meter.window()
    assert len(meter.links._closed) == 8


def test_real_counters_of_this_machine() -> None:
    """The loopback of this machine has counters, and they are psutil's own."""
    before = psutil.net_io_counters(pernic=True, nowrap=False)["lo"]
    sample = read_counters(5)["lo"]
    after = psutil.net_io_counters(pernic=True, nowrap=False)["lo"]
    assert before.bytes_sent <= sample.sent_bytes <= after.bytes_sent
    assert before.bytes_recv <= sample.received_bytes <= after.bytes_recv
    assert sample.is_up is True
    assert sample.mono_ns == 5


@pytest.mark.parametrize("step_s", [-3600, 3600])
def test_a_stepped_clock_is_in_no_rate(meter: Meter, step_s: int) -> None:
    """The clock is set in mid-window in either direction: bits are over the seconds that passed, or not told of a window that was cut."""
    meter.window(sent_bytes=0)
    meter.clock.step(step_s * SECOND_NS)
    whole = meter.window(sent_bytes=15_000)
    assert whole is not None
    assert whole.up_bps == 8_000
    assert meter.window(seconds=7, sent_bytes=15_000) is None
