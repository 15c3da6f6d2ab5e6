"""One office at one occurrence, with all that the model knows of it: what reasons and advice are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.ground import Standing
from analytics.underway import rest_of

if TYPE_CHECKING:
    from analytics.forecast.track import Track
    from analytics.ground import Expectation, Ground
    from config.meetings import Occurrence
    from config.profiles import CallProfile


@dataclass(frozen=True, slots=True)
class Case:
    """A site (by index) at an occurrence."""

    ground: Ground
    occurrence: Occurrence
    expectation: Expectation
    site: int

    @property
    def standing(self) -> Standing:
        """The verdict's state."""
        return Standing(int(self.expectation.standing[self.site]))

    @property
    def path(self) -> int:
        """Index of the best permitted path; -1 without one."""
        return int(self.expectation.path[self.site])

    @property
    def path_name(self) -> str:
        """The best permitted path, empty without one."""
        return self.ground.lines.paths[self.path] if self.path >= 0 else ""

    @property
    def profile(self) -> CallProfile:
        """What the meeting asks for."""
        return self.ground.profiles[self.occurrence.meeting.profile]

    @property
    def limit_set(self) -> int:
        """Index of the limits that its windows are judged by."""
        return self.ground.sets.of_profile[self.occurrence.meeting.profile]

    @property
    def probability(self) -> float | None:
        """That the office holds the profile."""
        value = float(self.expectation.probability[self.site])
        return None if np.isnan(value) else value

    @property
    def best_profile(self) -> str:
        """The highest profile of the ladder that is expected to hold; empty when none."""
        best = int(self.expectation.best[self.site])
        return self.expectation.rungs[best] if best >= 0 else ""

    @property
    def track(self) -> Track:
        """The slots that the model sees, under the meeting's limits."""
        return self.ground.foresight.tracks[self.limit_set]

    @property
    def line(self) -> int:
        """Index of the line on the track's axis."""
        return self.site * len(self.ground.lines.paths) + self.path

    @property
    def newest_slot(self) -> int:
        """Index of the slot that runs, which holds the newest windows."""
        return (self.ground.foresight.now_ns - self.track.start_ns) // self.track.slot_ns - 1

    @property
    def has_works_now(self) -> bool:
        """Whether works or a holiday that were announced go on at this moment."""
        return self.path >= 0 and bool(self.track.planned[self.line, self.newest_slot])

    @property
    def is_just_back(self) -> bool:
        """Whether the line has only just come back from more than a short fault, or its office from silence."""
        found = self.ground.foresight.just_back
        return found is not None and self.path >= 0 and bool(found[self.limit_set, self.site, self.path])

    @property
    def has_ever_reported(self) -> bool:
        """Whether anything was measured at the office: just now, in the past that is looked at, or ever."""
        ground, site = self.ground, self.site
        if ground.stored is not None and ground.stored[site]:
            return True
        return bool((ground.recent.newest[site] >= 0).any() or (ground.climate.known[site] > 0).any())

    @property
    def is_explained(self) -> bool:
        """Whether the probe's own trouble could explain that the line looks broken."""
        found = self.ground.explained
        return found is not None and self.path >= 0 and bool(found[self.limit_set, self.site, self.path])

    @property
    def is_not_believed(self) -> bool:
        """Whether the probe has said for too long that what breaks the line is its own trouble."""
        found = self.ground.not_believed
        return found is not None and self.path >= 0 and bool(found[self.site, self.path])

    @property
    def rest(self) -> Occurrence:
        """What the verdict is about: the occurrence, of one that has begun what is left of it."""
        return rest_of(self.occurrence, self.ground.now_ns)

    @property
    def lead_ns(self) -> int:
        """Time to the start; negative while the meeting runs."""
        return self.occurrence.starts_ns - self.ground.now_ns
