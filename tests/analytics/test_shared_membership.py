"""Who belongs to a shared fault that is open: troubled before or not, back or not; and what its offices are told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from analytics.ground import Standing
from analytics.lines import Lines
from analytics.shared.factors import factors
from analytics.shared.find import shared_faults
from analytics.shared.follow import HOLD_NS, follow
from analytics.shared.membership import belong, look
from analytics.shared.sighting import Heard, Sighting, sight
from analytics.shared.told import with_shared
from telemetry.decisions import Evidence, Factor, FactorKind, Flag, Incident, Reason, ReasonCode
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from analytics.shared.factors import Factors
    from analytics.shared.opened import Open

SITES = tuple(f"s{i:02d}" for i in range(24))
LINES = Lines(SITES, ("main.state", "main.national"))
LINKED = np.ones(24, dtype=bool)
PROVIDERS = ["pa" if i % 2 else "pb" for i in range(24)]
PA_SITES = SITES[1::2]
FACTORS = factors(LINES, PROVIDERS, [f"r{i // 6}" for i in range(24)], LINKED)
NOW = 1_795_392_000 * SECOND_NS
WEST = SITES[:6]
NATIONAL, PA = Factor(FactorKind.END, "national"), Factor(FactorKind.PROVIDER, "pa")


def flag(site: str, path: str, code: ReasonCode, age_s: int) -> Flag:
    since_ns = NOW - age_s * SECOND_NS
    return Flag(site=site, path=path, reason=Reason(code=code), since_ns=since_ns, seen_ns=NOW)


def looked(flags: list[Flag], silent: dict[str, int] | None = None) -> Sighting:
    """What is seen under these flags; the `silent` were last heard so many seconds ago."""
    last = np.full(LINES.shape, NOW - SECOND_NS)
    for site, age_s in (silent or {}).items():
        last[LINES.site_index[site]] = NOW - age_s * SECOND_NS
    return sight(LINES, flags, Heard(last, LINKED), NOW)


def told(factor: Factor, *sightings: Sighting, candidates: Factors = FACTORS) -> Open:
    """The factor's fault, which is open after these looks, the first held for long enough."""
    opened: tuple[Open, ...] = ()
    for number, sighting in enumerate((sightings[0], *sightings)):
        opened = follow(
            opened, shared_faults(candidates, sighting), sighting, candidates, NOW + number * HOLD_NS
        ).open
    (one,) = [each for each in opened if each.told_ns is not None and each.factor == factor]
    return one


def listed(one: Open) -> set[str]:
    incident = one.incident(SITES)
    assert incident is not None
    return set(incident.sites)


def west_is_lossy() -> list[Flag]:
    return [flag(site, path, ReasonCode.LOSS_DOWN, 600) for site in WEST for path in LINES.paths]


def test_an_office_that_was_troubled_before_belongs_to_the_end_that_is_cut_off() -> None:
    """A region loses 2 % for ten minutes, then an end is cut off: all 24 offices are of it, and its counts say so; who decided it are 18."""
    cut = [flag(site, "main.national", ReasonCode.OUTAGE, 60) for site in SITES]
    sighting = looked(west_is_lossy() + cut)
    found = next(each for each in shared_faults(FACTORS, sighting) if each.factor == NATIONAL)
    assert found.sites.sum() == 18
    one = told(NATIONAL, sighting)
    assert listed(one) == set(SITES)
    assert (one.evidence.suffer, one.evidence.members) == (24, 24)


def test_an_office_whose_other_end_is_down_too_is_not_of_the_end_that_is_cut_off() -> None:
    """Its own line is dead; that of a lossy one is not."""
    cut = [flag(site, "main.national", ReasonCode.OUTAGE, 60) for site in SITES]
    dead = [flag("s00", "main.state", ReasonCode.OUTAGE, 60)]
    assert listed(told(NATIONAL, looked(west_is_lossy() + cut + dead))) == set(SITES) - {"s00"}


