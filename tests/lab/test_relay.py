"""The UDP relay against a real reflector on loopback, held against its own truth log."""

from __future__ import annotations

import socket
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lab.line.direction import Fate
from lab.line.impairment import Impairment
from lab.line.relay import MOST_FLOWS, Lateness, UdpLine
from lab.line.truth import UP, TruthLog
from lab.line.truth_reader import departures, read_truth
from tests.ports import free_udp_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import EchoReflector, Helpers

    from lab.line.reactor import Reactor
    from lab.line.truth_reader import LineTruth

    Line = tuple[UdpLine, TruthLog, Path]


TRIES = 20
BURST_NS = 15_000_000
"""In which sixty packets are a burst: a queue that sends one every 5 ms makes room for three more meanwhile."""
HURRIED = 0.1
"""Of the packets as many may be sent on the heels of the one before: such a pair waits in one queue, and its delays are alike."""
QUIET_US = 60
"""How much one packet may leave later after its time than the one before, in the middle; a quiet machine: tens of microseconds."""


@pytest.fixture
def line(
    reactor: Reactor, reflector: EchoReflector, tmp_path: Path, helpers: type[Helpers]
) -> Iterator[Line]:
    """A running line to the reflector, its truth log and its lateness."""
    log = TruthLog(tmp_path / "truth", [("office", "state")])
    udp = UdpLine(reactor, 0, reflector.address, "seed", truth=log, lateness=Lateness())
    with helpers.running(reactor):
        yield udp, log, tmp_path / "truth"
    udp.close()
    log.close()


def truth_of(log: TruthLog, folder: Path) -> LineTruth:
    log.flush()
    return read_truth(folder).line("office", "state")


def test_clear_line_carries_everything(line: Line, helpers: type[Helpers]) -> None:
    """Every packet comes back once, in order, with the reflector's own numbers."""
    udp, log, folder = line
    probe = helpers.Probe(udp.port)
    probe.stream(100, 0.002, least=100)
    probe.close()
    assert [(seq, own) for seq, own, _ in probe.came] == [(n, n) for n in range(100)]
    truth = truth_of(log, folder).of_seq(0, 99)
    assert (truth.sent, truth.received, truth.lost, truth.unanswered) == (100, 100, 0, 0)
    assert truth.resolution_ns == 0  # every departure has its kernel stamp


@pytest.mark.parametrize("way", ["up", "down"])
def test_loss_and_its_direction(line: Line, helpers: type[Helpers], way: str) -> None:
    """What did not come back is lost in the truth log, in the direction that lost it, packet by packet."""
    udp, log, folder = line
    getattr(udp, way).state = Impairment(loss_ratio=0.2)
    probe = helpers.Probe(udp.port)
    probe.stream(300, 0.001)
    probe.close()
    truth = truth_of(log, folder).of_seq(0, 299)
    came = {seq for seq, _, _ in probe.came}
    assert truth.received == len(came)
    assert truth.lost == 300 - len(came)
    directions = {"up": truth.up.lost, "down": truth.down.lost}
    assert directions.pop(way) == 300 - len(came)
    assert set(directions.values()) == {0}
    assert helpers.within_binomial(truth.lost, 300, 0.2)


def test_duplicates_are_counted_in_their_direction(line: Line, helpers: type[Helpers]) -> None:
    """A copy made upward is answered twice with two numbers; one made downward is the same answer twice."""
    udp, log, folder = line
    udp.up.state = Impairment(duplicate_ratio=0.3)
    probe = helpers.Probe(udp.port)
    probe.stream(100, 0.002)
    up_copies = len(probe.came) - 100
    udp.up.state, udp.down.state = Impairment(), Impairment(duplicate_ratio=0.3)
    for seq in range(100, 200):
        probe.send(seq)
        probe.take(0.002)
    probe.take_rest()
    probe.close()
    truth = truth_of(log, folder)
    first, second = truth.of_seq(0, 99), truth.of_seq(100, 199)
    assert (first.up.duplicated, first.down.duplicated) == (up_copies, 0)
    assert (second.up.duplicated, second.down.duplicated) == (0, len(probe.came) - 200 - up_copies)
    assert up_copies > 10
    assert second.down.duplicated > 10
    assert (first.received, second.received) == (100, 100)


def test_reordering_is_what_the_probe_sees(line: Line, helpers: type[Helpers]) -> None:
    """The truth log counts as many reordered packets as arrive after a later one."""
    udp, log, folder = line
    udp.down.state = Impairment(delay_ms=2, reorder_ratio=0.1)
    probe = helpers.Probe(udp.port)
    probe.stream(200, 0.004, least=200)
    probe.close()
    order = [seq for seq, _, _ in probe.came]
    late = sum(seq < max(order[: n + 1]) for n, seq in enumerate(order))
    truth = truth_of(log, folder).of_seq(0, 199)
    assert truth.down.reordered == late > 5
    assert truth.up.reordered == 0


