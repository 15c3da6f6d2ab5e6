"""How a check of the settings names what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from config.errors import ConfigError
    from config.toml_lines import KeyPath


class Wrong(Protocol):
    """Makes the error about one key of the file."""

    def __call__(self, key: KeyPath, problem: str, remedy: str) -> ConfigError:
        """The error, with the key's line."""
        ...
