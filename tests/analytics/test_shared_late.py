"""Who falls ill when a shared fault has lasted for more than half an hour: one more of it, or an office with trouble of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.lines import Lines
from analytics.shared.factors import factors
from analytics.shared.find import shared_faults
from analytics.shared.follow import HOLD_NS, follow
from analytics.shared.late import latecomers
from analytics.shared.sighting import Heard, Sighting, sight
from analytics.shared.told import may_explain
from config.load import load_config
from telemetry.decisions import Evidence, Factor, FactorKind, Flag, Incident, Reason, ReasonCode
from telemetry.windows import MINUTE_NS, SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from analytics.shared.opened import Open

SITES = tuple(f"s{i:02d}" for i in range(24))
LINES = Lines(SITES, ("main.state", "main.national"))
ALL = np.ones(24, dtype=bool)
PROVIDERS = ["pa" if i % 2 else "pb" for i in range(24)]
FACTORS = factors(LINES, PROVIDERS, [f"r{i // 6}" for i in range(24)], ALL)
THEIRS = [site for site, provider in zip(SITES, PROVIDERS, strict=True) if provider == "pa"]
NOW = 1_795_392_000 * SECOND_NS
BEGAN = NOW - 60 * MINUTE_NS
LOSSY, DEAD = ReasonCode.LOSS_DOWN, ReasonCode.OUTAGE


def of(site: str, code: ReasonCode, since_ns: int, seen_ns: int = NOW) -> list[Flag]:
    """Both lines of an office are ill."""
    return [
        Flag(
            site=site,
            path=path,
            reason=Reason(code=code, since_ns=since_ns),
            since_ns=since_ns,
            seen_ns=seen_ns,
        )
        for path in LINES.paths
    ]


def looked(flags: list[Flag], silent: dict[str, int] | None = None) -> Sighting:
    """What is seen now; the `silent` were last heard at these times."""
    last = np.full(LINES.shape, NOW - SECOND_NS)
    for site, at_ns in (silent or {}).items():
        last[LINES.site_index[site]] = at_ns
    return sight(LINES, flags, Heard(last, ALL), NOW)


def opened(before: Sighting) -> tuple[Open, ...]:
    """The provider's fault, told half an hour ago and more."""
    begun = follow((), shared_faults(FACTORS, before), before, FACTORS, BEGAN + MINUTE_NS).open
    return follow(begun, shared_faults(FACTORS, before), before, FACTORS, BEGAN + MINUTE_NS + HOLD_NS).open


def listed_later(before: Sighting, after: Sighting, *, is_plain: bool) -> set[str]:
    """Whom the provider's fault lists beside those who had it; whether it is found anew at this look, or only goes on."""
    found = shared_faults(FACTORS, after) if is_plain else []
    assert bool(found) == is_plain
    (one,) = follow(opened(before), found, after, FACTORS, NOW).open
    assert one.factor == Factor(FactorKind.PROVIDER, "pa")
    said = one.incident(SITES)
    assert said is not None
    return set(said.sites) - set(THEIRS[:-2])


def lossy() -> list[Flag]:
    """Ten of the provider's twelve offices lose packets on the way down, for an hour."""
    return [flag for site in THEIRS[:-2] for flag in of(site, LOSSY, BEGAN)]


@pytest.mark.parametrize("is_plain", [True, False])
@pytest.mark.parametrize(
    ("code", "joins"),
    [
        (LOSSY, True),
        (ReasonCode.LOSS, True),
        (ReasonCode.LOSS_UP, False),
        (ReasonCode.JITTER_DOWN, False),
        (DEAD, False),
    ],
)
def test_who_falls_ill_after_an_hour_as_most_did_is_of_the_fault(
    code: ReasonCode, joins: bool, is_plain: bool
) -> None:
    """Loss on the way down is the provider's; loss on the way up, jitter or a dead line is the office's own."""
    late = of("s23", code, NOW - 60 * SECOND_NS)
    assert listed_later(looked(lossy()), looked(lossy() + late), is_plain=is_plain) == (
        {"s23"} if joins else set()
    )


def test_one_window_does_not_say_how_it_looks() -> None:
    """The first window of a dead line has lost a part of its packets: it is waited for the second."""
    began_ns = NOW - 2 * WINDOW_NS
    first = of("s23", LOSSY, began_ns, began_ns + WINDOW_NS)
    assert listed_later(looked(lossy()), looked(lossy() + first), is_plain=True) == set()
    dead = looked(lossy() + first + of("s23", DEAD, began_ns + SECOND_NS))
    assert listed_later(looked(lossy()), dead, is_plain=True) == set(), "what it began with is forgotten"
    second = of("s23", LOSSY, began_ns)
    assert listed_later(looked(lossy()), looked(lossy() + second), is_plain=True) == {"s23"}


