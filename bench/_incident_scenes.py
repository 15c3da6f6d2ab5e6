"""Scenes for `bench/incidents`: the lab's own past faults and lines, cut to half an hour around what is to be recognised."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from analytics.flags import FLAG_WINDOWS
from analytics.lines import Lines
from analytics.shared.factors import factors
from lab.past.faults import DIRECTIONS, OUTAGE, PastFault, bad_effect, faults_between
from lab.running.effect import Effect
from lab.running.scope import Places
from telemetry.decisions import Factor, FactorKind
from telemetry.windows import DAY_NS, SECOND_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from analytics.shared.factors import Factors
    from config.config import Config
    from config.profiles import Limits
    from lab.running.script import Script

BEFORE: Final = FLAG_WINDOWS + 20
AFTER: Final = 32
SPAN_DAYS: Final = 2000
T0_NS: Final = 1_780_000_000 * SECOND_NS // WINDOW_NS * WINDOW_NS
MINUTE_NS: Final = 60 * SECOND_NS
NOISY: Final = 5.0
"""So many times the lab's own rate of independent faults, in the scenes that say so."""
DEAF: Final = "deaf"
"""The name of a fault from which no line suffers; only no reports of its offices arrive before it is over."""
SMALL_SHARES: Final = (0.6, 0.8)
"""Of a factor's offices, so many are hit where it does not hit all."""
TROUBLED_BEFORE: Final = (0.05, 0.15)
TROUBLED_ALONE: Final = (0.0, 0.2)
LEAST: Final = 3
"""Of what hits a part there must be more than two offices."""
ALONE: Final = "nothing shared"


@dataclass(frozen=True, slots=True)
class Truth:
    """A shared fault as it was made; it hits the last of its offices at `whole_ns`."""

    factor: Factor
    sites: frozenset[str]
    start_ns: int
    end_ns: int
    whole_ns: int


@dataclass(frozen=True, slots=True)
class Scene:
    """What was made: the shared faults, all that happens to lines, and from which time on; `places` say who serves whom."""

    truths: list[Truth]
    faults: list[PastFault]
    start_ns: NDArray[np.int64]
    places: Places


class Ground:
    """What all scenes share: the deployment's linked offices, their lines, the limits."""

    def __init__(self, config: Config, script: Script) -> None:
        self.script = script
        self.sites = tuple(config.registry.linked())
        self.ends = tuple(config.headquarters)
        self.lines = Lines(tuple(site.id for site in self.sites), tuple(f"main.{end}" for end in self.ends))
        profile = config.profiles[config.settings.meetings.default_profile]
        self.limits: Limits = profile.alarm

    def places(self, providers: dict[str, str] | None = None) -> Places:
        """Offices and who serves them."""
        served = providers or {site.id: site.provider for site in self.sites}
        return Places(self.sites, self.ends, served)


def places_of(config: Config) -> Places:
    """The linked offices of a deployment, as the lab sees them."""
    sites = tuple(config.registry.linked())
    return Places(sites, tuple(config.headquarters), {site.id: site.provider for site in sites})


def candidates_of(places: Places) -> Factors:
    """What these offices may have in common."""
    lines = Lines(tuple(s.id for s in places.sites), tuple(f"main.{end}" for end in places.ends))
    linked = np.ones(len(places.sites), dtype=bool)
    return factors(
        lines, [places.providers[s.id] for s in places.sites], [s.region for s in places.sites], linked
    )


def scene(ground: Ground, group: str, seed: int) -> Scene:
    """One scene of a group."""
    lot = Random(f"incidents/{group}/{seed}")
    places = ground.places(_confounded(ground, lot) if group == "confounded" else None)
    at_ns = T0_NS + lot.randrange(SPAN_DAYS) * DAY_NS + lot.randrange(5760) * WINDOW_NS
    lots = _Lots(places, lot, at_ns)
    made = GROUPS[group](lots)
    singles = [f for f in _background(ground, places, group, seed, at_ns) if len(f.sites) == 1]
    share = {"background 5-15 %": TROUBLED_BEFORE, f"{ALONE}, 0-20 %": TROUBLED_ALONE}.get(group)
    if share is not None:
        singles += lots.troubled_already(lot.uniform(*share))
    start_ns = at_ns + np.arange(-BEFORE, AFTER, dtype=np.int64) * WINDOW_NS
    shared = [part for _, parts in made for part in parts]
    return Scene([truth for truth, _ in made], [*shared, *singles], start_ns, places)


