"""Announced works and holidays: whom they touch, when, and that a running process takes them up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from config.live import LiveConfig, ReloadOutcome
from config.load import load_config
from config.works import WorkKind

if TYPE_CHECKING:
    from conftest import Write

HEAD = "who,kind,from,until,announced,note\n"


def _ns(text: str) -> int:
    return int(datetime.fromisoformat(text).astimezone(UTC).timestamp()) * 10**9


def test_who_is_touched_and_when(write: Write) -> None:
    """Each form names its offices in the order of the registry; times without an offset are the deployment's."""
    write(
        "works.csv",
        HEAD + "site:agra,works,2026-11-25 09:00,2026-11-25 12:00,2026-11-20,fibre moved\n"
        "provider:provider-b,works,2026-11-25T09:00Z,2026-11-25T10:00Z,2026-11-20T00:00+05:30,\n"
        "end:state,works,2026-11-26 01:00,2026-11-26 02:00,2026-11-20 10:00,\n"
        "all,holiday,2027-01-26,2027-01-27,2026-01-01,\n",
    )
    config = load_config(write("tatpar.toml", ""))
    agra, provider, end, everyone = config.works
    assert agra.sites == ("agra",)
    assert agra.kind is WorkKind.WORKS
    assert agra.from_ns == _ns("2026-11-25T09:00+05:30")
    assert agra.announced_ns == _ns("2026-11-20T00:00+05:30")
    assert provider.sites == tuple(s.id for s in config.registry.sites if s.provider == "provider-b")
    assert provider.from_ns == _ns("2026-11-25T09:00+00:00")
    assert (end.end, end.sites) == ("state", tuple(config.registry.by_id))
    assert everyone.kind is WorkKind.HOLIDAY
    assert everyone.until_ns - everyone.from_ns == 24 * 3600 * 10**9


def test_without_a_file_nothing_is_announced(write: Write) -> None:
    """The table need not be there."""
    assert load_config(write("tatpar.toml", "")).works == ()


def test_a_running_process_takes_works_up_and_misses_a_lost_file(write: Write) -> None:
    """A table that appears is taken up; one that vanishes again is a mistake, and the old works stay."""
    live = LiveConfig(write("tatpar.toml", ""))
    table = write("works.csv", HEAD + "all,holiday,2027-01-26,2027-01-27,2026-01-01,\n")
    assert live.refresh().outcome is ReloadOutcome.CHANGED
    assert len(live.current.works) == 1
    table.unlink()
    assert live.refresh().outcome is ReloadOutcome.REFUSED
    assert len(live.current.works) == 1
