"""A deployment's history replayed: its calendar's past occurrences as they would have been forecast, and what came true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.forecast.asking import LEADS_NS, every_hour
from analytics.forecast.replay import replay
from analytics.forecast.report import Scored
from analytics.guards import too_slow
from analytics.hours import ahead_ns
from config.sites import SiteStatus
from tatpar.backtesting.blocks import HistoryBlocks, Pairs, Source, Wanted
from tatpar.watching.offices import prepare
from telemetry.windows import DAY_NS, HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from analytics.forecast.model import Model
    from analytics.forecast.replay import Doing
    from config.config import Config
    from config.meetings import Occurrence
    from tatpar.watching.offices import Offices

HORIZONS: Final = ("T-24h", "T-2h", "T-30m", "T-10m")
"""Names of `LEADS_NS`, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """P pairs of an office and a meeting with H horizons each; the arrays are (P, H).

    Attributes:
        sites: (P,) index into the registry.
        meetings: (P,) UID, empty for an hour that stands for a meeting.
        starts_ns: (P,)
        chance: that the office holds the profile, on its best line, within the guard rails: what the desk would have
            seen. NaN where nobody says, as in the next three.
        model, persistence, climatology: the model alone, on its best line, and the references.
        held: (P,) what came true.
        known: (P,) whether it is known.
        refits: when the model was fitted anew, and to how many settled forecasts.
    """

    sites: NDArray[np.int64]
    meetings: tuple[str, ...]
    starts_ns: NDArray[np.int64]
    chance: NDArray[np.float64]
    model: NDArray[np.float64]
    persistence: NDArray[np.float64]
    climatology: NDArray[np.float64]
    held: NDArray[np.bool_]
    known: NDArray[np.bool_]
    refits: tuple[tuple[int, int], ...]

    def scored(
        self, horizon: int, among: NDArray[np.bool_] | None = None, *, model_alone: bool = False
    ) -> Scored:
        """The forecasts of a horizon that have a number, a reference beside it and an outcome; or what the model alone said."""
        rows = self.comparable(horizon) if among is None else self.comparable(horizon) & among
        said = self.model if model_alone else self.chance
        return Scored(
            chance=said[rows, horizon],
            persistence=self.persistence[rows, horizon],
            climatology=self.climatology[rows, horizon],
            held=self.held[rows],
            block=self.starts_ns[rows] // DAY_NS,
        )

    def comparable(self, horizon: int) -> NDArray[np.bool_]:
        """(P,) pairs that can be scored at a horizon."""
        there = np.isfinite(self.chance[:, horizon]) & np.isfinite(self.persistence[:, horizon])
        return np.asarray(there & self.known)

    def asked(self, horizon: int) -> NDArray[np.bool_]:
        """(P,) pairs that were asked after the first refit: those that a number is owed for."""
        if not self.refits:
            return np.zeros(len(self.sites), dtype=bool)
        return np.asarray(self.starts_ns - LEADS_NS[horizon] >= self.refits[0][0])


def replayed(
    config: Config, source: Source, wanted: Wanted, prior: Model | None, progress: Callable[[Doing], None]
) -> Replayed:
    """Replay a span of the store's history.

    Raises:
        StoreError, StateError: the store or the state database cannot be read.
    """
    occurrences = [
        each
        for each in config.calendar.occurrences(wanted.from_ns, wanted.until_ns)
        if each.ends_ns <= wanted.until_ns and each.starts_ns >= wanted.from_ns
    ]
    offices = prepare(config, occurrences)
    pairs = _pairs(config, offices, occurrences, wanted)
    blocks = HistoryBlocks(config, offices, source, wanted, pairs, progress)
    found = replay(blocks, prior, progress, blocks.extent)
    slow = _too_slow(offices, pairs)
    pair = np.concatenate([np.empty(0, dtype=np.int64), *blocks.pair_of_ask])
    silent = ~_speaks(pair, found.heard, blocks.usual_ask)
    said = {
        "chance": found.chance * (1.0 - slow[pair]),
        "model": found.model,
        "persistence": found.persistence,
        "climatology": found.climatology,
    }
    return _by_pair(pairs, pair, found.refits, {
        **{name: np.where(silent, np.nan, values) for name, values in said.items()},
        "held": np.where(found.known, found.held.astype(np.float64), np.nan),
    })  # fmt: skip


