"""Whom a link or a reply speaks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from config.config import Config


def name_of(config: Config, person: str) -> str:
    """A person's name; the id of one who is no longer in the list."""
    return next((one.name for one in config.people if one.id == person), person)


def language_of(config: Config, person: str) -> str:
    """A person's language; the deployment's for one who is no longer in the list."""
    default = config.settings.deployment.language
    return next((one.language for one in config.people if one.id == person), default)
