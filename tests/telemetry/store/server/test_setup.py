"""Servers that are set up wrongly are found: at the start, by `tatpar doctor`, and mended by `tatpar store init`."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from telemetry.store.server.connect import connect
from telemetry.store.server.database import DeniedError
from telemetry.store.server.victoria import days_of
from tests.telemetry.store.servers import Victoria, by_hand, free_port, ship_all

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.settings import Store


@pytest.fixture
def careless(tmp_path: Path) -> Iterator[Victoria]:
    """A VictoriaMetrics as the package starts it: no deduplication, a month of retention."""
    server = Victoria(tmp_path / "careless")
    server.flags = ()
    server.start()
    yield server
    server.kill()


def written(settings: Store, folder: Path) -> Path:
    """A settings file."""
    file = folder / "tatpar.toml"
    file.write_text(
        f'[store]\nkind = "{settings.kind}"\nurl = "{settings.url}"\nbucket = "{settings.bucket}"\n'
        f'prefix = "{settings.prefix}"\nraw_days = 30\nrollup_days = 50\n'
    )
    return file


def tatpar(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tatpar", *arguments], capture_output=True, text=True, timeout=300, check=False
    )


def test_without_deduplication_nothing_is_written_and_the_flag_is_named(
    careless, servers, fleet, tmp_path, everything
) -> None:
    """Points would count twice: shipping waits, says which flag, and goes on when the server is started rightly."""
    settings = servers.settings("victoriametrics", url=careless.url)
    with closing(by_hand(settings, tmp_path)) as store:
        store.append(fleet.hours(["agra"], range(3)))
        with pytest.raises(DeniedError, match=r"-dedup\.minScrapeInterval=1ms"):
            store.ship()
        assert store.shipping["points_written"] == 0
        careless.kill()
        careless.flags = Victoria.flags
        careless.start()
        ship_all(store, servers)
        assert store.shipping["journal_backlog_reports"] == 0
        assert len(store.streams(everything)) == 6


def test_a_retention_shorter_than_the_settings_is_found(careless, servers) -> None:
    """What lies beyond it would be answered with success and thrown away."""
    with closing(connect(servers.settings("victoriametrics", url=careless.url))) as database:
        problems = database.examine()
    assert any("-retentionPeriod" in problem.text and "50d" in problem.remedy for problem in problems)


def test_what_the_server_threw_away_is_counted(careless, servers, fleet, tmp_path, comes_true) -> None:
    """Windows of two years ago on a server that keeps a month: 204, and gone; the counter of the server tells."""
    careless.kill()
    careless.flags = ("-dedup.minScrapeInterval=1ms",)
    careless.start()
    settings = servers.settings("victoriametrics", url=careless.url)
    with closing(by_hand(settings, tmp_path)) as store:
        store.append(fleet.hours(["agra"], range(3)))
        while store.ship():
            pass
        comes_true(lambda: sum(store._database.lost().values()) > 100, "its counters are shown")
        assert list(store._database.lost()) == ["small_timestamp"]


@pytest.mark.parametrize(
    ("period", "days"), [("100y", 36_500), ("90d", 90), ("1", 31), ("2w", 14), ("36h", 1.5), ("soon", None)]
)
def test_retentions_are_read_as_the_server_means_them(period, days) -> None:
    """A bare number is months; what is not understood is no ground for a complaint."""
    assert days_of(period) == days


def test_doctor_says_what_is_wrong_with_the_server(careless, servers, tmp_path) -> None:
    """The missing flag is broken, the short retention is less; a server that does not answer is told with its address."""
    right = servers.settings("victoriametrics")
    wrong = servers.settings("victoriametrics", url=careless.url)
    away = servers.settings("victoriametrics", url=f"http://127.0.0.1:{free_port()}")

    def findings(settings: Store) -> list[dict[str, str]]:
        file = written(settings, tmp_path)
        done = tatpar("doctor", "--json", "--config", str(file), "--data", str(tmp_path / "data"))
        return [found for found in json.loads(done.stdout) if found["subject"] == "database"]

    (fine,) = findings(right)
    assert fine["level"] == "fine"
    dedup, retention = findings(wrong)
    assert dedup["level"] == "broken"
    assert "-dedup.minScrapeInterval=1ms" in dedup["remedy"]
    assert "-retentionPeriod" in retention["text"]
    (gone,) = findings(away)
    assert gone["level"] == "broken"
    assert "cannot be reached" in gone["text"]


def test_store_init_makes_the_database_once(servers, tmp_path) -> None:
    """Database and retention policy on a real engine; a second time changes nothing and ends well."""
    settings = servers.settings("influxdb1", bucket="made_by_init")
    file = written(settings, tmp_path)
    for _ in range(2):
        done = tatpar("store", "init", "--config", str(file), "--data", str(tmp_path))
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == ["database made_by_init", "retention policy tatpar: 50 days"]
    with closing(connect(settings)) as database:
        assert database.examine() == []


def test_store_init_tells_a_server_that_is_away_in_one_line(servers, tmp_path) -> None:
    """Status 1 and where it looked."""
    settings = servers.settings("influxdb1", url=f"http://127.0.0.1:{free_port()}")
    done = tatpar("store", "init", "--config", str(written(settings, tmp_path)), "--data", str(tmp_path))
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "cannot be reached" in done.stderr


def test_store_init_needs_nothing_for_a_file(tmp_path) -> None:
    """The embedded store is made and named."""
    done = tatpar("store", "init", "--json", "--data", str(tmp_path / "data"))
    assert done.returncode == 0, done.stderr
    assert "reports.db" in json.loads(done.stdout)[0]
