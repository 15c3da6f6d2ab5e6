"""The same numbers from real Dask workers as from here; a scheduler that is not there is told in one line."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from click.testing import CliRunner
from distributed import LocalCluster

import telemetry.store.by_blocks
from analytics.limits import limit_sets
from analytics.lines import Lines
from config.load import load_config
from reports.past.slots import SITES_PER_READ, read_slots
from tatpar.__main__ import main
from tatpar.backtesting.imported_rows import imported_rows
from tatpar.watching.past import PastReader, Shape
from telemetry.state.db import StateDb
from telemetry.store.by_blocks import InProcess, OnDask, SchedulerError, check_address
from telemetry.store.errors import StoreError
from telemetry.store.open import open_reader
from telemetry.windows import DAY_NS, SECOND_NS, SLOT_NS, slot_start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Desk

SITES = 2 * SITES_PER_READ + 3
T0 = slot_start(time.time_ns()) - 3 * DAY_NS


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """A scheduler and two worker processes on loopback."""
    with LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as made:
        yield made


@pytest.fixture
def fleet(desk: Desk) -> Desk:
    """Nineteen offices with two days of a ping a minute, some lost, some slow."""
    names = [f"s{i:02}" for i in range(SITES)]
    head = "id,name_en,name_hi,region,lat,lon,status\n"
    rows = "".join(
        f"{name},{name.upper()},आगरा,braj,27.{i:02},78.{i:02},linked\n" for i, name in enumerate(names)
    )
    desk.writes("sites.csv", head + rows)
    rng = np.random.default_rng(8)
    lines = ["t,rtt,site"]
    for name in names:
        rtt = 30 + rng.gamma(2, 6, 2_000) + 40 * (rng.random(2_000) < 0.05)
        lost = rng.random(2_000) < 0.02
        lines += [
            f"{T0 + k * 60 * SECOND_NS},{'' if gone else f'{each:.3f}'},{name}"
            for k, (each, gone) in enumerate(zip(rtt, lost, strict=True))
        ]
    mapping = desk.writes(
        "m.toml",
        """
        time = { column = "t", format = "unix_ns" }
        site = { column = "site" }
        path = { is = "main.state" }
        ping = { rtt = { column = "rtt" } }
        """,
    )
    assert desk.imports([desk.writes("p.csv", "\n".join(lines))], mapping).exit_code == 0
    return desk


def test_workers_read_and_judge_bit_for_bit_as_we_do(fleet: Desk, cluster: Any) -> None:
    """The past of the watch and the slots of the back-test, in process and on two worker processes."""
    config = load_config(fleet.config)
    store = config.settings.store
    sets = limit_sets({"video-720p": config.profiles["video-720p"], "audio": config.profiles["audio"]})
    lines = Lines(tuple(site.id for site in config.registry.sites), ("main.state",))
    shape = Shape(lines, sets, ZoneInfo("Asia/Kolkata"), 1.0)
    now_ns = T0 + 2 * DAY_NS
    with (
        contextlib.closing(open_reader(store, fleet.data)) as reader,
        OnDask(cluster.scheduler_address, store, fleet.data) as workers,
    ):
        grids, pasts, imported = [], [], []
        for blocks in (InProcess(reader), workers):
            for kept in fleet.data.glob("derived.db*"):
                kept.unlink()  # each of them judges
            told: list[tuple[int, int]] = []
            span = (T0, now_ns)
            grids.append(
                read_slots(
                    reader, lines, sets.limits, span, lambda *done, to=told: to.append(done), blocks=blocks
                )
            )
            assert told == [(8, SITES), (16, SITES), (SITES, SITES)]
            slots = grids[-1].first_slot, grids[-1].end_slot
            imported.append(imported_rows(blocks, lines, lines.sites[1:], slots))
            pasts.append(
                PastReader(
                    reader, lambda sites, span: np.zeros((len(sites), span.count), np.int64), blocks=blocks
                ).load(shape, now_ns)
            )
    here, there = grids
    for name in ("measured", "broken", "strain", "received_ns"):
        np.testing.assert_array_equal(getattr(here, name), getattr(there, name), err_msg=name)
    assert here.measured.any(axis=(1, 2)).all()
    for rows in imported:
        np.testing.assert_array_equal(rows[1:], here.measured[1:] > 0)
        assert not rows[0].any()
    one, other = (past.history for past in pasts)
    np.testing.assert_array_equal(one.measured, other.measured)
    np.testing.assert_array_equal(one.broken, other.broken)
    for name, figures in one.figures.items():
        np.testing.assert_array_equal(figures, other.figures[name], err_msg=name)
    assert one.measured.sum() == SITES * 2_000
    np.testing.assert_array_equal(pasts[0].climate.fails, pasts[1].climate.fails)
    assert here.first_slot * SLOT_NS == T0


def test_a_worker_that_cannot_read_the_store_says_so(fleet: Desk, cluster: Any) -> None:
    """The worker's own error comes back, and the scheduler stays fit for the next."""
    store = load_config(fleet.config).settings.store
    limits = limit_sets({"audio": load_config(fleet.config).profiles["audio"]}).limits
    with (
        contextlib.closing(open_reader(store, fleet.data)) as reader,
        OnDask(cluster.scheduler_address, store, fleet.folder / "elsewhere") as workers,
    ):
        line = Lines(("s00",), ("main.state",))
        said = r"elsewhere/reports\.db is not there for the worker on .*: let it see the same data folder"
        with pytest.raises(StoreError, match=said):
            read_slots(reader, line, limits, (T0, T0 + DAY_NS), blocks=workers)


