"""A line that fails and comes back: how often, since when, and whom to call, in its pauses and in its outages alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.flapping import Flapping, flapping
from telemetry.decisions import Action, ReasonCode
from telemetry.windows import SECOND_NS
from tests.analytics.one_office import verdict_of

if TYPE_CHECKING:
    from telemetry.decisions import Verdict
    from tests.analytics.conftest import Bench

AGO_NS = 600 * SECOND_NS
PACKETS = 150


def verdict(made: Bench, *, spells: int, out: bool) -> Verdict:
    """Of an office that failed so often since ten minutes ago, and is out in the newest minute or not."""
    values = made.values((3, 2, 40))
    if out:
        made.lose(values, "up", PACKETS, at=(0, slice(None), slice(36, 40)))
    recent = made.recent(values)
    relapses, since_ns = np.zeros((2, 3, 2), dtype=np.int64)
    relapses[0], since_ns[0] = spells, made.t0 - AGO_NS
    told = Flapping(relapses, since_ns, since_ns)
    ground = made.ground(
        recent, relapses=relapses, relapsing_since_ns=since_ns, flapping=flapping(recent, told)
    )
    return verdict_of(ground, made.occurrence(600.0))


def test_in_a_pause_it_is_told_how_often_and_since_when(made: Bench) -> None:
    """The line is sound just now; "a fault not long ago" would have neither time nor count."""
    found = verdict(made, spells=10, out=False)
    (reason,) = found.reasons
    assert (reason.code, reason.value, reason.since_ns) == (ReasonCode.FLAPPING, 10, made.t0 - AGO_NS)
    assert found.action is Action.CALL_PROVIDER


def test_in_an_outage_the_advice_is_the_same_as_in_a_pause(made: Bench) -> None:
    """That it is down stands first; a restart is for a line that went down once."""
    found = verdict(made, spells=10, out=True)
    assert [reason.code for reason in found.reasons][:2] == [ReasonCode.OUTAGE, ReasonCode.FLAPPING]
    assert found.action is Action.CALL_PROVIDER
    once = verdict(made, spells=0, out=True)
    assert ReasonCode.FLAPPING not in {reason.code for reason in once.reasons}
    assert once.action is Action.RESTART_ROUTER
