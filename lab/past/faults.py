"""Faults of the past, drawn by lot: the same seed and day give the same faults, whenever and for whom they are drawn.

Each kind has its own lots, so that a changed rate of one leaves the others as they were. What nobody sees but what
makes faults likely (a line that flaps for days, works that were called off) is drawn as a record too, with an effect
that is nothing: `lab.past.oracle` knows it, the lines do not.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from lab.past import laws, rates
from lab.past.days import LocalDays
from lab.running.effect import Effect
from telemetry.windows import DAY_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.running.scope import Places
    from lab.running.script import Past

DIRECTIONS: Final[tuple[Literal["up", "down", "both"], ...]] = ("up", "down", "both")
_MINUTE_NS: Final = laws.MINUTE_NS
_FLAP_UP_S: Final = (15.0, 120.0)
_FLAP_DOWN_S: Final = (15.0, 60.0)
OUTAGE: Final = Effect(outage=True)
NOTHING: Final = Effect()
_REACH_DAYS: Final = 16
"""The longest of any kind is a line that flaps for 14 days."""
CREEP_JITTER_MS: Final = (14.0, 20.0)
"""How far strain grows before it turns into a bad spell, or recedes: below what breaks a call."""
WORK_MINUTES: Final = (60, 120, 180, 240, 360)
WORK_LEAD_DAYS: Final = (2.0, 7.0)
HOLIDAY_LEAD_DAYS: Final = 30
CLOSED_HABIT: Final = (0.9, 0.03)
"""How likely an office that switches off on holidays does so, and one that does not."""


class PastFault(Struct, frozen=True, kw_only=True):
    """Something that happened to some lines once."""

    name: str
    sites: frozenset[str]
    ends: frozenset[str]
    effect: Effect
    start_ns: int
    end_ns: int
    dark: bool = False
    """The office had no power: nothing was measured."""
    grows_ns: int = 0
    """The effect grows evenly from nothing over so long."""
    announced_ns: int | None = None
    """When everybody was told that it would come."""
    planned_end_ns: int | None = None
    """When it should end, as announced."""
    foretold_ns: int | None = None
    """When the strain began that led to it."""

    @property
    def cuts_reports(self) -> bool:
        """Whether reports had to wait for its end too."""
        return self.effect.outage and not self.dark


def faults_between(  # noqa: PLR0913, PLR0917 - the world, the lot, the span
    past: Past, places: Places, seed: int, start_ns: int, end_ns: int, timezone: str = "UTC"
) -> Iterator[PastFault]:
    """Every fault that overlaps a span, in no particular order; `timezone` is where the hours of its laws are."""
    maker = _Maker(past, places, seed, LocalDays(timezone))
    for day in range(start_ns // DAY_NS - _REACH_DAYS, -(-end_ns // DAY_NS) + 1):
        for fault in maker.of_day(day):
            if fault.start_ns < end_ns and fault.end_ns > start_ns:
                yield fault


def holiday(past: Past, seed: int, day: int) -> bool:
    """Whether a local day (days since 1 January 1970) is a holiday; a Sunday is none."""
    weekday = (day + 3) % 7
    lots = Random(f"{seed}/holiday/{day}").random()
    return weekday != 6 and lots < past.holidays_per_month / laws.MONTH_DAYS * 7 / 6


def closing_habit(past: Past, seed: int, site: str) -> float:
    """How likely an office switches everything off on a holiday."""
    closes = Random(f"{seed}/{site}/habit").random() < past.holiday_closed_share
    return CLOSED_HABIT[0] if closes else CLOSED_HABIT[1]


def office_factor(seed: int, site: str, kind: str) -> float:
    """By how much more (or less) than the mean office this one is befallen by a kind of fault."""
    return laws.frailty(Random(f"{seed}/{site}/frailty/{kind}"))


def bad_effect(lot: Random) -> Effect:
    """What a bad spell does: a bad joint loses packets in bursts, a full cell delays them."""
    direction = lot.choice(DIRECTIONS)
    if lot.random() < 0.5:
        return Effect(
            direction=direction,
            loss_ratio=round(lot.uniform(0.01, 0.08), 4),
            loss_burst_ms=round(lot.uniform(20.0, 150.0), 1),
        )
    return Effect(
        direction=direction,
        loss_ratio=round(lot.uniform(0.0, 0.02), 4),
        jitter_ms=round(lot.uniform(10.0, 40.0), 2),
        delay_ms=round(lot.uniform(5.0, 60.0), 2),
    )


def headquarters_effect(lot: Random) -> Effect:
    """What trouble at a headquarters does to every line there."""
    return Effect(
        direction="down", loss_ratio=round(lot.uniform(0.02, 0.12), 3), jitter_ms=lot.uniform(5, 25)
    )


def flaps_within(lot: Random, start_ns: int, end_ns: int) -> Iterator[tuple[int, int]]:
    """(from, until) of each time that a line was down in a spell of flapping."""
    at_ns = start_ns
    while at_ns < end_ns:
        down_ns = round(lot.uniform(*_FLAP_DOWN_S) * SECOND_NS)
        yield at_ns, at_ns + down_ns
        at_ns += down_ns + round(lot.uniform(*_FLAP_UP_S) * SECOND_NS)


class _Maker:
    """Draws the faults that begin on a local day."""

    def __init__(self, past: Past, places: Places, seed: int, days: LocalDays) -> None:
        self._past, self._places, self._seed, self._days = past, places, seed, days
        self._ends = frozenset(places.ends)
        self._all = frozenset(site.id for site in places.sites)
        self._factors = {
            (site.id, kind): office_factor(seed, site.id, kind)
            for site in places.sites
            for kind in ("power", "spell", "flap")
        }
        self._habits = {site.id: closing_habit(past, seed, site.id) for site in places.sites}

    def of_day(self, day: int) -> Iterator[PastFault]:
        zero_ns = self._days.midnight_ns(day)
        for site in places_ids(self._places):
            yield from self._power_cuts(site, day, zero_ns)
            yield from self._bad_spells(site, day, zero_ns)
            yield from self._flapping(site, day, zero_ns)
        for provider in sorted(set(self._places.providers.values())):
            yield from self._outages(provider, day, zero_ns)
            yield from self._works(provider, day, zero_ns)
        for end in self._places.ends:
            yield from self._headquarters(end, day, zero_ns)
        if self._past.holidays_per_month and holiday(self._past, self._seed, day):
            yield from self._holiday(day, zero_ns)

    def _lot(self, who: str, kind: str, day: int) -> Random:
        return Random(f"{self._seed}/{who}/{kind}/{day}")

    def _power_cuts(self, site: str, day: int, zero_ns: int) -> Iterator[PastFault]:
        onsets, length = rates.power_law(self._past)
        if onsets.per_month:
            lot = self._lot(site, "power", day)
            for at in onsets.drawn(lot, self._factors[site, "power"]):
                start_ns = _at(zero_ns, at)
                yield self._fault(
                    "power cut", {site}, OUTAGE, start_ns, _at(start_ns, length.drawn(lot)), dark=True
                )

    def _bad_spells(self, site: str, day: int, zero_ns: int) -> Iterator[PastFault]:
        past = self._past
        onsets, length = rates.spell_law(past)
        if not onsets.per_month:
            return
        lot = self._lot(site, "spell", day)
        for at in onsets.drawn(lot, self._factors[site, "spell"]):
            start_ns, foretold_ns, effect = _at(zero_ns, at), None, bad_effect(lot)
            length_min = length.drawn(lot)
            if lot.random() < past.creeping_share:
                creep = Effect(direction=effect.direction, jitter_ms=round(lot.uniform(*CREEP_JITTER_MS), 2))
                foretold_ns, start_ns = start_ns, _at(start_ns, rates.creep_law(past).drawn(lot))
                yield self._fault(
                    "creeping strain", {site}, creep, foretold_ns, start_ns, grows_ns=start_ns - foretold_ns
                )
                if lot.random() >= past.creeping_breaks_share:
                    continue
            yield self._fault(
                "bad spell", {site}, effect, start_ns, _at(start_ns, length_min), foretold_ns=foretold_ns
            )

    def _flapping(self, site: str, day: int, zero_ns: int) -> Iterator[PastFault]:
        past = self._past
        onsets, length = rates.flap_law(past)
        factor = self._factors[site, "flap"]
        if onsets.per_month:
            lot = self._lot(site, "flap", day)
            for at in onsets.drawn(lot, factor):
                yield from self._flap_spell(lot, site, _at(zero_ns, at), length)
        clusters, lasting = rates.cluster_law(past)
        if clusters.per_month:
            lot = self._lot(site, "flapping", day)
            for at in clusters.drawn(lot, factor):
                start_ns = _at(zero_ns, at)
                end_ns = _at(start_ns, lasting.drawn(lot))
                yield self._fault("flapping line", {site}, NOTHING, start_ns, end_ns)
                gap_ns = DAY_NS / past.flaps_per_day
                at_ns = start_ns + round(lot.expovariate(1.0) * gap_ns)
                while at_ns < end_ns:
                    yield from self._flap_spell(lot, site, at_ns, length, foretold_ns=start_ns)
                    at_ns += round(lot.expovariate(1.0) * gap_ns)

    def _flap_spell(
        self, lot: Random, site: str, start_ns: int, length: laws.Length, foretold_ns: int | None = None
    ) -> Iterator[PastFault]:
        end_ns = _at(start_ns, length.drawn(lot))
        yield self._fault("flapping", {site}, NOTHING, start_ns, end_ns, foretold_ns=foretold_ns)
        for from_ns, until_ns in flaps_within(lot, start_ns, end_ns):
            yield self._fault("flap", {site}, OUTAGE, from_ns, until_ns)

    def _outages(self, provider: str, day: int, zero_ns: int) -> Iterator[PastFault]:
        onsets, length = rates.outage_law(self._past)
        if onsets.per_month:
            lot = self._lot(provider, "outage", day)
            for at in onsets.drawn(lot):
                hit = served(self._places, provider, lot.choice(regions_of(self._places, provider)))
                start_ns = _at(zero_ns, at)
                yield self._fault("provider outage", hit, OUTAGE, start_ns, _at(start_ns, length.drawn(lot)))

    def _works(self, provider: str, day: int, zero_ns: int) -> Iterator[PastFault]:
        past = self._past
        onsets = rates.works_onsets(past)
        if not onsets.per_month:
            return
        lot = self._lot(provider, "works", day)
        for at in onsets.drawn(lot):
            hit = served(self._places, provider, lot.choice(regions_of(self._places, provider)))
            start_ns = _at(zero_ns, at // 30 * 30)  # works begin on the half-hour
            planned_ns = start_ns + lot.choice(WORK_MINUTES) * _MINUTE_NS
            announced_ns = start_ns - round(lot.uniform(*WORK_LEAD_DAYS) * DAY_NS)
            late_min = rates.overrun_law(past).drawn(lot) if lot.random() < past.works_overrun_share else 0.0
            off = lot.random() < past.works_called_off_share
            yield self._fault(
                "works called off" if off else "works",
                hit,
                NOTHING if off else OUTAGE,
                start_ns,
                planned_ns if off else _at(planned_ns, late_min),
                announced_ns=announced_ns,
                planned_end_ns=planned_ns,
            )

    def _headquarters(self, end: str, day: int, zero_ns: int) -> Iterator[PastFault]:
        onsets, length = rates.headquarters_law(self._past)
        if onsets.per_month:
            lot = self._lot(end, "headquarters", day)
            for at in onsets.drawn(lot):
                start_ns = _at(zero_ns, at)
                effect, end_ns = headquarters_effect(lot), _at(start_ns, length.drawn(lot))
                yield self._fault("headquarters", self._all, effect, start_ns, end_ns, ends=frozenset({end}))

    def _holiday(self, day: int, zero_ns: int) -> Iterator[PastFault]:
        next_ns = self._days.midnight_ns(day + 1)
        announced_ns = zero_ns - HOLIDAY_LEAD_DAYS * DAY_NS
        yield self._fault(
            "holiday",
            self._all,
            NOTHING,
            zero_ns,
            next_ns,
            announced_ns=announced_ns,
            planned_end_ns=next_ns,
        )
        for site in places_ids(self._places):
            lot = self._lot(site, "closed", day)
            if lot.random() < self._habits[site]:
                from_ns, until_ns = _at(zero_ns, lot.uniform(0, 60)), _at(next_ns, 480 + lot.uniform(0, 60))
                yield self._fault(
                    "closed office", {site}, OUTAGE, from_ns, until_ns, dark=True, announced_ns=announced_ns
                )

    def _fault(  # noqa: PLR0913 - the fields of one record
        self,
        name: str,
        sites: set[str] | frozenset[str],
        effect: Effect,
        start_ns: int,
        end_ns: int,
        *,
        ends: frozenset[str] | None = None,
        dark: bool = False,
        grows_ns: int = 0,
        announced_ns: int | None = None,
        planned_end_ns: int | None = None,
        foretold_ns: int | None = None,
    ) -> PastFault:
        return PastFault(
            name=name,
            sites=frozenset(sites),
            ends=self._ends if ends is None else ends,
            effect=effect,
            start_ns=start_ns,
            end_ns=end_ns,
            dark=dark,
            grows_ns=grows_ns,
            announced_ns=announced_ns,
            planned_end_ns=planned_end_ns,
            foretold_ns=foretold_ns,
        )


def places_ids(places: Places) -> list[str]:
    """Ids of the offices."""
    return [site.id for site in places.sites]


def regions_of(places: Places, provider: str) -> list[str]:
    """Regions in which a provider serves offices."""
    return sorted({site.region for site in places.sites if places.providers.get(site.id) == provider})


def served(places: Places, provider: str, region: str) -> frozenset[str]:
    """The offices that a provider serves in a region."""
    return frozenset(
        site.id
        for site in places.sites
        if site.region == region and places.providers.get(site.id) == provider
    )


def _at(from_ns: int, minutes: float) -> int:
    return from_ns + round(minutes * _MINUTE_NS)