def test_a_lossy_office_whose_line_is_not_down_is_none_of_the_cut() -> None:
    """Old loss alone makes nobody a part of an outage."""
    cut = [flag(site, "main.national", ReasonCode.OUTAGE, 60) for site in SITES if site != "s00"]
    assert listed(told(NATIONAL, looked(west_is_lossy() + cut))) == set(SITES) - {"s00"}


def test_a_dead_line_is_none_of_a_loss_that_all_have() -> None:
    """Headquarters loses packets of everybody; an office whose lines were dead an hour before has a cause of its own."""
    lossy = [flag(site, path, ReasonCode.LOSS_DOWN, 60) for site in SITES[1:] for path in LINES.paths]
    dead = [flag("s00", path, ReasonCode.OUTAGE, 3600) for path in LINES.paths]
    assert listed(told(Factor(FactorKind.HEADQUARTERS), looked(lossy + dead))) == set(SITES[1:])


def test_who_is_not_back_stays_listed_while_others_come_back() -> None:
    """Of a provider's twelve silent offices ten are heard again, still bad, with young flags: the two without contact have not come back."""
    theirs = [site for site, provider in zip(SITES, PROVIDERS, strict=True) if provider == "pa"]
    before = looked([], dict.fromkeys(theirs, 300))
    young = [flag(site, path, ReasonCode.LOSS_DOWN, 20) for site in theirs[2:] for path in LINES.paths]
    after = looked(young, dict.fromkeys(theirs[:2], 300))
    found = next(each for each in shared_faults(FACTORS, after) if each.factor.name == "pa")
    assert found.sites.sum() == 10
    one = told(PA, before, after)
    assert listed(one) == set(theirs)


def test_who_reconnects_and_is_lost_again_has_not_come_back() -> None:
    """Two windows came, then the connection was lost again: without contact is without contact."""
    theirs = [site for site, provider in zip(SITES, PROVIDERS, strict=True) if provider == "pa"]
    lost = [flag(site, "", ReasonCode.DARK, 300) for site in theirs[:2]]
    after = looked(lost, dict.fromkeys(theirs[2:], 300))
    assert listed(told(PA, looked([], dict.fromkeys(theirs, 300)), after)) == set(theirs)


def one_fails_later(*, after_s: int, code: ReasonCode, site: str = "s23") -> set[str]:
    """Who is listed of a provider whose lines are down, all but one; that one fails later, when it is no longer plain that the fault is there."""
    theirs = [site for site, provider in zip(SITES, PROVIDERS, strict=True) if provider == "pa"]
    silent = looked([], dict.fromkeys(theirs[:-1], 3600))
    opened = follow((), shared_faults(FACTORS, silent), silent, FACTORS, NOW).open
    opened = follow(opened, shared_faults(FACTORS, silent), silent, FACTORS, NOW + HOLD_NS).open
    later = [flag(site, path, code, 3600 - after_s) for path in LINES.paths]
    (one,) = follow(
        opened, [], looked(later, dict.fromkeys(theirs[:-1], 3600)), FACTORS, NOW + 2 * HOLD_NS
    ).open
    return listed(one) - set(theirs[:-1])


def test_who_fails_later_as_the_others_did_belongs_to_what_was_told() -> None:
    """It first hears that it is not its line; of the provider's half hour only, of its offices only, and only if its lines are down too."""
    assert one_fails_later(after_s=900, code=ReasonCode.OUTAGE) == {"s23"}
    assert one_fails_later(after_s=2400, code=ReasonCode.OUTAGE) == set()
    assert one_fails_later(after_s=900, code=ReasonCode.LOSS_DOWN) == set()
    assert one_fails_later(after_s=900, code=ReasonCode.OUTAGE, site="s22") == set()


