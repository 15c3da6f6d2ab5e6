"""The configuration of a running process: changed files are taken up, wrong ones refused and the old kept."""

from __future__ import annotations

import logging
import time
from enum import StrEnum
from threading import Lock
from typing import TYPE_CHECKING, Final

from msgspec import Struct, structs

from config.calendar_files import calendar_paths
from config.errors import ConfigError
from config.load import find_sources, load_config
from config.settings_file import SettingsFile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from config.config import Config, Sources

log = logging.getLogger(__name__)

RESTART_SECTIONS: Final = ("broker", "enrolment", "store", "collector", "wall", "metrics", "log", "lab")
"""Sections whose values are taken at the start of a process and kept; marked RESTART in the reference file."""

TRIAL_S: Final = 30.0
"""A room that fails so soon after a change was taken up has failed over it, as far as anybody can tell."""

Stamp = tuple[str, int, int, int]
"""Path, inode, size and time of change of a file; -1 where there is none."""


class ReloadOutcome(StrEnum):
    """What became of looking at the files again."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    REFUSED = "refused"


class Reload(Struct, frozen=True, kw_only=True):
    """What became of it, and why."""

    outcome: ReloadOutcome
    error: ConfigError | None = None
    """Why the changed files were refused."""
    restart: tuple[str, ...] = ()
    """Sections that were changed but stay as they were until the process is started again."""


_UNCHANGED: Final = Reload(outcome=ReloadOutcome.UNCHANGED)


class LiveConfig:
    """Holds a configuration that is always whole and valid. `refresh()` costs a few stat calls when nothing changed."""

    def __init__(
        self,
        path: Path | None = None,
        *,
        extra_meetings: Sequence[Path] = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Load for the first time.

        Raises:
            ConfigError: the files are wrong from the start.
        """
        self._path = path
        self._extra_meetings = tuple(extra_meetings)
        self._busy = Lock()
        self._stamps: tuple[Stamp, ...] = ()
        self._watched: tuple[Path, ...] = ()
        self._problem: ConfigError | None = None
        self._in_use: Sources | None = None
        self._monotonic = monotonic
        self._before: tuple[Config, float] | None = None
        self._current = self._load()
        self._in_use = self._current.sources
        self._started = self._current.settings

    @property
    def current(self) -> Config:
        """The configuration in force; a new object when, and only when, something changed."""
        return self._current

    @property
    def problem(self) -> ConfigError | None:
        """Why the files as they are now cannot be used; None while they are in force."""
        return self._problem

    def refresh(self) -> Reload:
        """Look at the files, and take them up when they changed and are right.

        A refusal is returned and logged once per change of the files; until the next change it is `unchanged`,
        and stands in `problem`. Several owners may share one object: whoever asks first is told of a change, the others
        see a new `current`; who asks while another thread is at it is not kept waiting.
        """
        if not self._busy.acquire(blocking=False):
            return _UNCHANGED
        try:
            return self._look_again()
        finally:
            self._busy.release()

    def put_back(self, why: str) -> bool:
        """Undo a change that a room could not work with, when it is that young; whether there was one.

        The files stay as the operator wrote them, and are looked at again when they change.
        """
        with self._busy:
            if self._before is None or self._monotonic() - self._before[1] > TRIAL_S:
                return False
            refused, self._current = self._current, self._before[0]
            self._before = None
        self._problem = ConfigError(
            refused.file, f"a room cannot work with it ({why})", "undo the last change"
        )
        extra = {"event": "config.put-back", "reason": str(self._problem)}
        log.error("configuration put back to the one before: %s", self._problem, extra=extra)
        return True

    def _look_again(self) -> Reload:
        if _look(self._watched) == self._stamps:
            return _UNCHANGED
        try:
            found = self._load()
        except ConfigError as error:
            self._problem = error
            extra = {"event": "config.refused", "reason": str(error)}
            log.error("configuration refused, the old one stays: %s", error, extra=extra)  # noqa: TRY400 - says all
            return Reload(outcome=ReloadOutcome.REFUSED, error=error)
        return self._take_up(found)

    def _load(self) -> Config:
        """The stamps are taken before the files are read, so that a change in between is seen next time."""
        self._stamps = _look(self._watched)
        sources = find_sources(SettingsFile(self._path), self._extra_meetings)
        if self._in_use is not None:
            _refuse_vanished(self._in_use, sources)
        self._watched = sources.watched
        self._stamps = _look(self._watched)
        return load_config(self._path, extra_meetings=self._extra_meetings)

    def _take_up(self, found: Config) -> Reload:
        restart = tuple(
            section
            for section in RESTART_SECTIONS
            if getattr(found.settings, section) != getattr(self._started, section)
        )
        kept = {section: getattr(self._started, section) for section in restart}
        self._before = (self._current, self._monotonic())
        self._current = structs.replace(found, settings=structs.replace(found.settings, **kept))
        self._problem = None
        self._in_use = found.sources
        log.info("configuration taken up from %s", found.file, extra={"event": "config.taken-up"})
        if restart:
            extra = {"event": "config.needs-restart", "sections": list(restart)}
            log.warning("changed, but in force only after a restart: %s", ", ".join(restart), extra=extra)
        return Reload(outcome=ReloadOutcome.CHANGED, restart=restart)


def _refuse_vanished(before: Sources, now: Sources) -> None:
    """A file that served and is gone is a mistake, not a wish for the built-in one.

    Raises:
        ConfigError: naming it.
    """
    pairs = [(before.sites, now.sites), (before.profiles, now.profiles), (before.works, now.works)]
    pairs.append((before.people, now.people))
    pairs += zip(before.meetings, now.meetings, strict=False)
    for old, new in pairs:
        if old != new and not old.exists() and before.settings == now.settings:
            raise ConfigError(
                old, "it was in use and is gone", "put it back; without it only after a restart"
            )


def _look(watched: Sequence[Path]) -> tuple[Stamp, ...]:
    inside = (path for place in watched if place.is_dir() for path in _listed(place))
    return tuple(_stamp(path) for path in (*watched, *inside))


def _listed(folder: Path) -> list[Path]:
    try:
        return calendar_paths([folder])
    except ConfigError:  # loading will say so
        return []


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return (str(path), -1, -1, -1)
    return (str(path), found.st_ino, found.st_size, found.st_mtime_ns)
