"""The weekly report, made once for each week when its hour has come: files into a folder, mails into the outbox."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from reports.files import write
from reports.gather import gather
from reports.schedule import due_week
from reports.sending import posts, readers
from telemetry.store.by_blocks import InProcess

if TYPE_CHECKING:
    from pathlib import Path

    from config.config import Config
    from config.live import LiveConfig
    from reports.gather import WeekFigures
    from reports.week import Week
    from telemetry.state.db import StateDb
    from telemetry.store.protocol import StoreReader

_log = logging.getLogger(__name__)
_MARK: Final = "weekly.done"
"""In the folder: the newest week that was made. Mails have keys of their own, so nobody gets one twice without it either."""


class WeeklyReport:
    """Makes what is due; one that was missed while nothing ran is caught up, the newest week only."""

    def __init__(self, live: LiveConfig, reader: StoreReader, state: StateDb, folder: Path) -> None:
        self._live = live
        self._blocks = InProcess(reader)
        self._state = state
        self._mark = folder / _MARK
        self._folder = folder

    def step(self, now_ns: int) -> Week | None:
        """Make the report that is due and not made yet; which week it was.

        Raises:
            StoreError, StateError: store or state cannot be read; nothing is marked, the next step tries again.
        """
        settings = self._live.current.settings
        week = due_week(settings.reports, ZoneInfo(settings.deployment.timezone), now_ns)
        if week is None or self._is_made(week):
            return None
        try:
            return week if self._make(week, now_ns) else None
        except OSError as error:
            _log.warning(
                "weekly report of %s not written: %s",
                week,
                error,
                extra={"event": "report.failed", "reason": str(error)},
            )
            return None

    def _is_made(self, week: Week) -> bool:
        try:
            return self._mark.read_text("ascii").strip() == str(week)
        except (OSError, UnicodeDecodeError):
            return False

    def _make(self, week: Week, now_ns: int) -> bool:
        config = self._live.current
        figures = gather(config, self._blocks, self._state, week, now_ns, lambda *_: None)
        if figures.measured:  # a deployment that was not there yet has no report of that week
            self._publish(config, figures, now_ns)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._mark.write_text(f"{week}\n", "ascii")
        return figures.measured

    def _publish(self, config: Config, figures: WeekFigures, now_ns: int) -> None:
        languages = {reader.language for reader in readers(config)} | {config.settings.deployment.language}
        for number, language in enumerate(sorted(languages)):
            write(
                figures,
                config,
                language,
                now_ns,
                self._folder,
                ("html", "pdf") if number else ("html", "pdf", "csv"),
            )
        sent = self._state.post(posts(figures, config, now_ns), now_ns)
        _log.info(
            "weekly report of %s made, %d mails",
            figures.week,
            sent,
            extra={"event": "report.made", "week": str(figures.week), "mails": sent},
        )
