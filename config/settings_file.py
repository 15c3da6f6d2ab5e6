"""`tatpar.toml`: read over the built-in defaults, and checked beyond its types.

Needs nothing but the base install, so an office may use it too.
"""

from __future__ import annotations

import ssl
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from config.overlay import overlay
from config.plain_file import NotPlainError, must_be_plain
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
        settings: Settings = self._toml.convert(tables, Settings)
        check_settings(settings, self.wrong)
        self.settings = self._with_authority(settings)

    def wrong(self, key: KeyPath, problem: str, remedy: str) -> ConfigError:
        """The error about one key of this file."""
        return self._toml.wrong(key, problem, remedy)

    def _with_authority(self, settings: Settings) -> Settings:
        """The settings with the path of `broker.ca` made whole; tried now, so that a wrong one is not found out later."""
        if not settings.broker.ca:
            return settings
        file = (self.path.parent / settings.broker.ca).absolute()
        try:
            must_be_plain(file)
            ssl.create_default_context(cafile=file)
        except OSError as error:  # SSLError among them
            why = "is not there" if isinstance(error, FileNotFoundError) else "holds no certificate"
            why = f"is {error.strerror}" if isinstance(error, NotPlainError) else why
            problem = f"broker.ca names {file.name}, which {why}"
            raise self.wrong(
                ("broker", "ca"), problem, "name the PEM file of the broker's authority"
            ) from error
        return replace(settings, broker=replace(settings.broker, ca=str(file)))

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
