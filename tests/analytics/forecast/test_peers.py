"""Two broken offices of 56 say nothing about the others: after a refit on the lab's past, and with the shipped model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.forecast.asking import LEADS_NS, asks_of, every_hour
from analytics.forecast.features import digest, facts
from analytics.forecast.held import came_true
from analytics.forecast.model import FIGURES_OF, fit_facts
from bench._forecast.lab_world import END, NOW_NS, track_of
from config.load import load_config
from lab.past.breaking import Breaking
from lab.past.plan import plan_history
from lab.past.track import draw_track
from lab.running.scope import Places
from lab.running.script import load_script
from tatpar.shipped.prior import shipped_prior
from telemetry.windows import DAY_NS, HOUR_NS, SECOND_NS

if TYPE_CHECKING:
    from analytics.forecast.model import Model
    from analytics.forecast.track import Asks, Track

OFFICES = 56
WEEKS = 2
SOUND_HOURS = 3
NOW = NOW_NS // DAY_NS * DAY_NS - 2 * DAY_NS + 6 * HOUR_NS
ASKS = 1500


@pytest.fixture(scope="module")
def past() -> Track:
    """The built-in offices' lab past, one line an office, all sound in the three hours before `NOW`."""
    config = load_config(None)
    sites = list(config.registry.sites)[:OFFICES]
    providers = {site.id: site.provider for site in sites if site.provider}
    places = Places(sites, tuple(config.headquarters), providers)
    end_ns = NOW_NS // DAY_NS * DAY_NS
    script = load_script(None, places)
    plan = plan_history(config, script, places, now_ns=end_ns + 60 * SECOND_NS, weeks=WEEKS, seed=5)
    track = track_of(draw_track(plan, Breaking(), END))
    here = slice(_slot(track) - SOUND_HOURS * 12, _slot(track))
    broke, strain, measured, arrived = _copies(track)
    broke[:, here], measured[:, here] = 0.0, 1.0
    strain[:, here] = np.minimum(np.nan_to_num(strain[:, here], nan=0.3), 0.4)
    ends_ns = track.start_ns + (np.arange(here.start, here.stop) + 1) * track.slot_ns
    arrived[:, here] = ends_ns + 60 * SECOND_NS
    return replace(track, broke=broke, strain=strain, measured=measured, arrived_ns=arrived)


def _copies(track: Track) -> list[np.ndarray]:
    return [each.copy() for each in (track.broke, track.strain, track.measured, track.arrived_ns)]


def _slot(track: Track) -> int:
    return (NOW - track.start_ns) // track.slot_ns


def broken(track: Track, lines: np.ndarray) -> Track:
    """The same, with these lines broken throughout for the last twenty minutes."""
    broke, strain, *_ = _copies(track)
    broke[lines, _slot(track) - 4 : _slot(track)] = 1.0
    strain[lines, _slot(track) - 4 : _slot(track)] = 4.0
    return replace(track, broke=broke, strain=strain)


def asked(lines: np.ndarray) -> Asks:
    """An hour of these lines, at each horizon, as of a minute after `NOW`."""
    now_ns = NOW + 61 * SECOND_NS
    lead_ns = np.tile(np.array(LEADS_NS), len(lines))
    asks = asks_of(lines, np.full(len(lines), now_ns), np.full(len(lines), now_ns + HOUR_NS))
    return replace(
        asks,
        now_ns=np.full(len(lead_ns), now_ns),
        start_ns=now_ns + lead_ns,
        end_ns=now_ns + lead_ns + HOUR_NS,
    )


@pytest.fixture(scope="module", params=["shipped", "refit", "alone"])
def model(request: pytest.FixtureRequest, past: Track) -> Model:
    """The shipped model; one fitted to the lab's past as the watch does it; one that is held to nothing."""
    if request.param == "shipped":
        return shipped_prior()
    asks = every_hour(np.arange(OFFICES), past.start_ns + DAY_NS, NOW)
    came = came_true(past, asks)
    rows = np.flatnonzero(came.known)
    rows = rows[np.random.default_rng(1).random(len(rows)) < ASKS / len(rows)]
    known = facts(past, asks.rows(rows))
    prior = shipped_prior() if request.param == "refit" else None
    return fit_facts(known, known.ground, came.held[rows], prior)


def test_two_broken_offices_of_56_leave_the_chance_of_those_apart(past: Track, model: Model) -> None:
    """Of another provider and another region: at every horizon what was said before is said still."""
    provider, region = past.groups["provider"], past.groups["region"]
    lines = np.arange(OFFICES)
    for pair in ([0, 30], [7, 41], [15, 52]):
        apart = lines[~np.isin(provider, provider[pair]) & ~np.isin(region, region[pair])]
        assert len(apart) >= 5
        asks, ill = asked(apart), broken(past, np.array(pair))
        before = model.chances(past, asks, digest(past)).holds
        after = model.chances(ill, asks, digest(ill)).holds
        assert np.median(before) > 0.95
        np.testing.assert_allclose(after, before, atol=0.01)


def test_a_provider_that_fails_speaks_against_its_offices_that_still_hold(past: Track, model: Model) -> None:
    """Peers never speak for a line, and what they say grows with the share of them that is broken."""
    assert all(
        min(row[model.names.index(name)] for row in model.weights) >= 0.0 for name in FIGURES_OF["peers"]
    )
    provider = past.groups["provider"]
    of = np.flatnonzero(provider == np.bincount(provider).argmax())
    one, asks = of[:1], asked(of[:1])
    costs = []
    for many in (0, 1, len(of) // 2, len(of) - 1):
        known = model.chances(broken(past, of[1 : 1 + many]), asks)
        costs.append(known.terms[:, known.names.index("peers")])
    assert one.size
    assert np.allclose(costs[0], costs[1], atol=1e-9)
    assert (costs[2] >= costs[1]).all()
    assert (costs[3] >= costs[2]).all()


def test_it_is_a_share_of_the_group_that_counts(past: Track) -> None:
    """The figure stands still up to a tenth of the others, and rises from there."""
    provider = past.groups["provider"]
    of = np.flatnonzero(provider == np.bincount(provider).argmax())
    asks = asked(of[:1])
    figures = []
    for many in (0, 1, len(of) // 4, len(of) - 1):
        known = facts(broken(past, of[1 : 1 + many]), asks)
        figures.append(known.figures[0, known.names.index("peers_provider")])
    assert figures[0] == figures[1] < figures[2] < figures[3]
