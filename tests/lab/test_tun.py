"""The link that carries all IP, with real programs and the real kernel: needs /dev/net/tun, and root, if only of a user namespace."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lab.errors import LabError
from lab.line.direction import Fate
from lab.line.impairment import Impairment
from lab.tun import namespaces
from lab.tun.flow import ICMP_ECHO, Number
from lab.tun.link import TunLink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Helpers

needs_link = pytest.mark.needs("link")
MS = 1_000_000

ECHO = """
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try:
    sock.setsockopt(socket.SOL_SOCKET, 33, 1 << 22)  # SO_RCVBUFFORCE: all of a run has room while a program stands still
except PermissionError:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
sock.bind((sys.argv[1], 7000))
print("ready", flush=True)
while True:
    data, peer = sock.recvfrom(2048)
    sock.sendto(data, peer)
"""

SENDER = """
import json, socket, struct, sys, time
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS
try:
    sock.setsockopt(socket.SOL_SOCKET, 33, 1 << 22)  # SO_RCVBUFFORCE: all of a run has room while a program stands still
except PermissionError:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
sock.bind(("", 7001))
sock.connect((sys.argv[1], 7000))
count, gap_s, most, came = int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), []
sock.setblocking(False)
def take():
    while True:
        try:
            data, beside, _, _ = sock.recvmsg(64, 64)
        except BlockingIOError:
            return
        seconds, ns = struct.unpack("=qq", beside[0][2])
        came.append((int.from_bytes(data[:4], "big"), seconds * 10**9 + ns))
for n in range(count):
    sock.send(n.to_bytes(4, "big") + bytes(60))
    time.sleep(gap_s)
    take()
quiet_until = time.monotonic() + 1.5
while time.monotonic() < quiet_until and len(came) < most:
    heard = len(came)
    time.sleep(0.02)
    take()
    if len(came) > heard:
        quiet_until = time.monotonic() + 1.5
print(json.dumps(came))
"""

SINK = """
import socket, sys
with socket.create_server((sys.argv[1], 7002)) as server:
    print("ready", flush=True)
    connection, _ = server.accept()
    total = 0
    while data := connection.recv(65536):
        total += len(data)
    connection.sendall(str(total).encode())
"""

SOURCE = """
import socket, sys
with socket.create_connection((sys.argv[1], 7002)) as sock:
    sock.sendall(bytes(int(sys.argv[2])))
    sock.shutdown(socket.SHUT_WR)
    print(sock.recv(64).decode())
