"""The reflector as a process of its own, and as a command."""

from __future__ import annotations

import fcntl
import signal
import socket
import subprocess
import sys
import termios
import time
from array import array
from typing import IO, TYPE_CHECKING

import pytest

from probes.reflecting.reflector_process import ReflectorProcess
from tests.probes_measuring.asking import exchange, request

if TYPE_CHECKING:
    from pathlib import Path


def test_process_says_where_it_listens_and_ends_with_its_owner(tmp_path: Path) -> None:
    """The child answers as soon as `start` returns, logs its counters at the end, and leaves nothing behind."""
    log = tmp_path / "reflector.log"
    process = ReflectorProcess([("127.0.0.1", 0), ("127.0.0.1", 0)], log_file=log)
    addresses = process.start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(60)
        sock.connect(addresses[1])
        exchange(sock, request(0).pack())
    process.stop()
    assert process.process_id is None
    assert '"answered": 1' in log.read_text()


def test_process_names_the_address_that_cannot_be_had() -> None:
    """An address in use is a clear OSError in the owner."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        process = ReflectorProcess([taken.getsockname()])
        with pytest.raises(OSError, match=r"cannot reflect on .*in use"):
            process.start()


def test_command_prints_address_counters_and_ends_cleanly() -> None:
    """`tatpar reflect` says where it listens, its counters on SIGUSR1, and ends with status 0 on SIGTERM."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tatpar", "reflect", "--bind", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        first = process.stdout.readline()
        assert first.startswith("reflecting on 127.0.0.1:")
        process.send_signal(signal.SIGUSR1)
        assert process.stdout.readline().startswith("received 0")
        process.terminate()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


LINE = 400
"""Octets that no line of counters has."""


def waiting(pipe: IO[str]) -> int:
    """Octets that lie in a pipe."""
    held = array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, held)
    return held[0]


def test_a_signal_may_come_in_the_middle_of_a_line() -> None:
    """Counters asked for while a line waits for its reader are said after it: nothing ends the program, no line is torn."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tatpar", "reflect", "--bind", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline().startswith("reflecting on 127.0.0.1:")
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
        until = time.monotonic() + 60
        while waiting(process.stdout) < 4096 - LINE and time.monotonic() < until:
            process.send_signal(signal.SIGUSR1)
            time.sleep(0.002)
        for _ in range(100):  # more than the pipe holds: the writer waits in the middle of a line
            process.send_signal(signal.SIGUSR1)
            time.sleep(0.002)
        process.terminate()
        said = process.stdout.readlines()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert len(said) > 1
    assert all(line.startswith("received 0  ") and line.endswith("\n") for line in said)


def test_command_explains_a_wrong_address() -> None:
    """A bind that is no address ends with status 2 and one line that says what to write."""
    done = subprocess.run(
        [sys.executable, "-m", "tatpar", "reflect", "--bind", "here"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "--bind here: not an address; write HOST:PORT, as 0.0.0.0:862 or [::]:862"
    ]
