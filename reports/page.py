"""The page: figures to words and markup, in one language."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports.heat import heat_map
from telemetry.windows import SECOND_NS, WINDOW_NS
from telemetry.words import format as form
from telemetry.words import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.config import Config
    from reports.figures import OfficeWeek
    from reports.gather import WeekFigures
    from telemetry.store.completeness import Completeness

WORST: Final = 5
LONGEST: Final = 25


class Voice:
    """The words and numbers of one language and zone, as the template asks for them."""

    def __init__(self, config: Config, language: str, figures: WeekFigures) -> None:
        self._config = config
        self.language = language
        self._zone = figures.week.zone
        self._endpoints = figures.endpoints

    def __call__(self, key: str, **numbers: float | str) -> str:
        """The words of `report.<key>`."""
        return say(self.language, f"report.{key}", zone=self._zone, **numbers)

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
        """The headquarters at the far ends of some paths."""
        return ", ".join(self.end(path) for path in paths)

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
        return form.moment(self.language, time_ns, self._zone)

    def meeting(self, uid: str, occurrence_ns: int) -> str:
        """A meeting's name while the calendar knows it, else its UID."""
        found = self._config.calendar.find(uid, occurrence_ns, occurrence_ns)
        return found.meeting.name(self.language) if found else uid


def render(config: Config, figures: WeekFigures, language: str, made_ns: int) -> str:
    """The HTML of a week; only the foot depends on `made_ns`."""
    voice = Voice(config, language, figures)
    environment = Environment(
        loader=PackageLoader("reports", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    ranked = sorted(figures.offices, key=lambda o: (-o.below_hours, o.site))
    context: dict[str, Any] = {
        "t": voice,
        "f": figures,
        "last_ns": figures.week.end_ns - SECOND_NS,
        "worst": [o for o in ranked if o.below_hours > 0][:WORST],
        "ranked": ranked,
        "complete": _mean([o.complete_share for o in figures.offices]),
        "steady": sum(o.below_hours < 1 and o.complete_share > 0 for o in figures.offices),
        "longest": figures.troubles[:LONGEST],
        "more": max(0, len(figures.troubles) - LONGEST),
        "heat": Markup(_heat(voice, ranked)),  # noqa: S704 - built here, every text escaped
        "data": figures.complete,
        "gappy": _gappy(figures),
        "made_ns": made_ns,
    }
    return environment.get_template("weekly.html.j2").render(context)


def _gappy(figures: WeekFigures) -> list[tuple[str, Completeness]]:
    """Offices of which something is missing, worst first."""
    found = [(site, part) for site, part in figures.completeness.items() if part.missing]
    return sorted(found, key=lambda pair: (-pair[1].missing, pair[0]))


def _heat(voice: Voice, ranked: list[OfficeWeek]) -> str:
    rows = [(voice.site(o.site), o.by_hour) for o in ranked if o.below_hours > 0]
    if not rows:
        return ""

    def label(name: str, hour: int, share: float) -> str:
        return voice("heat_label", office=name, hour=f"{hour:02d}", share=voice.percent(share))

    return heat_map(rows, label, voice("worst_hours"))


def _mean(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