def _background(ground: Ground, places: Places, group: str, seed: int, at_ns: int) -> Iterator[PastFault]:
    past = ground.script.past
    if group in {"noisy background", ALONE}:
        rates = {
            name: NOISY * getattr(past, name)
            for name in past.__struct_fields__
            if name.endswith("_per_month")
        }
        past = msgspec.structs.replace(past, **rates)
    yield from faults_between(past, places, seed, at_ns - BEFORE * WINDOW_NS, at_ns + AFTER * WINDOW_NS)


def _confounded(ground: Ground, lot: Random) -> dict[str, str]:
    """One provider has nearly all its offices in one region, where it serves half of the offices."""
    where = lot.choice(sorted({site.region for site in ground.sites}))
    return {
        site.id: "provider-x" if site.region == where and lot.random() < 0.6 else site.provider
        for site in ground.sites
    } | {lot.choice([s.id for s in ground.sites if s.region != where]): "provider-x"}


_Made = tuple[Truth, list[PastFault]]


class _Lots:
    """Draws the faults of one scene."""

    def __init__(self, places: Places, lot: Random, at_ns: int) -> None:
        self.places = places
        self.lot = lot
        self.at_ns = at_ns
        self._all = frozenset(site.id for site in places.sites)

    def one_of(self, *kinds: str) -> list[_Made]:
        """One fault, at once and of all its offices."""
        return [self._made(*self._hit(self.lot.choice(kinds)))]

    def confounded(self) -> list[_Made]:
        """The provider whose offices are nearly all in one region, or that region."""
        theirs = frozenset(s.id for s in self.places.sites if self.places.providers[s.id] == "provider-x")
        if self.lot.random() < 0.5:
            return [self._made(theirs, self.places.ends, self._effect())]
        where = next(s.region for s in self.places.sites if s.id in theirs)
        hit = frozenset(s.id for s in self.places.sites if s.region == where)
        return [self._made(hit, self.places.ends, self._effect())]

    def two(self) -> list[_Made]:
        """Two faults within two minutes, of which neither is a part of the other: that would be one."""
        pairs = (("provider in a region", "end"), ("provider in a region", "provider"), ("region", "end"))
        kinds = self.lot.choice(pairs)
        while True:
            (one, ends, effect), (other, others, effect_of_other) = (self._hit(kind) for kind in kinds)
            if ends != others or not one & other:
                break
        later_ns = self.lot.randrange(0, 8) * WINDOW_NS
        return [
            self._made(one, ends, effect),
            self._made(other, others, effect_of_other, later_ns=later_ns),
        ]

    def overlapping(self) -> list[_Made]:
        """A provider and a region that have offices in common, within two minutes."""
        while True:
            made = [self._hit("provider"), self._hit("region")]
            (one, *_), (other, *_) = made
            if one & other and len(one - other) >= LEAST and len(other - one) >= LEAST:
                break
        later_ns = self.lot.randrange(0, 8) * WINDOW_NS
        return [self._made(*made[0]), self._made(*made[1], later_ns=later_ns)]

    def deaf(self) -> list[_Made]:
        """Headquarters takes nothing in."""
        return [self._made(self._all, self.places.ends, Effect(), name=DEAF)]

    def deaf_to_some(self) -> list[_Made]:
        """The reports of some offices do not come any more, in a minute or two; nothing else is wrong, and they have nothing else in common."""
        count = round(len(self._all) * self.lot.uniform(0.2, 0.8))
        hit = frozenset(self.lot.sample(sorted(self._all), count))
        made = self._made(hit, self.places.ends, Effect(), name=DEAF, spread_ns=self._span(0, 2))
        return [made]

    def partial(self) -> list[_Made]:
        """60 to 80 % of the offices of what is at fault."""
        while True:
            hit, ends, effect = self._hit(self.lot.choice(("provider", "region", "end", "headquarters")))
            part = frozenset(self.lot.sample(sorted(hit), round(len(hit) * self.lot.uniform(*SMALL_SHARES))))
            if len(part) >= LEAST:
                return [self._made(part, ends, effect, of=hit)]

    def staggered(self) -> list[_Made]:
        """One office after the other, over one to five minutes."""
        return [self._made(*self._large(), spread_ns=self._span(1, 5))]

    def brown_out(self) -> list[_Made]:
        """Nothing is silent: loss or jitter that a call does not hold."""
        hit, ends, _ = self._large()
        direction = self.lot.choice(DIRECTIONS)
        loss = Effect(direction=direction, loss_ratio=self.lot.uniform(0.02, 0.06))
        jitter = Effect(direction=direction, loss_ratio=0.01, jitter_ms=self.lot.uniform(25, 50))
        return [self._made(hit, ends, self.lot.choice((loss, jitter)))]

    def ends_one_by_one(self) -> list[_Made]:
        """Its offices come back one after the other, over three to five minutes."""
        return [self._made(*self._large(), back_ns=self._span(3, 5))]

    def three_providers(self) -> list[_Made]:
        """Three providers fail alike within a window."""
        names, effect = sorted({*self.places.providers.values()} - {""}), self._effect()
        return [
            self._made(self._served_by(name), self.places.ends, effect) for name in self.lot.sample(names, 3)
        ]

    def growing(self) -> list[_Made]:
        """A provider in one region, and after two to five minutes in all others."""
        while True:
            site = self.lot.choice(self.places.sites)
            everyone = self._served_by(self.places.providers[site.id])
            first = everyone & {s.id for s in self.places.sites if s.region == site.region}
            if min(len(first), len(everyone - first)) >= LEAST:
                break
        effect, later_ns = self._effect(), self._span(2, 5)
        _, parts = self._made(first, self.places.ends, effect, lasts=(7, 8))
        whole, rest = self._made(everyone - first, self.places.ends, effect, of=everyone, later_ns=later_ns)
        begun_ns = min(part.start_ns for part in parts)
        truth = Truth(
            whole.factor, everyone, begun_ns, max(f.end_ns for f in [*parts, *rest]), whole.whole_ns
        )
        return [(truth, [*parts, *rest])]

    def mild_for_all(self) -> list[_Made]:
        """Headquarters loses two or three of a hundred packets on the way down."""
        effect = Effect(direction="down", loss_ratio=self.lot.uniform(0.02, 0.03))
        return [self._made(self._all, self.places.ends, effect)]

    def cut_off(self) -> list[_Made]:
        """Headquarters' line is dead: no report comes either before it is over."""
        return [self._made(self._all, self.places.ends, OUTAGE)]

    def outlived(self) -> list[_Made]:
        """A provider's outage that is over while an end, which began to lose packets in the meantime, still does."""
        lossy = Effect(direction="down", loss_ratio=self.lot.uniform(0.05, 0.12))
        hit, ends, _ = self._hit("provider")
        end = (self.lot.choice(ends),)
        return [
            self._made(hit, ends, OUTAGE, lasts=(3, 4)),
            self._made(self._all, end, lossy, later_ns=self._span(1, 1.5), lasts=(5, 6)),
        ]

    def _served_by(self, provider: str) -> frozenset[str]:
        return frozenset(site for site, name in self.places.providers.items() if name == provider)

    def none(self) -> list[_Made]:
        """No fault is shared."""
        return []

    def troubled_already(self, share: float) -> list[PastFault]:
        """Offices with trouble of their own: a share of all at the time of the fault, begun within the hour before; others follow at that rate."""
        out = []
        for site in sorted(self._all):
            start_ns = self.at_ns + self._span(-60, 8)
            if self.lot.random() < share * 68 / 60:
                effect = OUTAGE if self.lot.random() < 0.5 else bad_effect(self.lot)
                end_ns = max(self.at_ns, start_ns) + self._span(2, 60)
                out.append(
                    PastFault(
                        name="own",
                        sites=frozenset({site}),
                        ends=frozenset(self.places.ends),
                        effect=effect,
                        start_ns=start_ns,
                        end_ns=end_ns,
                    )
                )
        return out

    def _large(self) -> tuple[frozenset[str], tuple[str, ...], Effect]:
        while True:
            made = self._hit(self.lot.choice(("provider", "region", "provider in a region", "end")))
            if len(made[0]) >= LEAST:
                return made

    def _hit(self, kind: str) -> tuple[frozenset[str], tuple[str, ...], Effect]:
        """The offices, the ends and the effect of one fault."""
        site = self.lot.choice(self.places.sites)
        ends, effect = self.places.ends, self._effect()
        if kind in {"end", "headquarters"}:
            effect = Effect(
                direction="down", loss_ratio=self.lot.uniform(0.02, 0.12), jitter_ms=self.lot.uniform(5, 25)
            )
            return self._all, ends if kind == "headquarters" else (self.lot.choice(ends),), effect
        if kind == "region":
            return frozenset(s.id for s in self.places.sites if s.region == site.region), ends, effect
        provider = self.places.providers[site.id]
        theirs = [s for s in self.places.sites if self.places.providers[s.id] == provider]
        if kind == "provider":
            return frozenset(s.id for s in theirs), ends, effect
        hit = frozenset(s.id for s in theirs if s.region == site.region)
        return (hit, ends, OUTAGE) if len(hit) > 1 else self._hit(kind)  # of one office it is its own

    def _effect(self) -> Effect:
        if self.lot.random() < 0.5:
            return OUTAGE
        direction = self.lot.choice(DIRECTIONS)
        return Effect(direction=direction, loss_ratio=self.lot.uniform(0.03, 0.12))

    def _made(  # noqa: PLR0913 - what a fault may be
        self,
        hit: frozenset[str],
        ends: tuple[str, ...],
        effect: Effect,
        *,
        name: str = "shared",
        of: frozenset[str] | None = None,
        later_ns: int = 0,
        spread_ns: int = 0,
        back_ns: int = 0,
        lasts: tuple[float, float] = (4, 8),
    ) -> _Made:
        """A fault that takes `spread_ns` to hit all, `lasts` so many minutes, and takes `back_ns` to let go of all; `of` are all whom what is at fault covers."""
        start_ns = self.at_ns + later_ns + self.lot.randrange(WINDOW_NS)
        end_ns = self.at_ns + later_ns + self._span(*lasts) + spread_ns
        parts = []
        for site in sorted(hit):
            begins_ns = start_ns + self.lot.randrange(spread_ns) if spread_ns else start_ns
            ends_ns = end_ns - self.lot.randrange(back_ns) if back_ns else end_ns
            parts.append(
                PastFault(
                    name=name,
                    sites=frozenset({site}),
                    ends=frozenset(ends),
                    effect=effect,
                    start_ns=begins_ns,
                    end_ns=max(ends_ns, begins_ns + 2 * MINUTE_NS),
                )
            )
        factor = Factor(FactorKind.AT_ONCE)
        if name != DEAF or hit == self._all:
            factor = _factor(self.places, of or hit, ends, deaf=name == DEAF)
        first_ns, last_ns = min(p.start_ns for p in parts), max(p.start_ns for p in parts)
        return Truth(factor, hit, first_ns, max(p.end_ns for p in parts), last_ns), parts

    def _span(self, least_min: float, most_min: float) -> int:
        return round(self.lot.uniform(least_min, most_min) * MINUTE_NS)