def _pairs(config: Config, offices: Offices, occurrences: Sequence[Occurrence], wanted: Wanted) -> Pairs:
    place = {site: i for i, site in enumerate(offices.sites)}
    rows = [
        (place[site], each.meeting.uid, each.meeting.end, each.meeting.profile, each.starts_ns, each.ends_ns)
        for each in occurrences
        if wanted.meeting in ("", each.meeting.uid)
        for site in each.meeting.invited
        if site in place and offices.linked[place[site]] and (not wanted.sites or site in wanted.sites)
    ]
    if wanted.hourly:
        rows += _hours(config, offices, wanted)
    site, meeting, end, profile, starts, ends = zip(*rows, strict=True) if rows else ((),) * 6
    sets = offices.sets.of_profile
    return Pairs(
        np.array(site, dtype=np.int64),
        tuple(meeting),
        tuple(end),
        tuple(profile),
        np.array([sets[each] for each in profile], dtype=np.int64),
        np.array(starts, dtype=np.int64),
        np.array(ends, dtype=np.int64),
    )


def _hours(config: Config, offices: Offices, wanted: Wanted) -> list[tuple[int, str, str, str, int, int]]:
    """Every whole hour of the clock on the wall as a meeting of every linked office, with the default end and profile."""
    meetings = config.settings.meetings
    rows = np.array([
        i for i, site in enumerate(offices.sites)
        if offices.linked[i] and (not wanted.sites or site in wanted.sites)
    ], dtype=np.int64)  # fmt: skip
    past_ns = (
        int(ahead_ns(np.array([wanted.from_ns]), offices.zone)[0]) % HOUR_NS
    )  # India's hours begin half past those of UTC
    asks = every_hour(rows, wanted.from_ns + past_ns, wanted.until_ns + past_ns, (0,))
    end, profile = meetings.default_end, meetings.default_profile
    return [
        (int(site), "", end, profile, int(start) - past_ns, int(finish) - past_ns)
        for site, start, finish in zip(asks.line, asks.start_ns, asks.end_ns, strict=True)
    ]


def _too_slow(offices: Offices, pairs: Pairs) -> NDArray[np.float64]:
    """(P,) what a line that is registered as too slow for the profile takes away, as it does live."""
    by_profile = {name: too_slow(offices.link_bps, each) for name, each in offices.profiles.items()}
    found = [by_profile[name][site] for name, site in zip(pairs.profile, pairs.site, strict=True)]
    return np.asarray(found, dtype=np.float64)


def _speaks(pair: NDArray[np.int64], heard: NDArray[np.bool_], usual: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(M,): the line of the ask was known then to be there: it had been heard; or none of the office's lines to that end had, and it is a `usual` one."""
    many = len(LEADS_NS)
    ask = pair * many + np.arange(len(pair)) % many
    any_heard = np.zeros(int(ask.max(initial=-1)) + 1, dtype=bool)
    any_heard[ask[heard]] = True
    return np.asarray(heard | (usual & ~any_heard[ask]))


def _by_pair(
    pairs: Pairs,
    pair: NDArray[np.int64],
    refits: tuple[tuple[int, int], ...],
    of_asks: dict[str, NDArray[np.float64]],
) -> Replayed:
    """The best of an office's lines that speak says it; it held when any of its lines did."""
    count, many = len(pairs.site), len(LEADS_NS)
    horizon = np.arange(len(pair)) % many
    best = {}
    for name, values in of_asks.items():
        out = np.full((count, many), -np.inf)
        np.maximum.at(out, (pair, horizon), np.nan_to_num(values, nan=-np.inf))
        best[name] = np.where(np.isneginf(out), np.nan, out)
    held = best["held"][:, 0]
    return Replayed(
        sites=pairs.site,
        meetings=pairs.meeting,
        starts_ns=pairs.starts_ns,
        chance=best["chance"],
        model=best["model"],
        persistence=best["persistence"],
        climatology=best["climatology"],
        held=held == 1.0,
        known=np.isfinite(held),
        refits=refits,
    )


def regions_of(config: Config, found: Replayed) -> NDArray[np.object_]:
    """(P,): the region of each pair's office."""
    names = np.array([site.region for site in config.registry.sites], dtype=object)
    return np.asarray(names[found.sites])


def linked_in(config: Config, region: str) -> frozenset[str]:
    """The linked offices of a region."""
    return frozenset(
        site.id
        for site in config.registry.sites
        if site.region == region and site.status is SiteStatus.LINKED
    )
