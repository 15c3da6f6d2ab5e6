"""The past that `up --lab` gives: whole or not at all, and only where there is none."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import threading
from typing import TYPE_CHECKING, Any

import psutil
import pytest

import lab.past.history
from config.errors import ConfigError
from config.load import load_config
from lab.running.script import DEFAULT_SCRIPT
from tatpar.hub import lab_past
from tatpar.hub.lab_past import check_script, give_a_past
from telemetry.store.errors import StoreError
from telemetry.store.open import open_reader
from telemetry.store.protocol import Selection
from telemetry.windows import SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from config.config import Config

WEEKS = 0.02
"""Some three hours and a half."""
SLOTS = int(WEEKS * 7 * 86_400_000_000_000 // SLOT_NS)


@pytest.fixture
def config(operator: Any) -> Config:
    return load_config(operator.config)


def slots_a_line(config: Config, data: Path) -> dict[tuple[str, str], int]:
    """How many five-minute roll-ups the store has of each office and path."""
    with contextlib.closing(open_reader(config.settings.store, data)) as reader:
        table = reader.rollups(Selection(0, 1 << 62), histograms=False)
    sites, paths = table.columns["site"], table.columns["path"]
    found: dict[tuple[str, str], int] = {}
    for site, path in zip(sites.tolist(), paths.tolist(), strict=True):
        key = (table.sites[int(site)], table.paths[int(path)])
        found[key] = found.get(key, 0) + 1
    return found


async def test_every_office_has_its_past(config: Config, tmp_path: Path) -> None:
    """Both offices have the whole span on both paths; it is said before and after; nothing else is left."""
    lines: list[str] = []
    data = tmp_path / "fresh"
    await give_a_past(config, data, WEEKS, lines.append)
    found = slots_a_line(config, data)
    assert found.keys() == {(s, p) for s in ("agra", "etah") for p in ("main.state", "main.national")}
    assert all(SLOTS - 1 <= count <= SLOTS + 1 for count in found.values()), found
    assert "2 offices" in lines[0]
    assert "--history 0" in lines[0]
    assert lines[-1] == "lab: past of 2 of 2 offices made"
    assert {file.name.partition("-")[0] for file in data.iterdir()} == {"reports.db"}


async def test_what_is_there_stays(config: Config, tmp_path: Path) -> None:
    """Where there is a store, nothing is made, said or touched, however little is in it."""
    (tmp_path / "reports.db").write_bytes(b"measured")
    lines: list[str] = []
    await give_a_past(config, tmp_path, WEEKS, lines.append)
    assert not lines
    assert (tmp_path / "reports.db").read_bytes() == b"measured"


async def test_stopped_half_way_there_is_none(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after the first office, no store is there; the next start makes a whole one out of what was left."""
    first_made, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    seen: list[str] = []

    def give_past(
        plan: Any, settings: Any, folder: Path, progress: Callable[[Any], None], stopped: Callable[[], bool]
    ) -> None:
        def told(written: Any) -> None:
            seen.append(written.site)
            loop.call_soon_threadsafe(first_made.set)
            assert go_on.wait(60)
            progress(written)

        lab.past.history.give_past(plan, settings, folder, told, stopped)

    monkeypatch.setattr(lab_past, "give_past", give_past)
    making = asyncio.create_task(give_a_past(config, tmp_path, WEEKS, lambda _: None))
    await asyncio.wait_for(first_made.wait(), 60)
    making.cancel()
    await asyncio.sleep(0)  # the cancelling has reached the maker
    assert not making.done(), "it waits until nobody writes any more"
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await making
    assert len(seen) == 1, "the second office was not begun after the stop"
    assert not (tmp_path / "reports.db").exists()
    assert not multiprocessing.active_children()

    monkeypatch.undo()
    await give_a_past(config, tmp_path, WEEKS, lambda _: None)
    assert len(slots_a_line(config, tmp_path)) == 4
    assert not (tmp_path / "making-past").exists()


async def test_a_failure_leaves_none(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the store fails, the failure is told and no half store takes the place of a whole one."""

    def give_past(_plan: Any, _settings: Any, folder: Path, _progress: Any, _stopped: Any) -> None:
        (folder / "reports.db").write_bytes(b"half")
        raise StoreError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(lab_past, "give_past", give_past)
        with pytest.raises(StoreError, match="disk full"):
            await give_a_past(config, tmp_path, WEEKS, lambda _: None)
    assert not (tmp_path / "reports.db").exists()
    await give_a_past(config, tmp_path, WEEKS, lambda _: None)
    assert set(slots_a_line(config, tmp_path).values()) <= {SLOTS - 1, SLOTS, SLOTS + 1}
    assert not (tmp_path / "making-past").exists()


def test_a_wrong_script_is_told(operator: Any) -> None:
    """A script with a table that is none is told with file and line."""
    wrong = DEFAULT_SCRIPT.read_text(encoding="utf-8") + "\n[wheather]\nrain = 3\n"
    (operator.folder / "lab.toml").write_text(wrong, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"lab\.toml:\d+: .*wheather"):
        check_script(load_config(operator.config))


@pytest.mark.server
def test_stopped_from_outside(
    operator: Any, below: Callable[..., list[psutil.Process]], wait_for: Callable[..., None]
) -> None:
    """Ctrl-C while the past is being made ends `up` with 0, soon, without a half past, a word of Python's or a process left."""
    process = operator.starts_up("--lab", "--history", "104", "--port", "0")
    wait_for("the making has begun", 300, lambda: "making 104 weeks" in operator.hears())
    wait_for("others draw", 300, lambda: len(below(process)) >= 2)
    family = below(process)
    operator.presses_ctrl_c(process)
    assert process.wait(60) == 0, operator.hears()
    assert operator.hears().splitlines()[-1] == "tatpar: stopped"
    assert "Traceback" not in operator.hears()
    assert not (operator.data / "reports.db").exists()
    _, alive = psutil.wait_procs(family, timeout=60)
    assert not alive, [child.cmdline() for child in alive]
