"""Faults of the past, drawn by lot: the same seed and day give the same faults, whenever and for whom they are drawn."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from lab.effect import Effect
from telemetry.windows import DAY_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.scope import Places
    from lab.script import Past

DIRECTIONS: Final[tuple[Literal["up", "down", "both"], ...]] = ("up", "down", "both")
_MINUTE_NS: Final = 60 * SECOND_NS
_MONTH_DAYS: Final = 30.0
_SPREAD: Final = 0.6  # sigma of the logarithm of a fault's length
_FLAP_UP_S: Final = (15.0, 120.0)
_FLAP_DOWN_S: Final = (15.0, 60.0)
OUTAGE: Final = Effect(outage=True)


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

    @property
    def cuts_reports(self) -> bool:
        """Whether reports had to wait for its end too."""
        return self.effect.outage and not self.dark


def faults_between(past: Past, places: Places, seed: int, start_ns: int, end_ns: int) -> Iterator[PastFault]:
    """Every fault that overlaps a span, in no particular order."""
    # A fault may reach over midnight: two days before are enough for any length that can be drawn.
    for day in range(start_ns // DAY_NS - 2, -(-end_ns // DAY_NS)):
        for fault in _of_day(past, places, seed, day):
            if fault.start_ns < end_ns and fault.end_ns > start_ns:
                yield fault


def _of_day(past: Past, places: Places, seed: int, day: int) -> Iterator[PastFault]:
    for site in places.sites:
        yield from _of_office(past, places, Random(f"{seed}/{site.id}/past/{day}"), site.id, day)
    for provider in sorted(set(places.providers.values())):
        yield from _of_provider(past, places, Random(f"{seed}/{provider}/past/{day}"), provider, day)
    for end in places.ends:
        lot = Random(f"{seed}/{end}/past/{day}")
        every = frozenset(site.id for site in places.sites)
        for start_ns, length_ns in _drawn(
            lot, day, past.headquarters_faults_per_month, past.headquarters_fault_minutes
        ):
            effect = Effect(
                direction="down", loss_ratio=round(lot.uniform(0.02, 0.12), 3), jitter_ms=lot.uniform(5, 25)
            )
            yield _fault("headquarters", every, {end}, effect, start_ns, length_ns)


def _of_office(past: Past, places: Places, lot: Random, site: str, day: int) -> Iterator[PastFault]:
    ends = set(places.ends)
    for start_ns, length_ns in _drawn(lot, day, past.power_cuts_per_month, past.power_cut_minutes):
        yield _fault("power cut", {site}, ends, OUTAGE, start_ns, length_ns, dark=True)
    for start_ns, length_ns in _drawn(lot, day, past.bad_spells_per_month, past.bad_spell_minutes):
        yield _fault("bad spell", {site}, ends, _bad_spell(lot), start_ns, length_ns)
    for start_ns, length_ns in _drawn(lot, day, past.flaps_per_month, past.flap_minutes):
        at_ns = start_ns
        while at_ns < start_ns + length_ns:
            down_ns = round(lot.uniform(*_FLAP_DOWN_S) * SECOND_NS)
            yield _fault("flap", {site}, ends, OUTAGE, at_ns, down_ns)
            at_ns += down_ns + round(lot.uniform(*_FLAP_UP_S) * SECOND_NS)


def _of_provider(past: Past, places: Places, lot: Random, provider: str, day: int) -> Iterator[PastFault]:
    served = [site for site in places.sites if places.providers.get(site.id) == provider]
    regions = sorted({site.region for site in served})
    rate = past.provider_outages_per_month
    for start_ns, length_ns in _drawn(lot, day, rate, past.provider_outage_minutes):
        region = lot.choice(regions)
        hit = frozenset(site.id for site in served if site.region == region)
        yield _fault("provider outage", hit, set(places.ends), OUTAGE, start_ns, length_ns)


def _bad_spell(lot: Random) -> Effect:
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


def _drawn(lot: Random, day: int, per_month: float, minutes: float) -> Iterator[tuple[int, int]]:
    """(start, length) of a day's faults of one kind: Poisson in number, even over the day, log-normal in length."""
    left = math.exp(-per_month / _MONTH_DAYS)
    product = lot.random()
    while product > left:  # Knuth's count of a Poisson variate
        start_ns = day * DAY_NS + round(lot.random() * DAY_NS)
        # The mean of a log-normal is exp(mu + sigma^2/2): mu is chosen so that it is `minutes`.
        length_min = minutes * lot.lognormvariate(-(_SPREAD**2) / 2, _SPREAD)
        yield start_ns, min(round(length_min * _MINUTE_NS), DAY_NS)
        product *= lot.random()


def _fault(  # noqa: PLR0913, PLR0917 - the fields of one record
    name: str,
    sites: set[str] | frozenset[str],
    ends: set[str],
    effect: Effect,
    start_ns: int,
    length_ns: int,
    *,
    dark: bool = False,
) -> PastFault:
    return PastFault(
        name=name,
        sites=frozenset(sites),
        ends=frozenset(ends),
        effect=effect,
        start_ns=start_ns,
        end_ns=start_ns + length_ns,
        dark=dark,
    )
