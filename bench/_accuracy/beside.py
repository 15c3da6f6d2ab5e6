"""What else goes on in a scenario: a transfer that fills the bottleneck, work that keeps the cores busy."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from subprocess import DEVNULL
from typing import TYPE_CHECKING, Final

from bench._accuracy.plan import CROWD_PORT, SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench._accuracy.scenarios import Scenario
    from lab.tun.link import TunLink

_BEFORE_S: Final = 6
_SLICE_S: Final = 0.02
_BURN: Final = """
import sys, time
busy_s, slice_s = float(sys.argv[1]) * float(sys.argv[2]), float(sys.argv[2])
begun = time.monotonic()
while True:
    until = time.thread_time() + busy_s
    while time.thread_time() < until:
        pass
    begun += slice_s
    if (left := begun - time.monotonic()) > 0:
        time.sleep(left)
    else:
        begun = time.monotonic()
"""


@contextmanager
def beside(link: TunLink, scenario: Scenario) -> Iterator[None]:
    """What the scenario wants, while the block runs."""
    processes = []
    if scenario.crowded:
        server = ["iperf3", "-s", "-p", str(CROWD_PORT)]
        processes.append(link.begin(server, side="hub", stdout=DEVNULL, stderr=DEVNULL))
        seconds = str(SECONDS + _BEFORE_S + 10)
        client = f"sleep 0.5; exec iperf3 -c {link.address('hub')} -p {CROWD_PORT} -t {seconds}"
        processes.append(link.begin(["sh", "-c", client], side="office", stdout=DEVNULL, stderr=DEVNULL))
    if scenario.busy:
        words = [sys.executable, "-c", _BURN, str(scenario.busy), str(_SLICE_S)]
        processes += [subprocess.Popen(words) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()
