"""InfluxDB 2: set-up, writing and reading against a stub of its API before a real InfluxQL engine (not a real InfluxDB 2)."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import msgspec
import pytest

from telemetry.store.server.connect import connect
from telemetry.store.server.database import DeniedError, ServerError
from telemetry.windows import DAY_NS, HOUR_NS
from tests.telemetry.store.server.influx2_stub import TOKEN, Influx2Stub
from tests.telemetry.store.servers import by_hand, ship_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.settings import Store


@pytest.fixture
def stub(servers) -> Iterator[Influx2Stub]:
    one = Influx2Stub(servers.of("influxdb1").url)
    yield one
    one.close()


@pytest.fixture
def settings(servers, stub) -> Store:
    """Of a bucket whose engine's database exists already."""
    return msgspec.structs.replace(servers.settings("influxdb1"), kind="influxdb", url=stub.url, token=TOKEN)


def test_set_up_makes_what_is_missing_and_changes_nothing_the_second_time(stub, settings) -> None:
    """Organisation, bucket with its retention, mapping for InfluxQL: each once."""
    with closing(connect(settings)) as database:
        (problem,) = database.examine()
        assert problem.text == f"there is no organisation tatpar, and so no bucket {settings.bucket}"
        assert problem.remedy == "check store.organisation, or run: tatpar store init"
        done = database.create()
        assert [line.split()[0] for line in done] == ["organisation", "bucket", "database"]
        (org,), (bucket,), (dbrp,) = stub.orgs, stub.buckets, stub.dbrps
        assert (org["name"], bucket["orgID"]) == ("tatpar", org["id"])
        assert bucket["retentionRules"] == [{"type": "expire", "everySeconds": 50 * 86_400}]
        assert (dbrp["database"], dbrp["bucketID"], dbrp["default"]) == (settings.bucket, bucket["id"], True)
        assert database.examine() == []
        before = stub.changes
        kept, stub.buckets = stub.buckets, []
        assert [(one.text, one.remedy) for one in database.examine()] == [
            (f"there is no bucket {settings.bucket}", "run: tatpar store init")
        ]
        stub.buckets = kept
        assert database.create() == [f"bucket {settings.bucket}: all as it should be"]
        assert stub.changes == before


def test_a_retention_that_is_too_short_is_told_and_set_anew(stub, settings) -> None:
    """Settings that want more than the bucket keeps: examine says so, create mends it."""
    with closing(connect(settings)) as database:
        database.create()
    longer = msgspec.structs.replace(settings, rollup_days=400)
    with closing(connect(longer)) as database:
        (problem,) = database.examine()
        assert "keeps 50 days, the settings want 400" in problem.text
        assert database.create() == [f"bucket {settings.bucket}: keeps 400 days now"]
        assert database.examine() == []
        assert stub.buckets[0]["retentionRules"][0]["everySeconds"] == 400 * 86_400


def test_reports_go_through_the_v2_api_and_come_back_by_influxql(
    settings, fleet, tmp_path, rows, everything
) -> None:
    """Written by `influxdb-client`, read as arrays from the mapped database: every value as it was reported."""
    with closing(by_hand(settings, tmp_path)) as store:
        store._database.create()
        store.append(fleet.hours(["agra", "etah"], range(30)))
        while store.maintain(fleet.t0 + 9 * HOUR_NS):
            pass
        while store.ship():
            pass
        here = rows(store.streams(everything))
        store.drop_shipped(40_000 * DAY_NS)
        assert rows(store.streams(everything)) == here
        assert len(here) == 120
        assert store.rollups(everything).columns["windows"].tolist() == [20, 10] * 4


def test_a_wrong_token_is_told_with_what_to_do_and_nothing_is_lost(
    servers, settings, fleet, tmp_path, everything
) -> None:
    """401: the operator must act; reports wait, and go when the token is right."""
    with closing(connect(settings)) as database:
        database.create()
    (tmp_path / "token").write_text("wrong\n")
    by_file = msgspec.structs.replace(settings, token="", token_file="token")
    with closing(by_hand(by_file, tmp_path, connect(by_file, tmp_path))) as store:
        store.append(fleet.hours(["agra"], range(4)))
        with pytest.raises(DeniedError, match=r"401.*store\.token"):
            store.ship()
        assert store.shipping["journal_backlog_reports"] == 4
        with pytest.raises(ServerError):
            store._database.create()
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    with closing(by_hand(by_file, tmp_path, connect(by_file, tmp_path))) as store:
        ship_all(store, servers)
        assert store.shipping["journal_backlog_reports"] == 0
        assert len(store.streams(everything)) == 8


def test_a_bucket_that_is_gone_is_told_with_what_to_do(stub, settings, fleet, tmp_path) -> None:
    """404 on a write names the command that mends it."""
    with closing(by_hand(settings, tmp_path)) as store:
        store._database.create()
        store.append(fleet.hours(["agra"], range(2)))
        stub.buckets[0]["name"] = "renamed"
        store._shipper._checked = True
        with pytest.raises(DeniedError, match="tatpar store init"):
            store.ship()


def test_a_mapping_that_is_missing_is_told(stub, settings) -> None:
    """A bucket that InfluxQL cannot reach is found by the check, and a read says why in a line."""
    with closing(connect(settings)) as database:
        database.create()
        stub.dbrps.clear()
        (problem,) = database.examine()
        assert "no database is mapped" in problem.text
        with pytest.raises(ServerError, match="database not found"):
            database.query("SELECT v FROM m")  # type: ignore[attr-defined]
