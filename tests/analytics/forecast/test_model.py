"""The model: what it says of any lead, of lines with little past, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from analytics.forecast.facts import joined_facts
from analytics.forecast.features import facts
from analytics.forecast.model import Model, ModelError, fit_facts
from analytics.forecast.references import CLIMATOLOGY, PERSISTENCE, fit_reference
from analytics.forecast.scoring import brier, skill_interval
from analytics.forecast.track import Asks, Track
from telemetry.windows import HOUR_NS, SECOND_NS, SLOT_NS
from tests.analytics.forecast.tracks import arrived_track

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAY = 288
LINES = 12


def drawn(days: int, seed: int) -> Track:
    """Lines of which every third has an evening in which it mostly breaks, and all have spells of hours."""
    rng = np.random.default_rng(seed)
    slots = days * DAY
    broken = np.repeat(rng.random((LINES, slots // 36)) < 0.04, 36, axis=1)
    evening = (np.arange(slots) // 12 % 24 == 14)[None] & (np.arange(LINES) % 3 == 0)[:, None]
    bad_evening = np.repeat(rng.random((LINES, days)) < 0.8, DAY, axis=1)
    share = np.where(broken | (evening & bad_evening), 0.9, 0.0).astype(np.float32)
    groups = {name: np.zeros(LINES, dtype=np.int32) for name in ("provider", "region", "end")}
    return arrived_track(share, share + np.float32(0.2), late_ns=5 * SECOND_NS, groups=groups)


def asked(track: Track, first_day: int, last_day: int) -> tuple[Asks, NDArray[np.bool_]]:
    """Every second hour of those days on every line, at leads of ten minutes, two hours and a day."""
    hours = np.arange(first_day * 24, last_day * 24, 2)
    line, hour, lead_min = (
        each.ravel() for each in np.meshgrid(np.arange(LINES), hours, [10, 120, 1440], indexing="ij")
    )
    start_ns = track.start_ns + hour * HOUR_NS
    held = np.array(
        [track.broke[i, h * 12 : h * 12 + 12].mean() <= 0.05 for i, h in zip(line, hour, strict=True)]
    )
    return Asks(line, start_ns - lead_min * 60 * SECOND_NS, start_ns, start_ns + HOUR_NS), held


def fit(track: Track, asks: Asks, held: NDArray[np.bool_], prior: Model | None = None) -> Model:
    """To all asks that have ground."""
    known = facts(track, asks)
    return fit_facts(known, known.ground, held, prior)


@pytest.fixture(scope="module")
def fitted() -> tuple[Track, Model]:
    track = drawn(24, 1)
    return track, fit(track, *asked(track, 8, 23))


def test_it_beats_both_references_on_days_it_has_not_seen(fitted: tuple[Track, Model]) -> None:
    """Spells and evenings: persistence knows the one, climatology the other, the model both."""
    track = drawn(24, 2)
    asks, held = asked(track, 8, 23)
    learned, truth = asked(fitted[0], 8, 23)
    before, known = facts(fitted[0], learned), facts(track, asks)
    ours = fitted[1].of_facts(known).holds
    for figures in (PERSISTENCE, CLIMATOLOGY):
        reference = fit_reference(before, truth, figures).of_facts(known)
        assert skill_interval(ours, reference, held, asks.start_ns).value > 0.1
    assert abs(ours.mean() - held.mean()) < 0.03


def test_terms_add_up_to_the_chance(fitted: tuple[Track, Model]) -> None:
    """Between two asks of the same lead the log-odds differ by what the terms differ by, and by nothing else."""
    track, model = fitted
    asks, _ = asked(track, 20, 21)
    said = model.chances(track, asks)
    log_odds = np.log((1.0 - said.holds) / said.holds)
    for lead in (10, 120, 1440):
        at = asks.start_ns - asks.now_ns == lead * 60 * SECOND_NS
        rest = log_odds[at] - said.terms[at].sum(axis=1)
        np.testing.assert_allclose(rest, rest[0], atol=1e-6)
    assert said.terms.shape == (len(asks.line), len(said.names))


def test_any_lead_has_a_chance_and_it_runs_smoothly(fitted: tuple[Track, Model]) -> None:
    """From now to a fortnight ahead, of a line that is broken now: the nearer the surer that it fails."""
    track, model = fitted
    broke = track.broke.copy()
    broke[1, 20 * DAY - 24 : 20 * DAY] = 0.9
    track = replace(track, broke=broke, strain=broke + np.float32(0.2))
    lead_ns = (np.array([0.0, 0.2, 0.5, 1, 2, 5, 24, 48, 336]) * HOUR_NS).astype(np.int64)
    now_ns = np.full(len(lead_ns), track.start_ns + 20 * DAY * SLOT_NS + 10 * SECOND_NS)
    start_ns = now_ns + lead_ns
    asks = Asks(np.ones(len(lead_ns), dtype=np.int64), now_ns, start_ns, start_ns + HOUR_NS)
    holds = model.chances(track, asks).holds
    assert np.isfinite(holds).all()
    assert holds[0] < 0.5 < holds[-1]
    whole = np.linspace(0, 14 * 24 * 60, 200)
    near = model.chances(track, _ahead(asks, whole)).holds
    assert np.isfinite(near).all()


def _ahead(asks: Asks, minutes: NDArray[np.float64]) -> Asks:
    now_ns = np.full(len(minutes), asks.now_ns[0])
    start_ns = now_ns + (minutes * 60).astype(np.int64) * SECOND_NS
    return Asks(np.ones(len(minutes), dtype=np.int64), now_ns, start_ns, start_ns + HOUR_NS)


def test_a_line_without_any_past_borrows_and_one_without_groups_has_no_ground(
    fitted: tuple[Track, Model],
) -> None:
    """Nothing measured on line 5: its groups speak for it; with no groups nothing does, and no number is given."""
    track, model = fitted
    broke = track.broke.copy()
    broke[5] = np.nan
    asks, _ = asked(track, 20, 21)
    bare = replace(track, broke=broke, strain=broke)
    of_five = asks.line == 5
    assert np.isfinite(model.chances(bare, asks).holds).all()
    alone = replace(bare, groups={})
    assert np.isnan(model.chances(alone, asks).holds[of_five]).all()
    assert np.isfinite(model.chances(alone, asks).holds[~of_five]).all()


def test_a_model_is_json_both_ways(fitted: tuple[Track, Model]) -> None:
    """What is kept gives the same chances to the last bit; one of another form is refused with what to do."""
    track, model = fitted
    asks, _ = asked(track, 20, 21)
    again = msgspec.json.decode(msgspec.json.encode(model), type=Model)
    assert again.chances(track, asks).holds.tobytes() == model.chances(track, asks).holds.tobytes()
    old = msgspec.structs.replace(model, form="terms/0")
    with pytest.raises(ModelError, match="fit it anew"):
        old.chances(track, asks)


def test_few_asks_change_a_prior_little(fitted: tuple[Track, Model]) -> None:
    """Six hours of a new deployment: with a prior it forecasts nearly as well as the prior, without one worse."""
    track = drawn(24, 3)
    few, held = asked(track, 8, 23)
    some = np.arange(0, len(held), 80)
    part = Asks(few.line[some], few.now_ns[some], few.start_ns[some], few.end_ns[some])
    other = drawn(24, 4)
    asks, came = asked(other, 8, 23)
    known = facts(other, asks)
    prior = brier(fitted[1].of_facts(known).holds, came)
    both = brier(fit(track, part, held[some], fitted[1]).of_facts(known).holds, came)
    alone = brier(fit(track, part, held[some]).of_facts(known).holds, came)
    assert both < alone
    assert both < 1.1 * prior


def test_a_prior_of_another_form_is_no_prior(fitted: tuple[Track, Model]) -> None:
    """Nothing of it can be held to, so nothing is held harder: the fit is that without one, bit by bit."""
    track = drawn(16, 6)
    asks, held = asked(track, 10, 15)
    old = msgspec.structs.replace(fitted[1], form="terms/0")
    assert fit(track, asks, held, old) == fit(track, asks, held)
    assert fit(track, asks, held, fitted[1]) != fit(track, asks, held)


def test_of_no_asks_nothing_is_said(fitted: tuple[Track, Model]) -> None:
    """Facts of none have all figures, and go with facts of some."""
    track, model = fitted
    asks, _ = asked(track, 20, 21)
    none = asks.rows(slice(0))
    some, nothing = facts(track, asks), facts(track, none)
    assert (nothing.names, nothing.figures.shape) == (some.names, (0, len(some.names)))
    assert model.chances(track, none).holds.shape == (0,)
    assert joined_facts([nothing, some]).figures.tobytes() == some.figures.tobytes()


def test_no_ground_at_all_is_refused(fitted: tuple[Track, Model]) -> None:
    """There is nothing to fit to before anything was measured."""
    track = fitted[0]
    asks, held = asked(track, 8, 9)
    empty = replace(track, broke=np.full_like(track.broke, np.nan), groups={})
    with pytest.raises(ModelError, match="give it history first"):
        fit(empty, asks, held)
