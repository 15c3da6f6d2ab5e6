"""The report of a lab week whose faults are known: each of them appears once, and is as long as it was."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

import reports.gather
from config.load import load_config
from lab.past.history import write_history
from lab.past.plan import plan_history
from lab.running.scope import Places
from lab.running.script import QUIET, Past
from reports.gather import WeekFigures, gather
from reports.paper import html, pdf
from reports.week import Week
from reports.weekly_document import document
from telemetry.decisions import Evidence, Factor, FactorKind, Incident, ReasonCode
from telemetry.state.db import StateDb
from telemetry.store.by_blocks import InProcess, InProcesses
from telemetry.store.sqlite import SqliteReader, SqliteStore
from telemetry.windows import HOUR_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.config import Config
    from lab.past.plan import PastPlan


WEEK = Week.of("2026-W46", ZoneInfo("Asia/Kolkata"))
NOW_NS = WEEK.end_ns + 30 * HOUR_NS
OFFICES = ("agra", "jaunpur", "lakhimpur-kheri", "rampur")
OUTAGES_ONLY = {
    name: 0.0
    for name in msgspec.structs.asdict(Past())
    if name.endswith("_per_month") or name in {"congested_share", "congestion_jitter_ms"}
} | {"provider_outages_per_month": 12.0}


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config(None)


@pytest.fixture(scope="module")
def plan(config: Config) -> PastPlan:
    """A week of four quiet offices whose providers fail now and then, and nothing else ever does."""
    sites = [config.registry.by_id[name] for name in OFFICES]
    places = Places(sites, tuple(config.headquarters), {site.id: site.provider for site in sites})
    script = msgspec.structs.replace(QUIET, past=Past(**OUTAGES_ONLY))
    return plan_history(config, script, places, now_ns=NOW_NS, weeks=1.3, seed=11)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("known")


@pytest.fixture(scope="module")
def opened(plan: PastPlan, folder: Path) -> Iterator[tuple[SqliteReader, StateDb]]:
    with contextlib.closing(SqliteStore(folder / "reports.db")) as store:
        write_history(plan, store, lambda _: None, workers=0)
    with (
        contextlib.closing(SqliteReader(folder / "reports.db")) as reader,
        contextlib.closing(StateDb(folder / "state.db")) as state,
    ):
        state.put_incidents(incidents())
        yield reader, state


def blocked(opened: tuple[SqliteReader, StateDb]) -> tuple[InProcess, StateDb]:
    reader, state = opened
    return InProcess(reader), state


def incidents() -> list[Incident]:
    """One within the week, one that runs into it, one of the week before, and one of offices of elsewhere."""
    evidence = Evidence(members=4, suffer=4, others=9, others_suffer=0, log_odds=9.0)

    def made(name: str, from_ns: int, until_ns: int, sites: tuple[str, ...]) -> Incident:
        factor = Factor(kind=FactorKind.PROVIDER, name=name)
        return Incident(
            id=name, factor=factor, since_ns=from_ns, told_ns=from_ns, seen_ns=until_ns, sites=sites,
            evidence=evidence, until_ns=until_ns,
        )  # fmt: skip

    start = WEEK.start_ns
    return [
        made("within", start + HOUR_NS, start + 3 * HOUR_NS, ("agra", "rampur")),
        made("into", start - HOUR_NS, start + HOUR_NS // 2, ("agra",)),
        made("before", start - 9 * HOUR_NS, start - HOUR_NS, ("agra",)),
        made("elsewhere", start + HOUR_NS, start + 2 * HOUR_NS, ("nowhere",)),
    ]


@pytest.fixture(scope="module")
def figures(config: Config, opened: tuple[SqliteReader, StateDb]) -> WeekFigures:
    return gather(config, *blocked(opened), WEEK, NOW_NS, lambda *_: None)


def truth(plan: PastPlan) -> list[tuple[str, int, int]]:
    """(office, from, until) of each outage within the week, those of an office that touch as one."""
    found: list[tuple[str, int, int]] = []
    for site in OFFICES:
        spans = sorted(
            (max(fault.start_ns, WEEK.start_ns), min(fault.end_ns, WEEK.end_ns))
            for fault in plan.faults
            if site in fault.sites and fault.end_ns > WEEK.start_ns and fault.start_ns < WEEK.end_ns
        )
        for span in spans:
            if found and found[-1][0] == site and span[0] - found[-1][2] <= 8 * WINDOW_NS:
                found[-1] = (site, found[-1][1], max(found[-1][2], span[1]))
            else:
                found.append((site, *span))
    return [one for one in found if one[2] - one[1] >= 6 * WINDOW_NS]


def test_each_known_fault_appears_once_with_its_length(plan: PastPlan, figures: WeekFigures) -> None:
    """Begin and length within a window; nothing else is reported, and each is on all lines of its office."""
    known = sorted(truth(plan))
    told = sorted((one.site, one.start_ns, one) for one in figures.troubles if one.duration_s >= 90)
    assert len(known) >= 8
    assert [site for site, *_ in told] == [site for site, *_ in known]
    for (_, from_ns, until_ns), (_, start_ns, one) in zip(known, told, strict=True):
        assert abs(start_ns - from_ns) <= WINDOW_NS
        assert abs(one.duration_s * 10**9 - (until_ns - from_ns)) <= 2 * WINDOW_NS
        assert one.cause is ReasonCode.OUTAGE
        assert len(one.paths) == 2


def test_a_shared_fault_is_told_once(config: Config, figures: WeekFigures) -> None:
    """Those that touch the week, with their whole length: two hours within it, an hour and a half into it."""
    (table,) = [one for one in document(figures, config, "en", NOW_NS).tables if one.name == "incidents"]
    assert [(row[0].text, row[2].value, row[3].value) for row in table.rows] == [
        ("Fault at the provider into", 5400.0, 1),
        ("Fault at the provider within", 7200.0, 2),
    ]


def test_same_week_same_data_same_bytes(
    config: Config, opened: tuple[SqliteReader, StateDb], figures: WeekFigures
) -> None:
    """Gathered and drawn twice, page and PDF are the same to the last byte."""
    again = gather(config, *blocked(opened), WEEK, NOW_NS, lambda *_: None)
    first, second = (document(one, config, "hi", NOW_NS) for one in (figures, again))
    assert html(first) == html(second)
    assert pdf(first) == pdf(second)


def test_processes_of_their_own_find_the_same(
    config: Config, opened: tuple[SqliteReader, StateDb], figures: WeekFigures, folder: Path, monkeypatch: Any
) -> None:
    """Blocks of two offices in two processes: the same figures to the bit, each process with a reader of its own."""
    monkeypatch.setattr(reports.gather, "BLOCK", 2)
    with contextlib.closing(InProcesses(2, config.settings.store, folder)) as blocks:
        again = gather(config, blocks, opened[1], WEEK, NOW_NS, lambda *_: None)
    for name in WeekFigures.__slots__:
        assert repr(getattr(again, name)) == repr(getattr(figures, name)), name


def test_of_one_region_only_its_offices_are_told(
    config: Config, opened: tuple[SqliteReader, StateDb]
) -> None:
    """Offices, troubles, incidents and counts are the region's own."""
    own = gather(config, *blocked(opened), WEEK, NOW_NS, lambda *_: None, "braj")
    assert {office.region for office in own.offices} == {"braj"}
    assert {config.registry.by_id[one.site].region for one in own.troubles} == {"braj"}
    assert own.total == sum(site.region == "braj" for site in config.registry.sites)
    assert [region.region for region in own.regions] == ["braj"]