def joined_beside(
    at_headquarters: Factor, code: ReasonCode, *later: Flag, theirs: ReasonCode = ReasonCode.LOSS_DOWN
) -> tuple[set[str], Open]:
    """Who joins five offices of a provider whose lines have been bad (`theirs`) for five minutes, when all lines of headquarters or of an end go bad; and that fault."""
    five = [flag(site, path, theirs, 300) for site in PA_SITES[:5] for path in LINES.paths]
    kept = {(one.site, one.path) for one in (*five, *later)}
    paths = [path for path in LINES.paths if at_headquarters.name in path]
    others = [(site, path) for site in SITES for path in paths if (site, path) not in kept]
    all_lines = [*five, *later, *(flag(site, path, code, 60) for site, path in others)]
    opened: tuple[Open, ...] = ()
    for number, sighting in enumerate([looked(five)] * 2 + [looked(all_lines)] * 3):
        found = shared_faults(FACTORS, sighting)
        opened = follow(opened, found, sighting, FACTORS, NOW + number * HOLD_NS).open
    by_factor = {one.factor: one for one in opened if one.told_ns is not None}
    assert set(by_factor) == {PA, at_headquarters}
    return listed(by_factor[PA]) - set(PA_SITES[:5]), by_factor[PA]


@pytest.mark.parametrize("code", [ReasonCode.LOSS_DOWN, ReasonCode.LOSS_UP, ReasonCode.OUTAGE])
def test_nobody_joins_a_provider_by_what_headquarters_fault_explains(code: ReasonCode) -> None:
    """Five of twelve were bad before all lines of all offices went bad: it stays five, in its list and in its counts."""
    more, one = joined_beside(Factor(FactorKind.HEADQUARTERS), code)
    assert (more, one.evidence.suffer) == (set(), 5)


def test_who_falls_ill_before_headquarters_does_joins_its_provider() -> None:
    """Headquarters' fault began three minutes later, and does not explain it."""
    later = [flag(PA_SITES[5], path, ReasonCode.LOSS_DOWN, 240) for path in LINES.paths]
    more, _ = joined_beside(Factor(FactorKind.HEADQUARTERS), ReasonCode.LOSS_DOWN, *later)
    assert more == {PA_SITES[5]}


def test_whose_lines_go_down_while_headquarters_loses_packets_joins_a_provider_that_is_cut_off() -> None:
    """A dead line has not the cause of lossy ones."""
    later = [flag(PA_SITES[5], path, ReasonCode.OUTAGE, 30) for path in LINES.paths]
    headquarters = Factor(FactorKind.HEADQUARTERS)
    more, _ = joined_beside(headquarters, ReasonCode.LOSS_DOWN, *later, theirs=ReasonCode.OUTAGE)
    assert more == {PA_SITES[5]}


def test_beside_an_end_that_is_ill_the_other_end_tells_who_joins_a_provider() -> None:
    """Their lines to one end are bad as everybody's are: who joins has trouble at the other, too."""
    five = [flag(site, path, ReasonCode.LOSS_DOWN, 300) for site in PA_SITES[:5] for path in LINES.paths]
    end = [flag(site, "main.national", ReasonCode.LOSS_DOWN, 60) for site in SITES]
    sighting = looked([*five, *end, flag(PA_SITES[5], "main.state", ReasonCode.LOSS_DOWN, 60)])
    fault = next(each for each in shared_faults(FACTORS, sighting) if each.factor == NATIONAL)
    ever = np.isin(SITES, PA_SITES[:5])
    theirs = belong(PA, ever, NOW - 300 * SECOND_NS, look(sighting, FACTORS, [fault]))
    assert np.array(SITES)[theirs].tolist() == list(PA_SITES[:6])


def test_offices_that_suffer_elsewhere_too_are_none_of_an_end() -> None:
    """A provider's lines to both ends and all lines to one end go bad together: the end lists the others."""
    theirs = [site for site, provider in zip(SITES, PROVIDERS, strict=True) if provider == "pa"]
    lossy = [flag(site, "main.national", ReasonCode.LOSS_DOWN, 60) for site in SITES]
    lossy += [flag(site, "main.state", ReasonCode.LOSS_DOWN, 60) for site in theirs]
    sighting = looked(lossy)
    assert listed(told(NATIONAL, sighting)) == set(SITES) - set(theirs)
    assert listed(told(PA, sighting)) == set(theirs)


