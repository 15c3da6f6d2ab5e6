"""`tatpar wall` as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TATPAR = [sys.executable, "-m", "tatpar", "wall"]


def test_the_command_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    """It prints the address of a free port, answers there, and ends with status 0 on SIGTERM, streams and all."""
    with subprocess.Popen(
        [*TATPAR, "--data", str(tmp_path), "--port", "0"], stdout=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("the wall is at http://127.0.0.1:")
        url = line.rpartition(" ")[2].strip()
        with urllib.request.urlopen(f"{url}api/snapshot", timeout=60) as answer:
            assert len(json.load(answer)["scene"]["offices"]) == 92
        with urllib.request.urlopen(f"{url}api/stream", timeout=60) as stream:
            assert stream.readline() == b"retry: 2000\n"
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0


def test_a_taken_port_ends_the_command_with_one_line(tmp_path: Path) -> None:
    """Status 1 and one line that says what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [*TATPAR, "--data", str(tmp_path), "--port", port],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "choose another with --port" in done.stderr


def test_a_wrong_configuration_ends_the_command_with_one_line(tmp_path: Path) -> None:
    """Status 2 and the line that names file, place and remedy."""
    settings = tmp_path / "tatpar.toml"
    settings.write_text("[wall]\nprot = 1\n", encoding="utf-8")
    done = subprocess.run(
        [*TATPAR, "--config", str(settings), "--data", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "tatpar.toml:2" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_is_not_there_is_a_slip_of_the_pen(tmp_path: Path) -> None:
    """Status 2 and one line that names --data; nothing is made. A folder without a store is waited for, and that is said."""
    done = subprocess.run(
        [*TATPAR, "--data", str(tmp_path / "new")], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert "--data" in done.stderr
    assert not (tmp_path / "new").exists()
    with subprocess.Popen(
        [*TATPAR, "--data", str(tmp_path), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("the wall is at ")
        assert "no store yet" in process.stderr.readline()
        for _ in range(20):
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert process.stderr.read() == ""
