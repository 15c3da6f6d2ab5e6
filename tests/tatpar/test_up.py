"""`tatpar up`: one on a folder, wrong input told in a line, and an end that leaves nothing behind."""

from __future__ import annotations

import re
import signal
import socket
import time
import urllib.request
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from probes.reflecting.reflector_process import ReflectorProcess
from telemetry.state.db import StateDb
from tests.ports import free_udp_port

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.server
BARE = ("--port", "0")
LAB = ("--lab", "--history", "0", "--port", "0")
STATE_HEADQUARTERS = """
[[headquarters]]
id = "state"
name_en = "State"
name_hi = "राज्य"
reflectors = ["{}"]
"""


@pytest.fixture
def taken() -> Iterator[int]:
    """A TCP port that somebody else listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])


@pytest.fixture
def udp_taken() -> Iterator[int]:
    """A UDP port that somebody else is bound to."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        yield int(other.getsockname()[1])


def only_line(done: subprocess.CompletedProcess[str]) -> str:
    """The one thing that was said, and nothing of Python's."""
    assert not done.stdout
    (line,) = done.stderr.splitlines()
    return line


def wall(operator: Any) -> str:
    """The wall's address, as said; empty until it is."""
    found = re.search(r"wall: (http://\S+)", operator.hears())
    return found[1] if found else ""


@pytest.fixture
def running(operator: Any, wait_for: Callable[..., None]) -> Callable[..., subprocess.Popen[bytes]]:
    """Starts `up`, and waits until the wall is said."""

    def started(*arguments: str) -> subprocess.Popen[bytes]:
        process: subprocess.Popen[bytes] = operator.starts_up(*arguments)

        def said() -> bool:
            assert process.poll() is None, operator.hears()
            return bool(wall(operator))

        wait_for("the wall is up", 300, said)
        return process

    return started


def test_the_second_gives_way(operator: Any, running: Callable[..., Any]) -> None:
    """A second `up` on the same data ends with 1 and one line that names the folder, the first and what to do."""
    first = running(*BARE)
    done = operator.up(*BARE)
    assert done.returncode == 1, done.stderr
    line = only_line(done)
    assert str(operator.data) in line
    assert f"pid {first.pid}" in line
    assert "--data" in line
    assert first.poll() is None
    with urllib.request.urlopen(wall(operator), timeout=60) as answer:
        assert answer.status == 200


def test_a_taken_port(operator: Any, taken: int) -> None:
    """A wall port that is taken ends it with 2 and one line naming --port, before anything is started."""
    done = operator.up("--port", str(taken))
    assert done.returncode == 2, done.stderr
    line = only_line(done)
    assert "--port" in line
    assert f"127.0.0.1:{taken}" in line
    assert not (operator.data / "mosquitto").exists()


def test_wrong_settings(operator: Any) -> None:
    """A broken tatpar.toml ends it with 2 and one line: file, line, what is wrong."""
    operator.write('[deployment]\nname = "NOC"\n\n[wall]\nprot = 8420\n')
    done = operator.up(*BARE)
    assert done.returncode == 2, done.stderr
    line = only_line(done)
    assert re.search(r"tatpar\.toml:5\b", line), line
    assert "prot" in line
    assert not operator.data.exists()


def test_a_wrong_script_of_the_lab(operator: Any) -> None:
    """A broken lab.toml ends it with 2 and one line too, not with a fleet that fails for ever."""
    (operator.folder / "lab.toml").write_text("[[kinds]]\nid = 7\n", encoding="utf-8")
    done = operator.up(*LAB)
    assert done.returncode == 2, done.stderr
    last = done.stderr.splitlines()[-1]
    assert "lab.toml" in last
    assert "Traceback" not in done.stderr


def test_a_data_folder_that_cannot_be(operator: Any) -> None:
    """A file in the way of the data folder ends it with 1 and one line that names it."""
    operator.data.write_text("a file", encoding="utf-8")
    done = operator.types("up", "--config", str(operator.config), "--data", str(operator.data / "x"), *BARE)
    assert done.returncode == 1, done.stderr
    assert str(operator.data) in only_line(done)


@pytest.mark.parametrize("name", ["reports.db", "state.db"])
def test_a_damaged_database(operator: Any, name: str) -> None:
    """A database file that is none ends it with 1 and one line that names it, and is left as it is."""
    letter = b"this is no database, it is a letter to the editor" * 100
    operator.data.mkdir()
    (operator.data / name).write_bytes(letter)
    done = operator.up(*BARE)
    assert done.returncode == 1, done.stderr
    assert name in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert (operator.data / name).read_bytes() == letter


