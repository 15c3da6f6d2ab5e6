"""`tatpar.toml`: read over the built-in defaults, and checked beyond its types.

Needs nothing but the base install, so an office may use it too.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from config.overlay import overlay
from config.settings import Settings
from config.settings_checks import check_settings
from config.toml_file import TomlFile

if TYPE_CHECKING:
    from config.errors import ConfigError
    from config.toml_lines import KeyPath

DEFAULTS: Final = Path(__file__).parent / "defaults"
DEFAULT_SETTINGS: Final = DEFAULTS / "tatpar.toml"


class SettingsFile:
    """The settings as they are in force, and the file that they came from."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or DEFAULT_SETTINGS
        self._toml = TomlFile(self.path)
        tables = self._toml.tables if path is None else overlay(_default_tables(), self._toml.tables)
        self.settings: Settings = self._toml.convert(tables, Settings)
        check_settings(self.settings, self.wrong)

    def wrong(self, key: KeyPath, problem: str, remedy: str) -> ConfigError:
        """The error about one key of this file."""
        return self._toml.wrong(key, problem, remedy)

    def says(self, *key: str) -> bool:
        """Whether the operator wrote this key (a default does not count)."""
        table: Any = self._toml.tables
        for step in key:
            if not isinstance(table, dict) or step not in table:
                return False
            table = table[step]
        return True


@cache
def _default_tables() -> dict[str, Any]:
    return TomlFile(DEFAULT_SETTINGS).tables


def timezone_of(settings: Settings) -> ZoneInfo:
    """The deployment's time zone."""
    return ZoneInfo(settings.deployment.timezone)
