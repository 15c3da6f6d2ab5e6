"""The model in force: the shipped one, until the deployment's own history teaches a better one, week by week.

Every hour of the history of every line stands for a meeting; what came true of it is known by the outcome's rule. A fit
is held towards the shipped model, so that little history moves it little.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from analytics.forecast.asking import every_hour
from analytics.forecast.facts import joined_facts
from analytics.forecast.features import facts
from analytics.forecast.held import came_true
from analytics.forecast.model import FORM, Model, fit_facts
from tatpar.shipped.prior import shipped_prior
from tatpar.terminal.json_time import rfc3339
from tatpar.watching.foreseeing import ModelInForce
from telemetry.state.models import FittedModel
from telemetry.windows import DAY_NS, SLOT_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.track import Asks, Track
    from tatpar.watching.foreseeing import Prepared
    from tatpar.watching.offices import Offices
    from telemetry.state.db import StateDb

log = logging.getLogger("tatpar.watching.watch")

LEARN_NS: Final = 7 * DAY_NS
LEAST_HISTORY_NS: Final = 7 * DAY_NS
LEAST_HOURS: Final = 2000
LEAST_FAILED: Final = 50
"""With fewer hours of lines that came true, or fewer that failed, the model in force stays. An hour is asked at every horizon
and under every limit set, and yet is one hour."""
MOST_OFFICES: Final = 128
MOST_ASKS: Final = 20_000
"""Of each limit set, drawn by lot."""


def model_in_force(state: StateDb) -> ModelInForce:
    """The newest model of the deployment that this release can read, else the shipped one."""
    own = state.newest_model()
    model = None if own is None else _readable(own)
    if own is None or model is None:
        return ModelInForce(shipped_prior(), f"{FORM} shipped")
    return ModelInForce(model, own.name)


def say_set_aside(state: StateDb, in_force: ModelInForce) -> None:
    """Log that the deployment's own newest model is not in force, if this release cannot read it: forecasts change by that."""
    own = state.newest_model()
    if own is None or _readable(own) is not None:
        return
    log.warning(
        "the deployment's own model, %s, is of another release; in force is %s until one is fitted anew: "
        "when the past is read, if it has %d hours of lines, %d of them failed",
        own.name,
        in_force.name,
        LEAST_HOURS,
        LEAST_FAILED,
        extra={"event": "watch.model-set-aside", "model": own.name, "in_force": in_force.name},
    )


def is_due(state: StateDb, now_ns: int) -> bool:
    """Whether it is time to learn anew: after a week, and at once after an upgrade that cannot read the newest model."""
    own = state.newest_model()
    return own is None or now_ns - own.fitted_ns >= LEARN_NS or _readable(own) is None


def _readable(own: FittedModel) -> Model | None:
    try:
        model = msgspec.json.decode(own.body, type=Model)
    except msgspec.DecodeError:  # of a release that wrote other models
        return None
    return model if model.form == FORM else None


def learn(prepared: Prepared, now_ns: int) -> FittedModel | None:
    """A model fitted to what had come true by now; None while there is too little. Takes seconds: for a thread."""
    parts, held, hours, failed = [], [], 0, 0
    lines = _lines_of_linked(prepared)
    for track in prepared.tracks:
        asks, came = _lesson(track, lines, prepared.covered * SLOT_NS)
        hours = max(hours, _hours(asks))
        failed = max(failed, _hours(asks.rows(~came)))
        rows = np.flatnonzero(np.random.default_rng(1).random(len(came)) < MOST_ASKS / max(len(came), 1))
        parts.append((track, asks.rows(rows)))
        held.append(came[rows])
    if hours < LEAST_HOURS or failed < LEAST_FAILED:
        return None
    known = joined_facts([facts(*each) for each in parts])
    model = fit_facts(known, known.ground, np.concatenate(held), shipped_prior())
    name = f"{FORM} of {rfc3339(now_ns)[:10]}, learnt from {hours} hours"
    return FittedModel(name, now_ns, msgspec.json.encode(model))


def teachers(offices: Offices) -> tuple[str, ...]:
    """Of a large fleet some linked offices by lot, in their order: more of them would not teach more asks."""
    linked = np.flatnonzero(offices.linked)
    lot = np.random.default_rng(1).permutation(linked)[:MOST_OFFICES]
    return tuple(offices.sites[row] for row in np.sort(lot))


def _lines_of_linked(prepared: Prepared) -> NDArray[np.int64]:
    offices, lines = prepared.offices, prepared.past.shape.lines
    return np.flatnonzero(np.repeat([site in offices.linked_sites for site in lines.sites], len(lines.paths)))


def _hours(asks: Asks) -> int:
    """How many hours of lines are asked of, however often each."""
    return len(np.unique(np.stack([asks.line, asks.start_ns]), axis=1).T)


def _lesson(track: Track, lines: NDArray[np.int64], until_ns: int) -> tuple[Asks, NDArray[np.bool_]]:
    """Hours that had come true, at every horizon, and whether they held."""
    first_ns = track.start_ns + int(np.argmax((track.measured > 0).any(axis=0))) * SLOT_NS
    asks = every_hour(lines, first_ns + DAY_NS, max(until_ns, first_ns))
    if until_ns - first_ns < LEAST_HISTORY_NS:
        asks = asks.rows(np.empty(0, dtype=np.int64))
    came = came_true(track, asks, works_excuse=False)
    return asks.rows(came.known), came.held[came.known]