def test_a_taken_reflector_port(operator: Any, udp_taken: int) -> None:
    """A headquarters of this machine whose port is taken ends it with 1 and a line that names the address."""
    operator.write(STATE_HEADQUARTERS.format(f"127.0.0.1:{udp_taken}"))
    done = operator.up(*BARE)
    assert done.returncode == 1, done.stderr
    assert re.search(
        rf"no reflector can listen on 127.0.0.1:{udp_taken} .*free the port, or name another",
        done.stderr.splitlines()[-1],
    )
    assert "Traceback" not in done.stderr


def test_beside_a_reflector_that_runs_already(
    operator: Any, running: Callable[..., Any], mosquitto: Any
) -> None:
    """Beside `tatpar reflect` on a headquarters' address `up` uses that one, says so, and leaves it alone at its end."""
    with ReflectorProcess([("127.0.0.1", 0)]) as other:
        (host, port) = other.addresses[0]
        broker = f'[broker]\nbring = "none"\nport = {mosquitto.port}\n'
        operator.write(broker + STATE_HEADQUARTERS.format(f"{host}:{port}"))
        running(*BARE)
        assert f"reflector of state: one that runs at {host}:{port} already" in operator.hears()


def test_reflectors_of_this_machine_are_served(
    operator: Any, running: Callable[..., Any], below: Callable[..., list[psutil.Process]], mosquitto: Any
) -> None:
    """Without the lab and with a broker elsewhere, a headquarters at our own address gets its reflector."""
    port = free_udp_port()
    operator.write(
        f'[broker]\nbring = "none"\nport = {mosquitto.port}\n'
        + STATE_HEADQUARTERS.format(f"127.0.0.1:{port}")
    )
    process = running(*BARE)
    assert f"reflector of state: 127.0.0.1:{port}" in operator.hears()
    assert f"broker: external on 127.0.0.1:{mosquitto.port}" in operator.hears()
    place = ("--config", str(operator.config), "--data", str(operator.data))
    done = operator.types("doctor", *place, "--lang", "en")
    assert done.returncode == 0, done.stdout
    assert f"127.0.0.1:{port} answers" in done.stdout
    assert len(below(process)) == 1


def test_it_ends_in_order(
    operator: Any,
    running: Callable[..., Any],
    below: Callable[..., list[psutil.Process]],
    wait_for: Callable[..., None],
) -> None:
    """With the whole lab going, SIGTERM ends it with 0, no traceback, and no process left."""
    process = running(*LAB)
    wait_for("the offices measure", 300, lambda: "fleet: 2 emulated offices" in operator.hears())
    with closing(StateDb(operator.data / "state.db")) as state:
        wait_for("both offices are online", 300, lambda: len(state.presence()) == 2)
    family = below(process)
    assert len(family) >= 3, "broker, reflector and fleet run in processes of their own"
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0, operator.hears()
    said = operator.hears()
    assert said.splitlines()[-1] == "tatpar: stopped"
    assert "Traceback" not in said
    assert " ERROR " not in said, said
    gone, alive = psutil.wait_procs(family, timeout=60)
    assert not alive, [child.cmdline() for child in alive]
    assert len(gone) == len(family)


def test_an_impatient_operator(
    operator: Any, running: Callable[..., Any], below: Callable[..., list[psutil.Process]]
) -> None:
    """Ctrl-C typed again and again while it stops still leaves no process and no traceback."""
    process = running(*LAB)
    family = below(process)
    for _ in range(40):
        operator.presses_ctrl_c(process)
        time.sleep(0.05)
    assert process.wait(60) == 0, operator.hears()
    assert "Traceback" not in operator.hears()
    assert operator.hears().count("tatpar: stopped") == 1
    _, alive = psutil.wait_procs(family, timeout=60)
    assert not alive, [child.cmdline() for child in alive]


def test_killed_it_leaves_no_orphans(
    operator: Any, running: Callable[..., Any], below: Callable[..., list[psutil.Process]]
) -> None:
    """Killed without a warning, its children see that and end by themselves, and another starts at once."""
    process = running(*LAB)
    family = below(process)
    assert family
    process.kill()
    process.wait()
    operator.log.unlink()
    second = running(*BARE)
    _, alive = psutil.wait_procs(family, timeout=60)
    assert not alive, [child.cmdline() for child in alive]
    second.send_signal(signal.SIGTERM)
    assert second.wait(60) == 0, operator.hears()
