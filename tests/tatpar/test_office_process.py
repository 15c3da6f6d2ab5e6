"""`tatpar.office_process`: what an office's agent is once its settings are checked."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tatpar import office_process

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NOT_AT_THE_OFFICE = {"numpy", "click", "importlib.metadata", "unittest", "multiprocessing", "pydoc", "psutil"}
"""None of them has anything to do for an agent; together they are a third of what it held."""
LOADS = """
import sys
from probes.publishing import probe_file
from tatpar import office_process
from tatpar.service import logs
from telemetry.array_choice import without_numpy
without_numpy()
from probes.publishing import agent
from probes.measuring import measurer
from tatpar.service import notify
print(*sys.modules)
"""


def test_the_agent_loads_nothing_that_it_has_no_use_for() -> None:
    done = subprocess.run([sys.executable, "-c", LOADS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert {"probes.metering.meter", "telemetry.plain_numpy", "msgspec", "sqlite3"} <= loaded
    assert not loaded & NOT_AT_THE_OFFICE


def test_a_program_that_calls_us_is_not_replaced() -> None:
    """Only `tatpar` itself becomes the agent: here it is pytest's process, which goes on."""
    assert not office_process.can_become()


def test_whoever_closed_the_standard_streams_gets_an_agent(tmp_path: Path) -> None:
    """With nothing in their place: no file of the agent's shall get number 1, to which somebody may print."""
    told = tmp_path / "told"
    script = (
        "import os, sys; from pathlib import Path; from tatpar import office_process as it\n"
        "def execve(*_):\n"
        "    there = [os.readlink(f'/proc/self/fd/{n}') + str(os.get_inheritable(n)) for n in (0, 1, 2)]\n"
        f"    Path({str(told)!r}).write_text(' '.join(there))\n"
        "os.execve = execve; it.become(Path('a'), Path('b'), 'text')"
    )
    done = subprocess.run(["sh", "-c", 'exec "$0" -c "$1" <&- >&- 2>&-', sys.executable, script], check=False)
    assert done.returncode == 0
    assert told.read_text(encoding="utf-8") == " ".join(["/dev/nullTrue"] * 3)


def test_an_interpreter_that_is_gone_is_one_line(tmp_path: Path) -> None:
    """As after half an upgrade."""
    settings = tmp_path / "probe.toml"
    settings.write_text(
        'site = "agra"\n[broker]\nhost = "127.0.0.1"\nport = 1\n[ends]\nstate = "127.0.0.1:9"\n',
        encoding="utf-8",
    )
    script = (
        f"import sys; sys.argv = ['tatpar', 'probe', '--config', {str(settings)!r}, '--data', {str(tmp_path)!r}]\n"
        "from tatpar.__main__ import main; sys.executable = '/nowhere/python'; main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith(
        "the agent cannot be started: No such file or directory: /nowhere/python; install tatpar again\n"
    )
    assert "Traceback" not in done.stderr


def test_settings_that_became_wrong_meanwhile_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2, as of the command that checked them."""
    settings = tmp_path / "probe.toml"
    settings.write_text("site = 1\n", encoding="utf-8")
    assert office_process.main(str(settings), str(tmp_path), "text") == 2
    said = capsys.readouterr().err
    assert said.startswith(f"{settings}:1: site is 1; write ")
    assert said.count("\n") == 1