def test_who_is_cut_off_after_an_hour_as_most_were_is_of_the_fault() -> None:
    """Ten are silent; one more falls silent, and is listed while its last reports still say that its lines went down."""
    silent = dict.fromkeys(THEIRS[:-2], BEGAN)
    before = looked([], silent)
    down = looked(of("s23", DEAD, NOW - 40 * SECOND_NS), silent)
    gone = looked([], silent | {"s23": NOW - 100 * SECOND_NS})
    lossy_ = looked(of("s23", LOSSY, NOW - 40 * SECOND_NS), silent)
    for is_plain in (True, False):
        assert listed_later(before, down, is_plain=is_plain) == {"s23"}
        assert listed_later(before, gone, is_plain=is_plain) == {"s23"}
        assert listed_later(before, lossy_, is_plain=is_plain) == set()


def test_who_may_be_cut_off_is_of_the_fault_until_more_is_known() -> None:
    """Its last window lost a part, and no more comes: it is listed at once. One that goes on to be lossy is none of it after the second."""
    silent = dict.fromkeys(THEIRS[:-2], BEGAN)
    before, began_ns = looked([], silent), NOW - 2 * WINDOW_NS
    once = looked(of("s23", LOSSY, began_ns, began_ns + WINDOW_NS), silent)
    assert listed_later(before, once, is_plain=True) == {"s23"}
    (one,) = follow(opened(before), shared_faults(FACTORS, once), once, FACTORS, NOW - WINDOW_NS).open
    twice = looked(of("s23", LOSSY, began_ns), silent)
    (after,) = follow((one,), shared_faults(FACTORS, twice), twice, FACTORS, NOW).open
    assert [bool(each.now[23]) for each in (one, after)] == [True, False]


def test_who_may_be_cut_off_is_told_from_a_stranger_in_one_look() -> None:
    """Of two that fall ill apart from each other one is known by a single window, the other by many; nobody is both, nor is who had it from the first either."""
    silent = dict.fromkeys(THEIRS[:-2], BEGAN)
    began_ns = NOW - 2 * WINDOW_NS
    once = of(THEIRS[-2], LOSSY, began_ns, began_ns + WINDOW_NS)
    seen = looked(once + of(THEIRS[-1], LOSSY, NOW - 10 * MINUTE_NS), silent)
    hit = np.isin(SITES, THEIRS)
    late = latecomers(np.repeat(hit[:, None], 2, axis=1), hit, BEGAN, seen)
    assert [SITES[i] for i in np.flatnonzero(late.undecided)] == [THEIRS[-2]]
    assert [SITES[i] for i in np.flatnonzero(late.strangers)] == [THEIRS[-1]]


def test_of_a_fault_that_is_half_over_nobody_is_one_more() -> None:
    """Six of twelve are left, which are not most: another that falls ill then has trouble of its own."""
    half = [flag for site in THEIRS[:6] for flag in of(site, LOSSY, BEGAN)]
    late = of("s23", LOSSY, NOW - 60 * SECOND_NS)
    assert listed_later(looked(lossy()), looked(half + late), is_plain=False) == set()


def test_two_that_fall_ill_together_are_of_the_fault_however_they_look() -> None:
    """One that is dead is an office; two that die within seconds have lost what they share."""
    both = [flag for site in THEIRS[-2:] for flag in of(site, DEAD, NOW - 60 * SECOND_NS)]
    assert listed_later(looked(lossy()), looked(lossy() + both), is_plain=True) == set(THEIRS[-2:])


@pytest.mark.parametrize(("suffer", "waits"), [(7, True), (6, False)])
def test_its_contact_waits_while_most_suffer(suffer: int, waits: bool) -> None:
    """Of twelve offices seven do: who falls ill fifty minutes later may be one more, and hears of a router only when it is not."""
    site = next(iter(load_config(None).registry.linked()))
    incident = Incident(
        id="i",
        factor=Factor(FactorKind.PROVIDER, site.provider),
        since_ns=BEGAN,
        told_ns=BEGAN,
        seen_ns=NOW,
        sites=SITES[:suffer],
        evidence=Evidence(members=12, suffer=11, others=12, others_suffer=0, log_odds=20.0),
    )
    assert may_explain([incident], site, "main.state", LOSSY, BEGAN + 50 * MINUTE_NS) is waits