"""


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TunLink]:
    """A running link; each test sets what it does, and looks at the end of its truth log."""
    with TunLink(tmp_path_factory.mktemp("link"), seed="tests") as running:
        yield running


def serve(link: TunLink, program: str) -> subprocess.Popen[str]:
    """Start a small server at the hub, and wait until it listens."""
    words = [sys.executable, "-c", program, link.address("hub")]
    process = link.begin(words, side="hub", stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def stop(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


@needs_link
@pytest.mark.parametrize("version", [4, 6])
def test_ping_crosses_the_link(link: TunLink, program: Callable[[str], str], version: int) -> None:
    """A real fping sees the delays of both directions, by IPv4 and IPv6, and its packets stand in the log."""
    link.set(up=Impairment(delay_ms=15), down=Impairment(delay_ms=5))
    words = [program("fping"), f"-{version}", "-C", "5", "-q", "-p", "20", "-t", "3000"]
    done = link.run([*words, link.address("hub", version)], side="office")
    seen_ms = [float(x) for x in done.stderr.split(":")[-1].split()]
    flow = link.truth().icmp(version=version)
    trips = flow.round_trips(ICMP_ECHO)
    assert done.returncode == 0, done.stderr
    assert (flow.up.sent, flow.up.lost, flow.down.lost, len(trips.number)) == (5, 0, 0, 5)
    assert (flow.up.delay_ns >= 15 * MS).all()
    assert (flow.down.delay_ns >= 5 * MS).all()
    # fping's own time at the sender is outside the link: it sees at least what the kernel saw, to its three digits.
    assert (np.array(seen_ms) >= trips.whole_ns / MS - 0.06).all()


@needs_link
def test_udp_stamps_are_those_of_the_receiving_socket(link: TunLink) -> None:
    """What a socket at the office is told by the kernel is to the nanosecond when the log says that packets came out."""
    link.set(up=Impairment(delay_ms=3), down=Impairment(delay_ms=3, jitter_ms=2))
    server = serve(link, ECHO)
    words = [sys.executable, "-c", SENDER, link.address("hub"), "60", "0.005", "60"]
    came = dict(json.loads(link.run(words, side="office").stdout))
    stop(server)
    trips = link.truth().udp(office_port=7001, hub_port=7000).round_trips(Number(8, 8, 4))
    assert sorted(came) == trips.number.tolist() == list(range(60))
    assert trips.down_out_ns.tolist() == [came[n] for n in range(60)]
    assert (trips.line_ns >= 6 * MS).all()
    assert (trips.whole_ns >= trips.line_ns).all()


@needs_link
def test_losses_copies_and_order_are_what_was_asked(link: TunLink, helpers: type[Helpers]) -> None:
    """A tenth lost up, a tenth doubled down: the log's counts agree with the programs', and with the law."""
    before = link.truth()
    link.set(up=Impairment(loss_ratio=0.1), down=Impairment(duplicate_ratio=0.1, reorder_ratio=0.1))
    server = serve(link, ECHO)
    words = [sys.executable, "-c", SENDER, link.address("hub"), "1000", "0.001", "5000"]
    came = [number for number, _ in json.loads(link.run(words, side="office").stdout)]
    stop(server)
    truth = link.truth()
    flow = truth.udp(office_port=7001)
    flow = flow.sent_between(int(before.records["in_ns"].max()) + 1, np.iinfo(np.int64).max)
    assert (flow.up.sent, flow.up.lost) == (1000, 1000 - len(set(came)))
    assert helpers.within_binomial(flow.up.lost, 1000, 0.1)
    assert flow.down.sent == flow.up.received
    assert (flow.down.lost, flow.down.duplicated) == (0, len(came) - len(set(came)))
    assert helpers.within_binomial(flow.down.duplicated, flow.down.sent, 0.1)
    assert flow.down.reordered > 0
    counts = link.counts()
    assert (counts.up.unsent, counts.down.unsent) == (0, 0)
    assert (counts.up.unstamped_in, counts.up.unstamped_out) == (0, 0)
    assert (counts.down.unstamped_in, counts.down.unstamped_out) == (0, 0)
    assert flow.up.unstamped == flow.down.unstamped == 0


@needs_link
def test_tcp_is_slowed_by_the_bottleneck(link: TunLink) -> None:
    """TCP carries every octet through a narrow link, no faster than that; what its queue dropped came again."""
    link.set(up=Impairment(rate_bps=2e6, queue_ms=50, delay_ms=5), down=Impairment(delay_ms=5))
    server = serve(link, SINK)
    done = link.run([sys.executable, "-c", SOURCE, link.address("hub"), "300000"], side="office")
    stop(server)
    flow = link.truth().tcp(hub_port=7002)
    assert done.stdout.strip() == "300000"
    out = flow.up.delivered()
    octets = int(out["size"][1:].sum())
    assert octets > 300_000
    assert (
        octets * 8e9 / int(np.ptp(out["out_ns"])) < 4e6
    )  # of 2; what lay behind a late process comes at once
    assert flow.up.lost == int(np.count_nonzero(flow.up.records["fate"] == Fate.QUEUE_FULL))


@needs_link
def test_an_outage_stops_everything(link: TunLink, program: Callable[[str], str]) -> None:
    """Nothing passes, and the log says why."""
    link.set(up=Impairment(outage=True))
    words = [program("fping"), "-c", "2", "-q", "-p", "50", "-t", "200", link.address("hub")]
    done = link.run(words, side="office")
    rows = link.truth().icmp().up.records[-2:]
    assert done.returncode == 1
    assert rows["fate"].tolist() == [Fate.OUTAGE, Fate.OUTAGE]


@needs_link
def test_nothing_is_left_behind(tmp_path: Path, helpers: type[Helpers]) -> None:
    """The end of a link, the death of its owner, and the death of owner and process: the namespaces are gone."""
    with TunLink(tmp_path) as link:
        mine = link.namespaces
        assert all((namespaces.HOME / name).exists() for name in mine)
    assert not any((namespaces.HOME / name).exists() for name in mine)
    program = (
        "import os, pathlib, sys; from lab.tun.link import TunLink; link = TunLink(pathlib.Path(sys.argv[1])); link.start();"
        "print(*link.namespaces, flush=True); sys.argv[2] == 'both' and os.kill(link.process_id, 9); os.kill(os.getpid(), 9)"
    )
    for who in ("owner", "both"):
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path), who], capture_output=True, text=True, check=False
        )
        assert done.returncode == -signal.SIGKILL, done.stderr
        names = done.stdout.split()
        assert len(names) == 2
        if who == "both":
            namespaces.remove_leftovers()
        assert helpers.eventually(lambda: not any((namespaces.HOME / name).exists() for name in names))  # noqa: B023


def test_without_root_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One line: what is missing, and what works without."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(
        LabError, match=r"^a link that carries all IP needs root: run as root, or use the relays"
    ):
        TunLink(tmp_path).start()


@needs_link
def test_a_dead_process_is_one_line(tmp_path: Path) -> None:
    """When the link's process is killed, the next request says where to look."""
    with TunLink(tmp_path) as link:
        assert link.process_id is not None
        os.kill(link.process_id, signal.SIGKILL)
        with pytest.raises(LabError, match=r"the link's process has ended; see .*link\.log"):
            link.counts()
