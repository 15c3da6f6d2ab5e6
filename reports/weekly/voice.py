"""The words and numbers of a report, in one language and the deployment's zone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from telemetry.windows import SECOND_NS, WINDOW_NS
from telemetry.words import format as form
from telemetry.words import say, say_cause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.config import Config
    from reports.gather import WeekFigures
    from telemetry.decisions import Factor


class Voice:
    """The words and numbers of one language and zone."""

    def __init__(self, config: Config, language: str, figures: WeekFigures) -> None:
        self._config = config
        self.language = language
        self.zone = figures.week.zone
        self._endpoints = figures.endpoints

    def __call__(self, key: str, **numbers: float | str) -> str:
        """The words of `report.<key>`."""
        return say(self.language, f"report.{key}", zone=self.zone, **numbers)

    def knows(self, site: str) -> bool:
        """Whether an office is in the registry."""
        return site in self._config.registry.by_id

    def site(self, site: str) -> str:
        """An office's name."""
        return self._config.registry.by_id[site].name(self.language)

    def region(self, region: str) -> str:
        """A region's name."""
        found = self._config.regions[region]
        return found.name_hi if self.language == "hi" else found.name_en

    def end(self, path: str) -> str:
        """The headquarters at the far end of a path."""
        found = self._config.headquarters.get(path.partition(".")[2])
        if found is None:
            return path
        return found.name_hi if self.language == "hi" else found.name_en

    def ends(self, paths: Sequence[str]) -> str:
        """The headquarters at the far ends of some paths; all of them in two words."""
        if len(paths) > 1 and len({path.partition(".")[2] for path in paths}) == len(
            self._config.headquarters
        ):
            return self("all_ends")
        return ", ".join(dict.fromkeys(self.end(path) for path in paths))

    def cause(self, cause: str | None) -> str:
        """A cause in two or three words."""
        return say(self.language, f"brief.{cause}") if cause else self("none")

    def percent(self, ratio: float) -> str:
        """A share; a dash for none."""
        return self("none") if math.isnan(ratio) else form.percent(self.language, ratio)

    def exact(self, ratio: float) -> str:
        """A share to a hundredth of a per cent; a dash for none."""
        return self("none") if math.isnan(ratio) else form.exact_percent(self.language, ratio)

    def hours(self, hours: float) -> str:
        """A time span given in hours; a dash for none."""
        return self("none") if math.isnan(hours) else form.duration(self.language, hours * 3600)

    def mos(self, mos: float) -> str:
        """A mean opinion score to a tenth; a dash for none."""
        return self("none") if math.isnan(mos) else form.decimal(self.language, form.significant(mos))

    def sound_method(self) -> list[str]:
        """How the sound was estimated, in sentences."""
        assumed = self._endpoints
        codec = assumed.codec
        said = self(
            "method_sound",
            codec=codec.name,
            scale=codec.scale.value,
            buffer=assumed.jitter_buffer_ms,
            packet=assumed.packet_ms,
        )
        return [said, self("method_sound_proxy", codec=codec.name)] if codec.proxy else [said]

    def windows(self, count: int) -> str:
        """So many windows as a time span; a dash for none."""
        return form.duration(self.language, count * WINDOW_NS / SECOND_NS) if count else self("none")

    def duration(self, seconds: float) -> str:
        """A time span given in seconds."""
        return form.duration(self.language, seconds)

    def moment(self, time_ns: int) -> str:
        """A moment in the deployment's zone."""
        return form.moment(self.language, time_ns, self.zone)

    def date(self, time_ns: int) -> str:
        """A day in the deployment's zone."""
        return form.date(self.language, time_ns, self.zone)

    def short(self, time_ns: int) -> str:
        """A moment where room is scarce."""
        return form.short_moment(self.language, time_ns, self.zone)

    def number(self, value: float) -> str:
        """A whole number."""
        return form.count(self.language, value)

    def shared(self, factor: Factor) -> str:
        """What several offices have in common."""
        names = {
            one.id: one.name_hi if self.language == "hi" else one.name_en
            for one in self._config.headquarters.values()
        }
        return say_cause(self.language, factor, names)

    def action(self, action: str) -> str:
        """The one thing to do."""
        return say(self.language, f"action.{action}")

    def meeting(self, uid: str, occurrence_ns: int) -> str:
        """A meeting's name while the calendar knows it, else its UID."""
        found = self._config.calendar.find(uid, occurrence_ns, occurrence_ns)
        return found.meeting.name(self.language) if found else uid
