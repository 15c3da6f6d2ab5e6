"""A shared fault's record while it lasts, and what is kept of it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
from msgspec import structs

from analytics.shared.follow import Followed
from analytics.shared.opened import Open
from tatpar.watching.incidents import OpenIncidents
from telemetry.decisions import EndBegan, Evidence, Factor, FactorKind
from telemetry.state.db import StateDb
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from pathlib import Path

START = 1_795_392_000 * SECOND_NS
SITES = ("agra", "etah", "mathura")
ALL = np.ones(3, dtype=bool)
NAMED = Open(
    id="6925-1",
    factor=Factor(FactorKind.HEADQUARTERS),
    since_ns=START,
    first_ns=START,
    seen_ns=START + 15 * SECOND_NS,
    ever=ALL,
    now=ALL,
    evidence=Evidence(members=3, suffer=3, others=45, others_suffer=2, log_odds=9.0),
    told_ns=START + 15 * SECOND_NS,
)


@pytest.mark.parametrize(
    "change",
    [
        {"evidence": structs.replace(NAMED.evidence, log_odds=40.0)},
        {"since_ns": START - 15 * SECOND_NS},
        {"ends": (EndBegan(end="state", since_ns=START),)},
    ],
    ids=["evidence", "beginning", "ends"],
)
def test_what_is_read_of_a_fault_while_it_lasts_is_what_is_kept(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    """A later look knows better, of the same offices: the record says so at once, and not only when the fault is over."""
    state = StateDb(tmp_path / "state.db")
    watched = OpenIncidents(cast("Any", SimpleNamespace(sites=SITES)), state)

    def look(*opened: Open, ended: tuple[tuple[Open, int], ...] = ()) -> bool:
        watched._open = opened
        return watched._write(Followed(opened, ended))

    assert look(NAMED)
    later = replace(NAMED, seen_ns=START + 60 * SECOND_NS, **change)
    assert not look(later)  # nothing that anybody is told anew
    (lasts,) = state.open_incidents()
    seen_again = replace(later, seen_ns=START + 90 * SECOND_NS)
    look(seen_again)
    assert state.open_incidents() == [lasts]  # when it was last seen is no reason to write
    look(ended=((seen_again, START + 80 * SECOND_NS),))
    over = state.incident(NAMED.id)
    assert over is not None
    assert structs.replace(over, until_ns=None, seen_ns=lasts.seen_ns) == lasts
    state.close()
