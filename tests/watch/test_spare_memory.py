"""What reading the past and fitting the model have let go is the machine's again."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType
from typing import TYPE_CHECKING

from tatpar.watching import hindsight
from tatpar.watching.spare_memory import give_back

if TYPE_CHECKING:
    import pytest
    from conftest import Town

KEPT_AFTER_ALL = """
import re, threading
from pathlib import Path
from tatpar.watching.spare_memory import give_back

def resident_mb():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

def work():
    global last
    held = [bytes(2000) for _ in range(100_000)]
    last = bytes(2000)  # stands above all others, so the pool cannot shrink from its end
    held.clear()

thread = threading.Thread(target=work)
thread.start()
thread.join()
before = resident_mb()
give_back()
print(before - resident_mb())
"""


def test_what_a_thread_let_go_is_given_back() -> None:
    """Of 200 MB that a thread took and let go, the C library keeps most until it is told; then the machine has them."""
    done = subprocess.run([sys.executable, "-c", KEPT_AFTER_ALL], capture_output=True, text=True, check=True)
    assert float(done.stdout) > 100


def test_the_watch_gives_back_after_each_reading_of_the_past(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refresh takes more than it leaves, also when little is new."""
    given: list[int] = []
    monkeypatch.setattr(hindsight, "give_back", lambda: given.append(1))
    town.play(60)
    town.watch.refresh_past(town.now_ns)
    assert given


def test_a_library_that_is_just_being_imported_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread's import is seen before it is done, with nothing in it yet."""
    monkeypatch.setitem(sys.modules, "pyarrow", ModuleType("pyarrow"))
    give_back()