GROUPS: Final[dict[str, Callable[[_Lots], list[_Made]]]] = {
    "as the lab draws it": lambda lots: lots.one_of("provider in a region", "end"),
    "noisy background": lambda lots: lots.one_of("provider in a region", "end"),
    "background 5-15 %": lambda lots: lots.one_of("provider", "region", "end", "provider in a region"),
    "confounded": _Lots.confounded,
    "two at once": _Lots.two,
    "provider and region overlap": _Lots.overlapping,
    "whole provider or region": lambda lots: lots.one_of("provider", "region"),
    "60-80 % of the offices": _Lots.partial,
    "one after the other": _Lots.staggered,
    "brown-out": _Lots.brown_out,
    "ends office by office": _Lots.ends_one_by_one,
    "own collector or broker": _Lots.deaf,
    "deaf to some offices": _Lots.deaf_to_some,
    "three providers at once": _Lots.three_providers,
    "grows to the whole provider": _Lots.growing,
    "headquarters, 2-3 % loss": _Lots.mild_for_all,
    "headquarters' line dead": _Lots.cut_off,
    "provider outlived by an end": _Lots.outlived,
    ALONE: _Lots.none,
    f"{ALONE}, 0-20 %": _Lots.none,
}


def _factor(places: Places, hit: frozenset[str], ends: tuple[str, ...], *, deaf: bool) -> Factor:
    """The name of what was made: the first factor that covers just these lines."""
    made = np.array([s.id in hit for s in places.sites])[:, None] & np.array([e in ends for e in places.ends])
    candidates = candidates_of(places)
    for name, members in zip(candidates.names, candidates.members, strict=True):
        if (members == made).all() and (name.kind is not FactorKind.HUB or deaf):
            return name
    raise ValueError(f"no factor covers {sorted(hit)}")
