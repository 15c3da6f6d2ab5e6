"""The known week of `conftest.py`: which it is, and its report as a page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from reports.paper import html
from reports.week import Week
from reports.weekly_document import document
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    from config.config import Config
    from reports.gather import WeekFigures

KOLKATA: Final = ZoneInfo("Asia/Kolkata")
WEEK: Final = Week.of("2026-W47", KOLKATA)
NOW_NS: Final = WEEK.start_ns + 3 * HOUR_NS


def render(config: Config, figures: WeekFigures, language: str, made_ns: int) -> str:
    """The page, without what fonts and plots are made of."""
    return re.sub(r"data:[^\")]+", "data:", html(document(figures, config, language, made_ns)))