def test_no_scheduler_is_told_in_one_line(fleet: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Status 1, the address, and what to do; nothing hangs."""
    monkeypatch.setattr(telemetry.store.by_blocks, "ANSWER_S", 0.5)
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: refused at once
        address = f"tcp://127.0.0.1:{held.getsockname()[1]}"
        StateDb(fleet.data / "state.db").close()
        where = ["--config", str(fleet.config), "--data", str(fleet.data)]
        result = CliRunner().invoke(main, ["backtest", *where, "--scheduler", address])
        assert result.exit_code == 1, result.output
        last = result.stderr.strip().splitlines()[-1]
        assert f"--scheduler {address}: no scheduler answers" in last
        assert last.endswith("start one with `dask scheduler`, or leave --scheduler out")
        with pytest.raises(SchedulerError):
            OnDask("nowhere://x", load_config(fleet.config).settings.store, fleet.data)


@pytest.mark.parametrize(
    "address",
    ["foo", "", "tcp://foo", "foo:", "tcp://foo:x", "foo:99999", "foo:0", "nowhere://x:1", "tcp://[::1:1"],
)
@pytest.mark.parametrize("command", ["backtest", "watch"])
def test_what_is_no_address_is_told_at_once(fleet: Desk, command: str, address: str) -> None:
    """Status 2 and one line, before anything is read: no half-made client is left that is waited for at the end."""
    where = ["--config", str(fleet.config), "--data", str(fleet.data)]
    result = CliRunner().invoke(main, [command, *where, "--scheduler", address])
    assert result.exit_code == 2, result.output
    assert result.output == (
        f'--scheduler: "{address}" is no address of a scheduler; write its host and port, as tcp://10.0.0.5:8786\n'
    )


@pytest.mark.parametrize("address", ["foo:8786", "tcp://10.0.0.5:8786", "tls://[::1]:8786", "ws://foo:1/"])
def test_what_names_a_host_and_a_port_is_an_address(address: str) -> None:
    """With or without how to reach it."""
    check_address(address)


def test_a_command_without_a_schedulers_address_ends_at_once(fleet: Desk) -> None:
    """As a process of its own: nothing after its line, and nothing that it waits for."""
    called = [sys.executable, "-m", "tatpar", "backtest", "--data", str(fleet.data), "--scheduler", "foo"]
    ended = subprocess.run(called, capture_output=True, text=True, timeout=15, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("missing", ["distributed", "dask", "tornado"])
@pytest.mark.parametrize("command", ["backtest", "watch"])
def test_without_dask_a_scheduler_is_refused_in_one_line(tmp_path: Path, command: str, missing: str) -> None:
    """Status 2 and what to do, before anything is read; also where Dask is there in part. Without the option nobody misses it."""
    hidden = f"import sys; sys.modules[{missing!r}] = None; from tatpar.__main__ import main; main()"
    where = ["--data", str(tmp_path / "none")]
    asked = [sys.executable, "-c", hidden, command, *where]
    for further, said in (
        (["--scheduler", "tcp://127.0.0.1:9"], "--scheduler: Dask is not installed here ("),
        ([], str(tmp_path)),
    ):
        ended = subprocess.run([*asked, *further], capture_output=True, text=True, timeout=30, check=False)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert ended.stderr.startswith(said)
        assert len(ended.stderr.splitlines()) == 1
        told = "; install it with `pip install 'tatpar[hub,scale]'`, or leave --scheduler out\n"
        assert ended.stderr.endswith(told) is bool(further)
