"""The chance that a line holds an asked span: a sum of named terms on the log-odds of failing, for any lead.

    log-odds(fails) = sum over knots k of hat_k(lead) * (bias_k + sum over figures f of weight_kf * (x_f - usual_f))

The hats are piecewise linear in the logarithm of the lead, so that every weight is a smooth function of it.
The weights are those that make what came true most likely and the Brier score small, by halves (`fitting.in_doubt`),
held towards a prior (ridge), and a weight is held towards the same figure's at the next knot. Reasons are the terms
themselves: the figures' parts, by what they tell of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
from scipy.special import expit

from analytics.forecast.features import facts
from analytics.forecast.fitting import KNOTS_MIN, Outcomes, Penalty, fit_map, in_doubt, lead_hats
from analytics.forecast.track import Chances

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analytics.forecast.facts import Facts
    from analytics.forecast.features import Digest
    from analytics.forecast.track import Asks, Track

FORM: Final = "terms/10"
RIDGE: Final = 30.0
RIDGE_OF: Final = {"planned": 1.0, "throughout": 1.0, "mended": 1.0}
"""Another ridge for a term's figures, or for one: what is seldom, says much, and is 0 everywhere else (announced stretches, lines
that fail throughout or were mended) is held less, so that it need not be said by the weights of what is there every day."""
SMOOTH: Final = 100.0
NEVER_EASES: Final = frozenset(
    {"strain_near", "strain_rise", "course_breaks", "peers_provider", "peers_end", "throughout", "mended"}
)
"""More strain now never speaks for a line, whatever other figures correct: where there is no past they are not there. Nor
do peers that are broken, nor that all hours failed; and that the trouble is over never speaks against it."""
FIGURES_OF: Final[dict[str, tuple[str, ...]]] = {
    "now": ("newest", "quarter", "hour", "since", "touched_quarter", "touched_hour"),
    "lately": ("six", "day", "onsets", "rate_six", "rate_day", "level", "near_day", "far_day"),
    "strain": (
        "strain_near",
        "strain_rise",
        "span_strain",
        "span_peak",
        "load",
        "load_over",
        "course_breaks",
        "course_more",
        "course_shift",
    ),
    "hour": (
        "same_hour",
        "same_hour_rate",
        "same_weekday",
        "yesterday",
        "clock",
        "clock_gain",
        "clock_by_clock_gain",
        "clock_by_last_gain",
        "near_clock",
        "far_clock",
    ),
    "habit": ("repeat", "hour_by_last_gain", "hour_by_rate"),
    "usual": (
        "usual",
        "rate",
        "rate_ten_days",
        "rate_three_days",
        "near_ten_days",
        "far_ten_days",
        "throughout",
        "mended",
    ),
    "peers": ("peers_provider", "peers_end"),
    "silence": ("silent", "missing_hour", "dark", "dark_day"),
    "planned": ("planned", "planned_long", "planned_record", "planned_up", "planned_down"),
    "rehearsal": ("rehearsed", "rehearsal_failed"),
}
"""The terms and the figures of each."""
LEAST_SPREAD: Final = 0.1
"""A figure that hardly ever moved (one office in a hundred was dark) is not blown up to a spread of 1."""
HELD_TO_PRIOR: Final = 5.0
"""How much harder a fit is held to a prior model than to nothing: a deployment's first weeks are few."""
TERM_OF: Final = {figure: term for term, figures in FIGURES_OF.items() for figure in figures}
FIGURES: Final = tuple(TERM_OF)
TERMS: Final = tuple(FIGURES_OF)


class ModelError(ValueError):
    """A model that cannot be fitted or used; the message says what to do instead."""


class Model(msgspec.Struct, frozen=True):
    """A fitted model; JSON both ways with msgspec.

    Attributes:
        form: which figures and which formula; a model of another form cannot be used.
        names: F figures.
        usual: (F,) the figure of the fleet's usual line: a term is 0 there.
        scale: (F,) spread of the figure where it was fitted.
        bias: (K,) log-odds of failing of the usual line at each knot.
        weights: (K, F) by knot and figure, per `scale`.
        asks: how many asks it was fitted to.
    """

    form: str
    names: tuple[str, ...]
    usual: tuple[float, ...]
    scale: tuple[float, ...]
    bias: tuple[float, ...]
    weights: tuple[tuple[float, ...], ...]
    asks: int

    @property
    def by_knot(self) -> NDArray[np.float64]:
        """(K, 1 + F) bias and weights."""
        return np.column_stack([self.bias, self.weights])

    def chances(self, track: Track, asks: Asks, known: Digest | None = None) -> Chances:
        """The chance of each ask and its terms, from what had arrived by its `now_ns` only.

        `known`: `features.digest(track)`, when it is there already.

        Raises:
            ModelError: the model is of another form.
        """
        return self.of_facts(facts(track, asks, known))

    def of_facts(self, known: Facts) -> Chances:
        """`chances` of figures that are there already."""
        if self.form != FORM:
            raise ModelError(
                f"the model is of the form {self.form!r}, this release reads {FORM!r}: fit it anew"
            )
        hats = lead_hats(known.lead_ns)
        x = (known.of(self.names) - np.asarray(self.usual)) / np.asarray(self.scale)
        weights = _at_leads(hats, self.by_knot)
        parts = x * weights[:, 1:]
        fails = expit(weights[:, 0] + parts.sum(axis=1))
        return Chances(np.where(known.ground, 1.0 - fails, np.nan), _by_term(parts, self.names), TERMS)

    def parts(self, figures: Mapping[str, float], lead_ns: int) -> dict[str, float]:
        """By name, the log-odds of failing that each of some figures of one line adds at a lead (ns): a term is their sum."""
        (weights,) = _at_leads(lead_hats(np.array([lead_ns])), self.by_knot)
        where = {name: self.names.index(name) for name in figures}
        return {
            name: float(weights[1 + at] * (figures[name] - self.usual[at]) / self.scale[at])
            for name, at in where.items()
        }


