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

from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtr, ndtri

from lab import past_faults, past_laws
from lab.agenda import Agenda
from lab.past_breaking import FAILS_ABOVE
from lab.past_congestion import BEGINS_MIN, LOAD_SIGMA, memory_weights, shape
from lab.past_laws import MINUTE_NS
from lab.past_lines import line_states
from lab.past_truth import cause_of, recurring_of
from lab.scope import Places
from telemetry.windows import SLOT_NS, WINDOW_NS, WINDOWS_PER_SLOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from config.sites import Site
    from lab.past_breaking import Breaking
    from lab.past_faults import PastFault
    from lab.past_laws import Length
    from lab.past_plan import PastPlan
    from lab.past_truth import Cause

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

EFFECTS: Final = 256
"""Drawn effects that stand for the law of effects: a share among them is off by at most 0.03 (one sigma)."""
_QUANTILES: Final = (np.arange(64) + 0.5) / 64
_EVENINGS: Final = ndtri((np.arange(65) + 0.5) / 65)
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


class Oracle:
    """Answers for the lines of a plan to one end."""

    def __init__(self, plan: PastPlan, breaking: Breaking, end: str) -> None:
        self._plan, self._breaking, self._end = plan, breaking, end
        self._places = Places(plan.places.sites, (end,), plan.places.providers)
        self._agenda = Agenda(plan.script, plan.places, plan.timezone)
        self._own: dict[str, list[PastFault]] = {site.id: [] for site in plan.places.sites}
        for fault in plan.faults:
            if fault.name != "flap" and end in fault.ends:
                for site in fault.sites:
                    self._own[site].append(fault)
        self._flap_shares = _flap_shares()
        lot = Random("effects")
        self._bad = [past_faults.bad_effect(lot) for _ in range(EFFECTS)]
        self._headquarters = [past_faults.headquarters_effect(lot) for _ in range(EFFECTS)]

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
        recurring, weight = recurring_of(
            self._plan, self._places, self._agenda, self._breaking, site, start_ns, end_ns
        )
        return cause_of(found, shares, start_ns, end_ns, recurring, weight)

    def _share(self, site: Site, fault: PastFault) -> float:
        if fault.name == "flapping":
            return float(self._flap_shares.mean())
        return self._breaking.share_broken(self._jitter(site), fault.effect)

    def _chances(self, site: Site, asked: Questions) -> Iterator[Floats]:
        """What can spoil the meetings of one office, each as a probability (m,)."""
        yield self._of_itself(site, asked)
        for fault in self._own[site.id]:
            yield from self._present(site, fault, asked)
        yield 1.0 - np.exp(-self._to_come(site, asked))
        if self._plan.script.past.holidays_per_month:
            yield self._closed(site, asked)

    # ---- what is always so, and the evening

    def _of_itself(self, site: Site, asked: Questions) -> Floats:
        """The script's hours on the line's character, and the evening's congestion."""
        slots, owner = _slots_of(asked)
        middle_ns = slots + SLOT_NS // 2 - WINDOW_NS // 2
        order = np.argsort(middle_ns, kind="stable")
        unique, inverse = np.unique(middle_ns[order], return_inverse=True)
        acts = self._agenda.acts(unique)
        states = line_states(site, self._places, self._plan.lines, acts, (), unique)
        back = np.empty(len(order), dtype=np.int64)
        back[order] = inverse
        jitter, loss, burst = (
            part[:, 0, back] for part in (states.jitter_ms, states.loss_ratio, states.burst_ms)
        )
        level = self._plan.congestion.level_ms.get(site.id)
        if level is None:
            return _fails(self._breaking.odds(jitter, loss, burst), owner, len(asked.site))
        return self._evenings(site, asked, (jitter, loss, burst), (middle_ns, owner), level)

    def _evenings(
        self,
        site: Site,
        asked: Questions,
        line: tuple[Floats, Floats, Floats],
        slots: tuple[Ints, Ints],
        level: float,
    ) -> Floats:
        congestion = self._plan.congestion
        jitter, loss, burst = line
        middle_ns, owner = slots
        day, minute = congestion.days.day_and_minute(middle_ns)
        height = level * shape(minute) * np.array([congestion.weekday(int(d)) for d in day])
        meeting_day = congestion.days.day_and_minute(asked.start_ns)[0]
        mean, sigma = self._evening_law(congestion.group[site.id], asked.now_ns, meeting_day)
        chance = np.zeros(len(asked.site))
        for z in _EVENINGS:
            load = np.exp(LOAD_SIGMA * (mean + sigma * z) - LOAD_SIGMA**2 / 2)
            laden = jitter.copy()
            laden[1] += height * load[owner]
            chance += _fails(self._breaking.odds(laden, loss, burst), owner, len(asked.site)) / len(_EVENINGS)
        return chance

    def _evening_law(self, group: str, now_ns: Ints, day: Ints) -> tuple[Floats, Floats]:
        """Mean and sigma of an evening's normal lot, given the evenings that have begun."""
        congestion, weights = self._plan.congestion, memory_weights()
        mean, variance = np.zeros(len(day)), np.zeros(len(day))
        for at in np.unique(day):
            here = day == at
            for k, weight in enumerate(weights):
                begins_ns = congestion.days.midnight_ns(int(at) - k) + round(BEGINS_MIN * MINUTE_NS)
                known = now_ns[here] >= begins_ns
                lot = congestion.lot(group, int(at) - k)
                mean[here] += np.where(known, weight * lot, 0.0)
                variance[here] += np.where(known, 0.0, weight**2)
        return mean, np.sqrt(variance)

    # ---- what acts already, or is announced

    def _present(self, site: Site, fault: PastFault, asked: Questions) -> Iterator[Floats]:
        rows = self._concerned(fault, asked)
        if not len(rows):
            return
        part = asked.of(rows)
        chance = np.zeros(len(asked.site))
        chance[rows] = self._chance_of(site, fault, part)
        yield chance

    @staticmethod
    def _concerned(fault: PastFault, asked: Questions) -> Ints:
        """Questions asked while the fault acted, or after it was announced and before its end."""
        since_ns = fault.start_ns
        if fault.name in ("works", "works called off"):
            assert fault.announced_ns is not None
            since_ns = fault.announced_ns
        until_ns = max(fault.end_ns, fault.planned_end_ns or 0)
        return np.flatnonzero((asked.now_ns >= since_ns) & (asked.now_ns < until_ns))

    def _chance_of(self, site: Site, fault: PastFault, asked: Questions) -> Floats:
        past = self._plan.script.past
        match fault.name:
            case "power cut":
                return _lasts(past_faults.power_law(past)[1], fault.start_ns, asked, 1.0)
            case "provider outage":
                return _lasts(past_faults.outage_law(past)[1], fault.start_ns, asked, 1.0)
            case "bad spell":
                share = self._breaking.share_broken(self._jitter(site), fault.effect)
                return _lasts(past_faults.spell_law(past)[1], fault.start_ns, asked, share)
            case "headquarters":
                share = self._breaking.share_broken(self._jitter(site), fault.effect)
                return _lasts(past_faults.headquarters_law(past)[1], fault.start_ns, asked, share)
            case "creeping strain":
                return self._creeps(site, fault, asked)
            case "flapping":
                law = past_faults.flap_law(past)[1]
                return np.asarray(
                    np.mean(
                        [_lasts(law, fault.start_ns, asked, share) for share in self._flap_shares], axis=0
                    )
                )
            case "flapping line":
                return self._flaps_on(fault, asked)
            case "works" | "works called off":
                return self._works(fault, asked)
            case _:
                return np.zeros(len(asked.site))  # holidays: `_closed` sees to them

    def _creeps(self, site: Site, fault: PastFault, asked: Questions) -> Floats:
        """Strain that has begun turns into a bad spell at a known time, or does not."""
        past = self._plan.script.past
        law = past_faults.spell_law(past)[1]
        wait = np.maximum(fault.end_ns - asked.start_ns, 0) / MINUTE_NS
        before = np.maximum(asked.start_ns - fault.end_ns, 0) / MINUTE_NS
        length = (asked.end_ns - asked.start_ns) / MINUTE_NS
        chance = np.zeros(len(asked.site))
        for share in self._bad_shares(site):
            need = FAILS_ABOVE * length / max(share, 1e-9)
            chance += np.where(wait + need < length, _survives(law, before + need), 0.0) / EFFECTS
        return np.asarray(chance * past.creeping_breaks_share)

    def _flaps_on(self, fault: PastFault, asked: Questions) -> Floats:
        """A line that flaps for days goes on for so long, and has its spells meanwhile."""
        past = self._plan.script.past
        lasting = past_faults.cluster_law(past)[1]
        age = (asked.now_ns - fault.start_ns) / MINUTE_NS
        survived = _survives(lasting, age)
        chance = np.zeros(len(age))
        for (horizon, length, _), rows in _alike(asked, np.zeros(len(age))):
            ahead, number = self._spells_ahead(horizon, length)
            for q in _QUANTILES:
                left = _inverse(lasting, survived[rows] * q) - age[rows]
                chance[rows] += 1.0 - np.exp(-np.interp(left, ahead, number))
        return np.asarray(chance / len(_QUANTILES))

    @lru_cache(maxsize=256)  # noqa: B019 - an oracle lives as long as its run
    def _spells_ahead(self, horizon: float, length: float) -> tuple[Floats, Floats]:
        """Mean number of spells of flapping that begin within so many minutes (n,) and spoil the meeting, (n,)."""
        per_min = self._plan.script.past.flaps_per_day / past_laws.DAY_MIN
        law = past_faults.flap_law(self._plan.script.past)[1]
        ahead = np.arange(0.0, horizon + length + 1.0)
        spoils = per_min * _spoils(law, ahead[:-1] + 0.5 - horizon, length, self._flap_shares)
        return ahead, np.concatenate([[0.0], np.cumsum(spoils)])

    def _works(self, fault: PastFault, asked: Questions) -> Floats:
        """Announced works: they are held or not; then they last as planned, or longer."""
        past = self._plan.script.past
        assert fault.planned_end_ns is not None
        begun = asked.now_ns >= fault.start_ns
        sure = np.where(begun, float(fault.name == "works"), 1.0 - past.works_called_off_share)
        need_ns = FAILS_ABOVE * (asked.end_ns - asked.start_ns)
        end_ns = np.minimum(fault.planned_end_ns, asked.end_ns)
        within = end_ns - np.maximum(fault.start_ns, asked.start_ns) > need_ns
        # Otherwise only if they run over far enough into the meeting, given that they have not ended yet.
        beyond = (asked.start_ns + need_ns - fault.planned_end_ns) / MINUTE_NS
        possible = np.maximum(fault.start_ns, asked.start_ns) + need_ns < asked.end_ns
        law = past_faults.overrun_law(past)
        late = np.maximum((asked.now_ns - fault.planned_end_ns) / MINUTE_NS, 0.0)
        running = np.where(late > 0, past.works_overrun_share * _survives(law, late), 1.0)
        over = past.works_overrun_share * _survives(law, np.maximum(beyond, 0.0)) / np.maximum(running, 1e-12)
        return np.asarray(sure * np.where(within, 1.0, np.where(possible, np.minimum(over, 1.0), 0.0)))

    def _closed(self, site: Site, asked: Questions) -> Floats:
        """On a holiday an office is switched off by habit; once it is, that is seen."""
        past, seed, days = self._plan.script.past, self._plan.seed, self._plan.congestion.days
        habit = past_faults.closing_habit(past, seed, site.id)
        day = days.day_and_minute(asked.start_ns)[0]
        chance = np.zeros(len(day))
        for at in np.unique(day):
            if past_faults.holiday(past, seed, int(at)):
                here = day == at
                closed = [
                    fault
                    for fault in self._own[site.id]
                    if fault.name == "closed office"
                    and 0 <= fault.start_ns - days.midnight_ns(int(at)) < 60 * MINUTE_NS
                ]
                decided_ns = closed[0].start_ns if closed else days.midnight_ns(int(at)) + 60 * MINUTE_NS
                chance[here] = np.where(asked.now_ns[here] >= decided_ns, float(bool(closed)), habit)
        return chance

    # ---- what is to come

    def _to_come(self, site: Site, asked: Questions) -> Floats:
        """Mean number of faults to come that spoil the meeting, (m,)."""
        out = np.zeros(len(asked.site))
        local = self._plan.congestion.days.day_and_minute(asked.start_ns)[1]
        for (horizon, length, minute), rows in _alike(asked, local):
            out[rows] = self._mean_number(site, horizon, length, minute)
        return out

    def _mean_number(self, site: Site, horizon: float, length: float, minute: float) -> float:
        """For a meeting that begins at a local minute of the day, so many minutes after the forecast."""
        past, seed = self._plan.script.past, self._plan.seed
        at = np.arange(0.5, horizon + length)
        lag, hour = at - horizon, ((minute - horizon + at) // 60 % 24).astype(int)
        whole = np.array([1.0])
        power, power_length = past_faults.power_law(past)
        by_hour = np.array([power.per_min(h) for h in range(24)])
        number = past_faults.office_factor(seed, site.id, "power") * _sum(
            by_hour[hour], _spoils(power_length, lag, length, whole)
        )
        outage, outage_length = past_faults.outage_law(past)
        provider = self._plan.places.providers.get(site.id)
        if provider is not None:
            share = 1.0 / len(past_faults.regions_of(self._plan.places, provider))
            number += share * _sum(outage.per_min(0), _spoils(outage_length, lag, length, whole))
        trouble, trouble_length = past_faults.headquarters_law(past)
        shares = self._shares(site, tuple(self._headquarters))
        number += _sum(trouble.per_min(0), _spoils(trouble_length, lag, length, shares))
        number += self._spells_to_come(site, at, lag, length)
        flap, flap_length = past_faults.flap_law(past)
        factor = past_faults.office_factor(seed, site.id, "flap")
        number += factor * _sum(flap.per_min(0), _spoils(flap_length, lag, length, self._flap_shares))
        return number + factor * self._clusters_to_come(horizon, length)

    def _spells_to_come(self, site: Site, at: Floats, lag: Floats, length: float) -> float:
        past = self._plan.script.past
        spell, spell_length = past_faults.spell_law(past)
        creep = past_faults.creep_law(past)
        # A creeping one that begins after the forecast breaks out only when its strain has grown up.
        grown = 1.0 - _survives(creep, at)
        begun = 1.0 - past.creeping_share + past.creeping_share * past.creeping_breaks_share * grown
        rate = spell.per_min(0) * past_faults.office_factor(self._plan.seed, site.id, "spell")
        return _sum(rate * begun, _spoils(spell_length, lag, length, self._bad_shares(site)))

    @lru_cache(maxsize=256)  # noqa: B019 - an oracle lives as long as its run
    def _clusters_to_come(self, horizon: float, length: float) -> float:
        """Lines that will begin to flap, and flap in the meeting."""
        clusters, lasting = past_faults.cluster_law(self._plan.script.past)
        if not clusters.per_month:
            return 0.0
        ahead, number = self._spells_ahead(horizon, length)
        spoils = np.zeros(len(ahead) - 1)
        for q in _QUANTILES:
            until = np.interp(ahead[:-1] + _inverse(lasting, np.array([q]))[0], ahead, number)
            spoils += 1.0 - np.exp(-np.maximum(until - number[:-1], 0.0))
        return float(clusters.per_min(0) * spoils.sum() / len(_QUANTILES))

    # ---- shares of windows that an effect breaks

    def _jitter(self, site: Site) -> float:
        character = self._plan.lines[site.id, self._end]
        return (character.up.jitter_ms + character.down.jitter_ms) / 2

    def _bad_shares(self, site: Site) -> Floats:
        return self._shares(site, tuple(self._bad))

    def _shares(self, site: Site, effects: tuple[object, ...]) -> Floats:
        return _shares_of(self._breaking, round(self._jitter(site), 1), effects)


@lru_cache(maxsize=4096)
def _shares_of(breaking: Breaking, jitter_ms: float, effects: tuple[object, ...]) -> Floats:
    """Share of windows that each of the drawn effects breaks, (EFFECTS,)."""
    return np.array([breaking.share_broken(jitter_ms, effect) for effect in effects])  # type: ignore[arg-type]


def _flap_shares() -> Floats:
    """Shares of broken windows in a spell of flapping over a few minutes, by lot."""
    lot, shares = Random("flaps"), []
    for _ in range(EFFECTS // 4):
        broken = set()
        end_ns = round(_FLAP_SPAN_MIN * MINUTE_NS)
        for from_ns, until_ns in past_faults.flaps_within(lot, 0, end_ns):
            broken |= set(range(from_ns // WINDOW_NS, (min(until_ns, end_ns) - 1) // WINDOW_NS + 1))
        shares.append(len(broken) * WINDOW_NS / end_ns)
    return np.array(shares)


def _survives(law: Length, minutes: Floats) -> Floats:
    """P(length > minutes); 1 up to 0, 0 from the most on."""
    with np.errstate(divide="ignore"):
        z = (np.log(np.maximum(minutes, 0.0)) - law.mu) / law.sigma
    return np.asarray(np.where(minutes >= law.most_min, 0.0, ndtr(-z)))


def _inverse(law: Length, survival: Floats) -> Floats:
    """The length that is survived with a given probability."""
    return np.asarray(np.minimum(np.exp(law.mu - law.sigma * ndtri(survival)), law.most_min))


def _lasts(law: Length, begun_ns: int, asked: Questions, share: float) -> Floats:
    """P(a fault that acts spoils the meeting): it lasts far enough into it, given its age."""
    if share <= FAILS_ABOVE:
        return np.zeros(len(asked.site))
    need = FAILS_ABOVE / share * (asked.end_ns - asked.start_ns) / MINUTE_NS
    reach = (asked.start_ns - begun_ns) / MINUTE_NS + need
    age = (asked.now_ns - begun_ns) / MINUTE_NS
    alive = np.maximum(_survives(law, age), 1e-12)
    return np.asarray(np.minimum(_survives(law, reach) / alive, 1.0))


def _spoils(law: Length, lag: Floats, length: float, shares: Floats) -> Floats:
    """P(a fault that begins `lag` minutes after the meeting's start (n,) spoils it), over drawn shares of broken windows."""
    out = np.zeros(len(lag))
    values, counts = np.unique(np.round(shares, 2), return_counts=True)
    for share, count in zip(values, counts, strict=True):
        if share > FAILS_ABOVE:
            need = FAILS_ABOVE / share * length
            spoils = np.where(lag + need < length, _survives(law, np.maximum(-lag, 0.0) + need), 0.0)
            out += spoils * count / len(shares)
    return out


def _sum(rate: Floats | float, spoils: Floats) -> float:
    return float((rate * spoils).sum())


def _slots_of(asked: Questions) -> tuple[Ints, Ints]:
    """Starts of all slots of all meetings, and whose each is."""
    number = (asked.end_ns - asked.start_ns) // SLOT_NS
    owner = np.repeat(np.arange(len(number)), number)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(number) - number, number)
    return asked.start_ns[owner] + within * SLOT_NS, owner


def _fails(odds: Floats, owner: Ints, meetings: int) -> Floats:
    """P(more than 5 % of a meeting's windows break), by the normal law; `odds` is one a slot."""
    windows = np.bincount(owner, minlength=meetings) * float(WINDOWS_PER_SLOT)
    mean = np.bincount(owner, odds, meetings) * WINDOWS_PER_SLOT
    variance = np.bincount(owner, odds * (1.0 - odds), meetings) * WINDOWS_PER_SLOT
    most = np.floor(FAILS_ABOVE * windows + 1e-9) + 0.5
    return np.asarray(ndtr((mean - most) / np.sqrt(np.maximum(variance, 1e-9))))


def _alike(asked: Questions, minute: Floats) -> Iterator[tuple[tuple[float, float, float], Ints]]:
    """Questions of the same horizon, length and local minute of the day (m,): ((minutes, minutes, minute), rows)."""
    horizon = (asked.start_ns - asked.now_ns) // MINUTE_NS
    length = (asked.end_ns - asked.start_ns) // MINUTE_NS
    keys, inverse = np.unique(np.stack([horizon, length, minute]), axis=1, return_inverse=True)
    for number, (h, n, m) in enumerate(keys.T.tolist()):
        yield (float(h), float(n), float(m)), np.flatnonzero(inverse.reshape(-1) == number)