def test_delay_is_kept_to_a_fraction_of_a_millisecond(line: Line, helpers: type[Helpers]) -> None:
    """No packet leaves before its time, half of them soon after it, and the probe sees what the log says."""
    udp, log, folder = line
    udp.up.state = udp.down.state = Impairment(delay_ms=10)
    probe = helpers.Probe(udp.port)
    probe.stream(200, 0.005, least=200)
    probe.close()
    truth = truth_of(log, folder).of_seq(0, 199)
    for way in (truth.up, truth.down):
        assert way.delay_ns.min() >= 10_000_000
    left = truth_of(log, folder).records
    late_ns = left["late_us"].astype(np.int64) * 1000
    spent_ns = np.concatenate([truth.up.delay_ns, truth.down.delay_ns])
    # Longer than asked only by what the log says itself; how soon on a quiet machine: see the benchmark.
    assert np.median(spent_ns) - np.median(late_ns) == pytest.approx(10e6, abs=5e5)
    seen = np.median([at - probe.sent_ns[seq] for seq, _, at in probe.came])
    assert seen >= np.median(truth.rtt_ns)


def test_jitter_of_the_log_is_the_lines(line: Line, helpers: type[Helpers]) -> None:
    """The log's RFC 3550 jitter comes near the jitter that was asked for, but for what the machine itself adds in the same run."""
    udp, log, folder = line
    probe = helpers.Probe(udp.port)
    for first in range(0, 600 * TRIES, 600):
        udp.up.state = Impairment(delay_ms=5)
        probe.stream(200, 0.005, first=first)
        udp.up.state = Impairment(delay_ms=5, jitter_ms=1)
        probe.stream(400, 0.005, first=first + 200)
        truth = truth_of(log, folder)
        left = truth.records[(truth.records["direction"] == UP) & (truth.records["seq"] >= first + 200)]
        late_us = left["late_us"].astype(np.int64)[np.argsort(left["seq"])]
        sent_ns = np.array([probe.sent_ns[first + n] for n in range(200, 600)])
        hurried = np.mean(np.diff(sent_ns) < 2_500_000)
        if np.median(np.abs(np.diff(late_us))) < QUIET_US and hurried < HURRIED:
            break  # else the relay was late, or the probe hurried to catch up: the machine was too busy to tell
    probe.close()
    still, jittery = (truth.of_seq(first + at, first + upto).up for at, upto in ((0, 199), (200, 599)))
    own_ms, seen_ms = (float(np.median(np.abs(np.diff(each.delay_ns)))) / 1e6 for each in (still, jittery))
    # |D| of exponential delays of mean 1 is exponential too: its median, which spikes of a busy machine leave alone, is ln 2.
    assert 0.7 * 0.693 < seen_ms < 1.3 * 0.693 + 2 * own_ms
    assert jittery.jitter_ms > 0.6
    assert jittery.jitter_max_ms > jittery.jitter_ms


def test_outage_and_after(line: Line, helpers: type[Helpers]) -> None:
    """During an outage nothing comes; after it everything does, and the log tells outage from loss."""
    udp, log, folder = line
    probe = helpers.Probe(udp.port)
    udp.up.state = udp.down.state = Impairment(outage=True)
    for seq in range(20):
        probe.send(seq)
    assert helpers.eventually(
        lambda: udp.counts[0].arrived == 20
    )  # else they meet what comes after the outage
    probe.take(0.1)
    assert probe.came == []
    udp.up.state = udp.down.state = Impairment()
    for seq in range(20, 40):
        probe.send(seq)
    probe.take_rest(least=20)
    probe.close()
    assert [seq for seq, _, _ in probe.came] == list(range(20, 40))
    records = truth_of(log, folder).records
    assert set(records["seq"][records["fate"] == Fate.OUTAGE].tolist()) == set(range(20))


