"""How well the log knows the moments that it states: `python -m bench._accuracy.doubt HOST PORT COUNT` at the office's end.

Sends datagrams to itself through the far end's echo, and prints what the kernel tells a socket of each: when it was given to
the device (SOF_TIMESTAMPING_TX_SCHED), and when the echo came in (SO_TIMESTAMPING). The log has its own stamps of the same two moments.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import numpy as np

from bench._accuracy.plan import DOUBT_PORT
from lab.tun.flow import Number
from probes.kernel.kernel_stamps import SO_TIMESTAMPING, TIMESPEC, enable_stamps

if TYPE_CHECKING:
    from lab.tun.link import TunLink

COUNT: Final = 300
_NUMBER: Final = Number(8, 8, 4)
_QUIET_S: Final = 2.0


def measure(link: TunLink) -> dict[str, float]:
    """p50 and p99 of the difference between the log's stamps and the kernel's to a socket, µs: leaving, and coming in."""
    hub = link.address("hub")
    echo = [sys.executable, "-m", "bench._accuracy.doubt", hub, str(DOUBT_PORT)]
    server = link.begin(echo, side="hub")
    time.sleep(1.0)  # a server that is late costs a few of the datagrams
    said = json.loads(link.run([*echo, str(COUNT)], side="office").stdout)
    server.kill()
    server.wait()
    trips = link.truth().udp(hub_port=DOUBT_PORT).round_trips(_NUMBER)
    out = {}
    for name, logged, told in (
        ("leaving", trips.up_in_ns, said["left"]),
        ("coming", trips.down_out_ns, said["came"]),
    ):
        both = [
            (at, told[str(n)])
            for n, at in zip(trips.number.tolist(), logged.tolist(), strict=True)
            if str(n) in told
        ]
        apart = np.abs(np.diff(np.asarray(both, dtype=np.int64), axis=1)) / 1e3
        out[f"{name}_p50_us"], out[f"{name}_p99_us"] = np.percentile(apart, (50, 99)).tolist()
        out[f"{name}_packets"] = len(both)
    return out


def _echo(sock: socket.socket) -> None:
    while True:
        data, peer = sock.recvfrom(2048)
        sock.sendto(data, peer)


def _ask(sock: socket.socket, count: int) -> None:
    enable_stamps(sock)
    sock.setblocking(False)
    left: dict[int, int] = {}
    came: dict[int, int] = {}
    for number in range(count):
        sock.send(number.to_bytes(4, "big") + bytes(168))
        time.sleep(0.005)
        _take(sock, left, came)
    until = time.monotonic() + _QUIET_S
    while time.monotonic() < until and len(came) < count:
        time.sleep(0.02)
        _take(sock, left, came)
    print(json.dumps({"left": left, "came": came}))


def _take(sock: socket.socket, left: dict[int, int], came: dict[int, int]) -> None:
    with suppress(BlockingIOError):
        while True:
            data, beside, _, _ = sock.recvmsg(64, 256)
            came[int.from_bytes(data[:4], "big")] = _stamp(beside)
    with suppress(BlockingIOError):
        while True:
            _, beside, _, _ = sock.recvmsg(1, 256, socket.MSG_ERRQUEUE)
            left[len(left)] = _stamp(beside)  # one a packet, in order (OPT_ID would say the same)


def _stamp(beside: list[tuple[int, int, bytes]]) -> int:
    for level, kind, data in beside:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPING:
            seconds, nanoseconds = TIMESPEC.unpack_from(data)
            return int(seconds * 1_000_000_000 + nanoseconds)
    raise RuntimeError("the kernel gave no stamp")


def main() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        if len(sys.argv) > 3:
            sock.connect((sys.argv[1], int(sys.argv[2])))
            _ask(sock, int(sys.argv[3]))
        else:
            sock.bind((sys.argv[1], int(sys.argv[2])))
            _echo(sock)


if __name__ == "__main__":
    main()
