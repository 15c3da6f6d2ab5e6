"""Whom a link or a reply speaks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.delivery.limits import AUDIENCES
from alerts.facts import Audience

if TYPE_CHECKING:
    from config.config import Config


def name_of(config: Config, person: str) -> str:
    """A person's name; the id of one who is no longer in the list."""
    return next((one.name for one in config.people if one.id == person), person)


def language_of(config: Config, person: str) -> str:
    """A person's language; the deployment's for one who is no longer in the list."""
    default = config.settings.deployment.language
    return next((one.language for one in config.people if one.id == person), default)


def audience_of(config: Config, person: str) -> Audience:
    """How somebody is spoken to; as the NOC is, when nobody knows."""
    role = next((one.role for one in config.people if one.id == person), None)
    return AUDIENCES.get(role, Audience.NOC) if role is not None else Audience.NOC
