"""Which pages there are, and what writes each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from docs._reference.commands import commands_page
from docs._reference.http import http_page
from docs._reference.metrics import metrics_page
from docs._reference.points import points_page
from docs._reference.settings import probe_settings_page, settings_page
from docs._reference.wire import wire_page

if TYPE_CHECKING:
    from collections.abc import Callable

PAGES: Final[dict[str, Callable[[], str]]] = {
    "commands": commands_page,
    "settings": settings_page,
    "probe-settings": probe_settings_page,
    "wire": wire_page,
    "points": points_page,
    "metrics": metrics_page,
    "http-api": http_page,
}