def test_rate_limit_queues_and_drops(line: Line, helpers: type[Helpers]) -> None:
    """A burst through a narrow line comes out at its rate, and what the queue cannot hold is lost."""
    udp, log, folder = line
    udp.up.state = Impairment(rate_bps=72 * 8 * 200, queue_ms=100)  # 200 packets a second, 20 in the queue
    probe = helpers.Probe(udp.port)
    for first in range(0, 60 * TRIES, 60):
        for seq in range(first, first + 60):
            probe.send(seq)
        probe.take_rest()
        truth = truth_of(log, folder)
        burst = (truth.records["direction"] == UP) & (truth.records["seq"] >= first)
        if np.ptp(truth.records["arrival_ns"][burst]) < BURST_NS:
            break  # else the machine stood still among them, and the queue emptied meanwhile: that was no burst
    probe.close()
    assert 20 <= truth.of_seq(first, first + 59).up.received <= 24
    up = truth.records[burst & (truth.records["fate"] == Fate.DELIVERED)]
    due_ns = departures(up) - up["late_us"].astype(np.int64) * 1000
    assert np.median(np.diff(due_ns)) == pytest.approx(5e6, abs=2e3)


def test_two_probes_on_one_line_are_two_sessions(
    line: Line, reflector: EchoReflector, helpers: type[Helpers]
) -> None:
    """A restarted probe, which sends from another port, is a new session to the reflector and in the log."""
    udp, log, folder = line
    first, second = helpers.Probe(udp.port), helpers.Probe(udp.port)
    first.stream(5, 0.001, least=5)
    second.stream(5, 0.001, least=5)
    first.close()
    second.close()
    assert [own for _, own, _ in second.came] == [0, 1, 2, 3, 4]
    assert len(reflector.answers) == 2
    truth = truth_of(log, folder)
    assert len(truth.sessions()) == 2
    assert all(truth.of_seq(0, 4, session).received == 5 for session in truth.sessions())


def test_flows_are_bounded(line: Line, reflector: EchoReflector, helpers: type[Helpers]) -> None:
    """However many addresses send, a line keeps no more than its bound of sockets."""
    udp, _, _ = line

    def answered() -> int:
        # Packets, not ports: the kernel may hand out the port of a flow that was let go a second time.
        return sum(reflector.answers.values())

    def reached(number: int) -> bool:
        return answered() == number

    for number in range(1, MOST_FLOWS * 3 + 1):
        probe = helpers.Probe(udp.port)
        probe.stream(1, 0.0, quiet_s=0.02)
        assert helpers.eventually(partial(reached, number))
        probe.close()
    assert len(udp._flows) == MOST_FLOWS
    assert answered() == MOST_FLOWS * 3


def test_nobody_listens_at_the_reflector(reactor: Reactor, helpers: type[Helpers]) -> None:
    """A dead reflector costs its packets, not the line: when it is back, so are the answers."""
    address = ("127.0.0.1", free_udp_port())
    udp = UdpLine(reactor, 0, address, "seed")
    with helpers.running(reactor):
        probe = helpers.Probe(udp.port)
        probe.stream(10, 0.002, quiet_s=0.05)
        assert probe.came == []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as back:
            back.bind(address)
            back.settimeout(60)
            probe.send(10)
            probe.send(11)  # the first send may still take the old refusal
            packet, peer = back.recvfrom(4096)
            back.sendto(helpers.reflected(packet, 0), peer)
            probe.take_rest(least=1)
        probe.close()
    udp.close()
    assert len(probe.came) == 1


def test_oversize_packets_are_dropped_and_logged(line: Line, helpers: type[Helpers]) -> None:
    """A datagram larger than the relay's buffer is dropped, said to be so, and disturbs nothing."""
    udp, log, folder = line
    probe = helpers.Probe(udp.port)
    probe.sock.send(helpers.stamp_packet(0, 1, size=3000))
    probe.send(1)
    probe.take_rest(least=1)
    probe.close()
    assert [seq for seq, _, _ in probe.came] == [1]
    records = truth_of(log, folder).records
    assert records["fate"][records["seq"] == 0].tolist() == [Fate.OVERSIZE]


def test_what_is_no_stamp_packet_passes_unlogged(
    line: Line, helpers: type[Helpers], reflector: EchoReflector
) -> None:
    """Short datagrams pass like any other and leave no record."""
    udp, log, folder = line
    probe = helpers.Probe(udp.port)
    probe.sock.send(b"short")
    probe.take_rest()
    probe.close()
    assert reflector.answers
    assert len(truth_of(log, folder).records) == 0


def test_counts_agree_with_the_log(line: Line, helpers: type[Helpers]) -> None:
    """The line's counters say the same as its log."""
    udp, log, folder = line
    udp.up.state = Impairment(loss_ratio=0.3)
    probe = helpers.Probe(udp.port)
    probe.stream(100, 0.001)
    probe.close()
    truth = truth_of(log, folder).of_seq(0, 99)
    up, down = udp.counts
    assert (up.arrived, up.delivered, up.lost, up.unsent) == (100, truth.up.received, truth.up.lost, 0)
    assert (down.arrived, down.delivered) == (truth.up.received, truth.received)