def fit_facts(
    known: Facts,
    use: NDArray[np.bool_],
    held: NDArray[np.bool_],
    prior: Model | None,
    weight: NDArray[np.float64] | None = None,
) -> Model:
    """Fit to what came true.

    Args:
        known: figures of M asks.
        use: (M,) which of them are learnt from.
        held: (M,) whether the line held.
        prior: what the weights are held towards; one of another form is none.
        weight: (M,) how much each ask counts; None: 1 each.

    Raises:
        ModelError: nothing to fit to.
    """
    if not use.any():
        raise ModelError("no ask has any ground: nothing to fit the forecast to; give it history first")
    counts = np.ones(int(use.sum())) if weight is None else weight[use]
    figures, hats, fails = known.of(FIGURES)[use], lead_hats(known.lead_ns[use]), ~held[use]
    came = Outcomes(fails, counts)
    usual, scale, start = _origin(figures, came, prior)
    x = np.column_stack([np.ones(len(figures)), (figures - usual) / scale])
    ridge = np.array([RIDGE_OF.get(name, RIDGE_OF.get(TERM_OF[name], RIDGE)) for name in FIGURES])
    ridge *= 1.0 if _usable(prior) is None else HELD_TO_PRIOR
    penalty = Penalty(start, ridge, SMOOTH, np.isin(FIGURES, list(NEVER_EASES)))
    likeliest = fit_map(x, hats, came, penalty)
    weights = fit_map(x, hats, in_doubt(likeliest, x, hats, came), penalty, likeliest)
    return Model(
        form=FORM,
        names=FIGURES,
        usual=tuple(map(float, usual)),
        scale=tuple(map(float, scale)),
        bias=tuple(map(float, weights[:, 0])),
        weights=tuple(tuple(map(float, row)) for row in weights[:, 1:]),
        asks=len(fails),
    )


def _usable(prior: Model | None) -> Model | None:
    """The prior, where it speaks of the same figures in the same form: one of another release is none."""
    return prior if prior is not None and (prior.form, prior.names) == (FORM, FIGURES) else None


def _origin(
    figures: NDArray[np.float64], came: Outcomes, prior: Model | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """What figures (M, F) are measured from and by, (F,) each, and the weights (K, 1 + F) from which a fit sets out."""
    held_to = _usable(prior)
    if held_to is not None:
        return np.asarray(held_to.usual), np.asarray(held_to.scale), held_to.by_knot
    usual = np.average(figures, axis=0, weights=came.weight)
    spread = np.sqrt(np.average((figures - usual) ** 2, axis=0, weights=came.weight))
    start = np.zeros((len(KNOTS_MIN), 1 + figures.shape[1]))
    rate = (came.weight @ came.fails + 0.5) / (came.weight.sum() + 1.0)
    start[:, 0] = np.log(rate / (1.0 - rate))
    return usual, np.maximum(spread, LEAST_SPREAD), start


def _at_leads(hats: NDArray[np.float64], by_knot: NDArray[np.float64]) -> NDArray[np.float64]:
    """(M, F) the weights (K, F) at each lead, knot by knot: a product of matrices gives other last bits for other M."""
    out: NDArray[np.float64] = hats[:, :1] * by_knot[0]
    for knot in range(1, len(by_knot)):
        out += hats[:, knot : knot + 1] * by_knot[knot]
    return out


def _by_term(parts: NDArray[np.float64], names: tuple[str, ...]) -> NDArray[np.float64]:
    of = np.array([TERMS.index(TERM_OF[name]) for name in names])
    sums = np.zeros((len(parts), len(TERMS)))
    for term in range(len(TERMS)):
        sums[:, term] = parts[:, of == term].sum(axis=1)
    return sums
