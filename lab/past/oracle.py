"""The true probability that an office fails a meeting, given all that had happened or was announced by the forecast's time.

It knows what nobody can measure: each office's own factors, which line flaps, how loaded this evening is. What it does not
know is what the generator had not drawn yet: how long the present faults last, and the faults to come. Those are
independent of each other, so the probability of holding is a product of one factor each:

* a fault that acts: P(length > what is needed to reach into the meeting | it has lasted so long);
* faults of a kind to come: exp(-mean number of those that would begin later and spoil the meeting), a Poisson law thinned;
* works that are announced: certain within their time less what is called off, then the law of overruns;
* the evening's load: integrated over its law as long as the evening has not begun.

A meeting fails with more than 5 % broken windows. A fault that breaks a share p of its windows must overlap by 5 % / p of the
meeting; two faults that only together pass 5 % are left out (a test holds the whole against what came true).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lab.past.present import Flapping, Present
from lab.past.recurring import Recurring
from lab.past.shares import Shares
from lab.past.to_come import ToCome
from lab.past.truth import cause_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from config.sites import Site
    from lab.past.breaking import Breaking
    from lab.past.chances import Questions
    from lab.past.faults import PastFault
    from lab.past.plan import PastPlan
    from lab.past.truth import Cause

    Floats = NDArray[np.float64]


class Oracle:
    """Answers for the lines of a plan to one end."""

    def __init__(self, plan: PastPlan, breaking: Breaking, end: str) -> None:
        self._plan = plan
        self._own: dict[str, list[PastFault]] = {site.id: [] for site in plan.places.sites}
        for fault in plan.faults:
            if fault.name != "flap" and end in fault.ends:  # the spell of flapping stands for its flaps
                for site in fault.sites:
                    self._own[site].append(fault)
        self._shares = Shares(plan, breaking, end)
        flapping = Flapping(plan, self._shares)
        self._recurring = Recurring(plan, breaking, end)
        self._present = Present(plan, self._shares, flapping)
        self._to_come = ToCome(plan, self._shares, flapping)

    def failing(self, questions: Questions) -> Floats:
        """(M,) probability of failing."""
        out = np.empty(len(questions.site))
        for index, site in enumerate(self._plan.places.sites):
            rows = np.flatnonzero(questions.site == index)
            if len(rows):
                asked = questions.of(rows)
                log_holds = np.zeros(len(rows))
                for chance in self._chances(site, asked):
                    log_holds += np.log1p(-np.minimum(chance, 1.0 - 1e-12))
                out[rows] = -np.expm1(log_holds)
        return out

    def causes(self, failed: Questions) -> list[Cause]:
        """Why each of these meetings failed."""
        return [
            self._cause(int(site), int(start_ns), int(end_ns))
            for site, start_ns, end_ns in zip(failed.site, failed.start_ns, failed.end_ns, strict=True)
        ]

    def _cause(self, index: int, start_ns: int, end_ns: int) -> Cause:
        site = self._plan.places.sites[index]
        found = [f for f in self._own[site.id] if f.start_ns < end_ns and f.end_ns > start_ns]
        shares = [self._share(site, fault) for fault in found]
        return cause_of(
            list(zip(found, shares, strict=True)),
            (start_ns, end_ns),
            self._recurring.cause(site, start_ns, end_ns),
        )

    def _share(self, site: Site, fault: PastFault) -> float:
        if fault.name == "flapping":
            return float(self._shares.of_flapping.mean())
        return self._shares.of(site, fault.effect)

    def _chances(self, site: Site, asked: Questions) -> Iterator[Floats]:
        """What can spoil the meetings of one office, each as a probability (m,)."""
        yield self._recurring.chance(site, asked)
        for fault in self._own[site.id]:
            chance = self._present.chance(site, fault, asked)
            if chance is not None:
                yield chance
        yield 1.0 - np.exp(-self._to_come.number(site, asked))
        if self._plan.script.past.holidays_per_month:
            yield self._present.closed(site, self._own[site.id], asked)
