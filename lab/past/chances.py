"""The arithmetic of the oracle: how likely a fault of a law reaches into a meeting and spoils it.

A meeting fails with more than 5 % broken windows, so a fault that breaks a share p of its windows must overlap it by 5 % / p of
its length. The laws are those that the generator draws by.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtr, ndtri

from lab.past.breaking import FAILS_ABOVE
from lab.past.faults import flaps_within
from lab.past.laws import MINUTE_NS
from telemetry.windows import WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from lab.past.breaking import Breaking
    from lab.past.laws import Length
    from lab.running.effect import Effect

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

EFFECTS: Final = 256
"""Drawn effects that stand for the law of effects: a share among them is off by at most 0.03 (one sigma)."""
QUANTILES: Final = (np.arange(64) + 0.5) / 64
_FLAP_SPAN_MIN: Final = 8.0


@dataclass(frozen=True, slots=True)
class Questions:
    """M questions: does the line of office `site[m]` (its place in the plan) fail over `[start_ns, end_ns)`? Each (M,)."""

    site: Ints
    now_ns: Ints
    start_ns: Ints
    end_ns: Ints

    def of(self, rows: Ints) -> Questions:
        """Some of them."""
        return Questions(self.site[rows], self.now_ns[rows], self.start_ns[rows], self.end_ns[rows])


@lru_cache(maxsize=4096)
def shares_of(breaking: Breaking, jitter_ms: float, effects: tuple[Effect, ...]) -> Floats:
    """Share of windows that each of the drawn effects breaks, (EFFECTS,)."""
    return np.array([breaking.share_broken(jitter_ms, effect) for effect in effects])


def flap_shares() -> Floats:
    """Shares of broken windows in a spell of flapping over a few minutes, by lot."""
    lot, shares = Random("flaps"), []
    for _ in range(EFFECTS // 4):
        broken = set()
        end_ns = round(_FLAP_SPAN_MIN * MINUTE_NS)
        for from_ns, until_ns in flaps_within(lot, 0, end_ns):
            broken |= set(range(from_ns // WINDOW_NS, (min(until_ns, end_ns) - 1) // WINDOW_NS + 1))
        shares.append(len(broken) * WINDOW_NS / end_ns)
    return np.array(shares)


def survives(law: Length, minutes: Floats) -> Floats:
    """P(length > minutes); 1 up to 0, 0 from the most on."""
    with np.errstate(divide="ignore"):
        z = (np.log(np.maximum(minutes, 0.0)) - law.mu) / law.sigma
    return np.asarray(np.where(minutes >= law.most_min, 0.0, ndtr(-z)))


def inverse(law: Length, survival: Floats) -> Floats:
    """The length that is survived with a given probability."""
    return np.asarray(np.minimum(np.exp(law.mu - law.sigma * ndtri(survival)), law.most_min))


def lasts(law: Length, begun_ns: int, asked: Questions, share: float) -> Floats:
    """P(a fault that acts spoils the meeting): it lasts far enough into it, given its age."""
    if share <= FAILS_ABOVE:
        return np.zeros(len(asked.site))
    need = FAILS_ABOVE / share * (asked.end_ns - asked.start_ns) / MINUTE_NS
    reach = (asked.start_ns - begun_ns) / MINUTE_NS + need
    age = (asked.now_ns - begun_ns) / MINUTE_NS
    alive = np.maximum(survives(law, age), 1e-12)
    return np.asarray(np.minimum(survives(law, reach) / alive, 1.0))


def spoils(law: Length, lag: Floats, length: float, shares: Floats) -> Floats:
    """P(a fault that begins `lag` minutes after the meeting's start (n,) spoils it), over drawn shares of broken windows."""
    out = np.zeros(len(lag))
    values, counts = np.unique(np.round(shares, 2), return_counts=True)
    for share, count in zip(values, counts, strict=True):
        if share > FAILS_ABOVE:
            need = FAILS_ABOVE / share * length
            spoils = np.where(lag + need < length, survives(law, np.maximum(-lag, 0.0) + need), 0.0)
            out += spoils * count / len(shares)
    return out


def alike(asked: Questions, minute: Floats) -> Iterator[tuple[tuple[float, float, float], Ints]]:
    """Questions of the same horizon, length and local minute of the day (m,): ((minutes, minutes, minute), rows)."""
    horizon = (asked.start_ns - asked.now_ns) // MINUTE_NS
    length = (asked.end_ns - asked.start_ns) // MINUTE_NS
    keys, inverse = np.unique(np.stack([horizon, length, minute]), axis=1, return_inverse=True)
    for number, (h, n, m) in enumerate(keys.T.tolist()):
        yield (float(h), float(n), float(m)), np.flatnonzero(inverse.reshape(-1) == number)