def test_another_providers_office_does_not_join_under_the_name_that_stands() -> None:
    """All five offices of a provider are lossy, then one of another provider in their region: the region looks likelier, not surer; it stays five of five."""
    regions = ["east"] * 7 + ["west"] * 17
    candidates = factors(LINES, ["pa"] * 5 + ["pb", "pc", "pd"] * 6 + ["pb"], regions, LINKED)
    theirs = [flag(site, path, ReasonCode.LOSS_DOWN, 180) for site in SITES[:5] for path in LINES.paths]
    own = [flag("s05", path, ReasonCode.LOSS_DOWN, 120) for path in LINES.paths]
    (found,) = shared_faults(candidates, looked(theirs + own))
    assert (found.factor, found.sites.sum()) == (Factor(FactorKind.REGION, "east"), 6)
    one = told(PA, looked(theirs), looked(theirs + own), candidates=candidates)
    assert listed(one) == set(SITES[:5])
    assert {SITES[i] for i in np.flatnonzero(one.ever)} == set(SITES[:5])
    assert (one.evidence.suffer, one.evidence.members) == (5, 5)


def incident(factor: Factor, *sites: str, age_s: int = 60, log_odds: float = 20.0) -> Incident:
    evidence = Evidence(members=12, suffer=11, others=12, others_suffer=0, log_odds=log_odds)
    return Incident(
        id=str(factor),
        factor=factor,
        since_ns=NOW - age_s * SECOND_NS,
        told_ns=NOW,
        seen_ns=NOW,
        sites=sites,
        evidence=evidence,
    )


def factor_told(code: ReasonCode, *incidents: Incident, age_s: int = 60) -> Reason:
    ground = SimpleNamespace(lines=LINES, incidents=incidents)
    case = SimpleNamespace(
        ground=ground, site=0, path_name="main.national", standing=Standing.NOT_READY, path=1
    )
    own = Reason(code=code, path="main.national", since_ns=NOW - age_s * SECOND_NS)
    return with_shared(cast("Any", case), [own])[0]


def test_an_outage_is_laid_to_its_end_before_the_region_that_is_lossy() -> None:
    """Of two faults that an office is in, the older is the region's loss; the line that is down is the end's, the lossy one the region's."""
    both = incident(Factor(FactorKind.REGION, "west"), *WEST), incident(NATIONAL, *SITES)
    assert factor_told(ReasonCode.OUTAGE, *both).factor == NATIONAL
    assert factor_told(ReasonCode.LOSS_DOWN, *both).factor == Factor(FactorKind.REGION, "west")


def test_a_reason_counts_the_offices_that_its_incident_lists() -> None:
    """Three are left of eleven: the verdict says three of twelve, as the incident does."""
    reason = factor_told(ReasonCode.OUTAGE, incident(NATIONAL, *SITES[:3]))
    assert (reason.value, reason.limit) == (3.0, 12.0)


def test_of_several_faults_the_one_that_began_with_the_trouble_is_named() -> None:
    """Whatever stands first; of two that did, the surer, and one that has a name before one that has none."""
    west = incident(Factor(FactorKind.REGION, "west"), *SITES, age_s=3000)
    mine = incident(PA, *SITES, age_s=900)
    surer = incident(Factor(FactorKind.PROVIDER, "pb"), *SITES, age_s=930, log_odds=40.0)
    nameless = incident(Factor(FactorKind.AT_ONCE), *SITES, age_s=900, log_odds=90.0)
    for both in ((west, mine), (mine, west), (nameless, west, mine)):
        assert factor_told(ReasonCode.LOSS_DOWN, *both, age_s=880).factor == PA
        assert factor_told(ReasonCode.LOSS_DOWN, *both, age_s=2990).factor == Factor(
            FactorKind.REGION, "west"
        )
    assert factor_told(ReasonCode.DARK, mine, surer, age_s=880).factor == surer.factor
