"""What the watch needs of the configuration, as arrays in the order of the registry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from analytics.limits import LimitSets, limit_sets
from config.profiles import ladder_of
from config.settings_file import timezone_of
from config.sites import SiteStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import tzinfo

    from numpy.typing import NDArray

    from config.config import Config
    from config.meetings import Occurrence
    from config.profiles import CallProfile

DEFAULT_UPLINK = "main"


@dataclass(frozen=True)
class Offices:
    """One configuration, prepared. S sites in registry order."""

    config: Config
    sites: tuple[str, ...]
    linked: NDArray[np.bool_]
    link_bps: NDArray[np.float64]
    """(S, 2): registered rates up and down, NaN where there is none."""
    providers: tuple[str, ...]
    """(S,): of each office's first uplink, empty where unknown."""
    profiles: Mapping[str, CallProfile]
    """Those that some meeting may come down to, and the default: no others are judged."""
    sets: LimitSets
    zone: tzinfo

    @cached_property
    def linked_sites(self) -> frozenset[str]:
        """Those that have a probe."""
        return frozenset(site for site, linked in zip(self.sites, self.linked, strict=True) if linked)

    @property
    def usual_paths(self) -> tuple[str, ...]:
        """The paths that every office is measured on by default."""
        return tuple(f"{DEFAULT_UPLINK}.{end}" for end in self.config.headquarters)

    def know(self, occurrences: Iterable[Occurrence]) -> bool:
        """Whether what all of these ask for is judged."""
        return all(occurrence.meeting.profile in self.profiles for occurrence in occurrences)

    def set_of_site(self, occurrences: Iterable[Occurrence]) -> NDArray[np.int64]:
        """(S,): the limits that each site is flagged by: its next meeting's, else the default profile's.

        `occurrences` in the order of their start.
        """
        profiles, place = self.sets.of_profile, {site: i for i, site in enumerate(self.sites)}
        default = profiles.get(self.config.settings.meetings.default_profile, 0)
        out = np.full(len(self.sites), -1, dtype=np.int64)
        for occurrence in occurrences:
            index = profiles.get(occurrence.meeting.profile, default)
            rows = [place[site] for site in occurrence.meeting.invited if site in place]
            out[rows] = np.where(out[rows] < 0, index, out[rows])
        return np.where(out < 0, default, out)


def prepare(config: Config, coming: Iterable[Occurrence]) -> Offices:
    """Offices of a configuration; `coming` occurrences may ask for profiles that their series does not."""
    sites, profiles = config.registry.sites, _profiles_in_use(config, coming)
    rates = [(site.link_up_bps, site.link_down_bps) for site in sites]
    return Offices(
        config=config,
        sites=tuple(site.id for site in sites),
        linked=np.array([site.status is SiteStatus.LINKED for site in sites], dtype=bool),
        link_bps=np.array(rates, dtype=np.float64).reshape(len(sites), 2),
        providers=tuple(site.provider for site in sites),
        profiles=profiles,
        sets=limit_sets(profiles),
        zone=timezone_of(config.settings),
    )


def _profiles_in_use(config: Config, coming: Iterable[Occurrence]) -> dict[str, CallProfile]:
    wanted = {meeting.profile for meeting in config.calendar.meetings}
    wanted |= {occurrence.meeting.profile for occurrence in coming}
    wanted.add(config.settings.meetings.default_profile)
    rungs = {rung.id for each in wanted for rung in ladder_of(config.profiles, each)}
    return {id_: profile for id_, profile in config.profiles.items() if id_ in rungs}
