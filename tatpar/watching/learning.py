"""The model in force: the shipped one, until the deployment's own history teaches a better one, week by week.

Every hour of the history of every line stands for a meeting; what came true of it is known by the outcome's rule. A fit
is held towards the shipped model, so that little history moves it little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from analytics.forecast.asking import hourly
from analytics.forecast.features import facts
from analytics.forecast.held import came_true
from analytics.forecast.model import FORM, Model, fit_facts
from analytics.forecast.replay import joined_facts, only_asks
from tatpar.json_time import rfc3339
from tatpar.prior import shipped_prior
from tatpar.watching.foreseeing import ModelInForce
from telemetry.state.models import FittedModel
from telemetry.windows import DAY_NS, SLOT_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.forecast.features import Facts
    from analytics.forecast.track import Track
    from tatpar.watching.foreseeing import Prepared
    from telemetry.state.db import StateDb

LEARN_NS: Final = 7 * DAY_NS
LEAST_HISTORY_NS: Final = 7 * DAY_NS
LEAST_ASKS: Final = 2000
LEAST_FAILED: Final = 50
"""With fewer settled hours, or fewer that failed, the model in force stays."""
MOST_ASKS: Final = 20_000
"""Of each limit set, drawn by lot."""


def model_in_force(state: StateDb) -> ModelInForce:
    """The newest model of the deployment that this release can read, else the shipped one."""
    own = state.newest_model()
    if own is not None:
        model = msgspec.json.decode(own.body, type=Model)
        if model.form == FORM:
            return ModelInForce(model, own.name)
    return ModelInForce(shipped_prior(), f"{FORM} shipped")


def is_due(state: StateDb, now_ns: int) -> bool:
    """Whether it is time to learn anew."""
    own = state.newest_model()
    return own is None or now_ns - own.fitted_ns >= LEARN_NS


def learn(prepared: Prepared, now_ns: int) -> FittedModel | None:
    """A model fitted to what had come true by now; None while there is too little. Takes seconds: for a thread."""
    parts, held = [], []
    lines = np.flatnonzero(np.repeat(prepared.offices.linked, len(prepared.past.shape.lines.paths)))
    for track in prepared.tracks:
        known, came = _lesson(track, lines, prepared.covered * SLOT_NS)
        parts.append(known)
        held.append(came)
    known, came = joined_facts(parts), np.concatenate(held)
    if len(came) < LEAST_ASKS or int((~came).sum()) < LEAST_FAILED:
        return None
    model = fit_facts(known, known.ground, came, shipped_prior())
    name = f"{FORM} of {rfc3339(now_ns)[:10]}, learnt from {model.asks} hours"
    return FittedModel(name, now_ns, msgspec.json.encode(model))


def _lesson(track: Track, lines: NDArray[np.int64], until_ns: int) -> tuple[Facts, NDArray[np.bool_]]:
    """Figures of hours that had come true, at every horizon, and whether they held."""
    first_ns = track.start_ns + int(np.argmax((track.measured > 0).any(axis=0))) * SLOT_NS
    asks = hourly(lines, first_ns + DAY_NS, max(until_ns, first_ns))
    if until_ns - first_ns < LEAST_HISTORY_NS:
        asks = only_asks(asks, np.empty(0, dtype=np.int64))
    came = came_true(track, asks)
    rows = np.flatnonzero(came.known)
    share = MOST_ASKS / max(len(rows), 1)
    rows = rows[np.random.default_rng(1).random(len(rows)) < share]
    return facts(track, only_asks(asks, rows)), came.held[rows]
