"""Whom a fault or a rule is about: one office, a provider's or a region's, an end, or all."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from config.text import one_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from config.sites import Site


class ScopeError(ValueError):
    """A scope names what does not exist; the text names the nearest that does."""


class ScopeKind(StrEnum):
    """What a scope goes by."""

    ALL = "all"
    SITE = "site"
    PROVIDER = "provider"
    REGION = "region"
    END = "end"


class Scope(Struct, frozen=True):
    """A set of lines by its common factor, written `saharanpur`, `provider:x`, `region:west`, `end:state` or `all`."""

    kind: ScopeKind
    name: str = ""

    def __str__(self) -> str:
        if self.kind is ScopeKind.ALL:
            return "all"
        return self.name if self.kind is ScopeKind.SITE else f"{self.kind}:{self.name}"

    def covers(self, site: Site, end: str, providers: Mapping[str, str]) -> bool:
        """Whether the line of an office to an end is meant."""
        match self.kind:
            case ScopeKind.ALL:
                return True
            case ScopeKind.SITE:
                return site.id == self.name
            case ScopeKind.PROVIDER:
                return providers.get(site.id) == self.name
            case ScopeKind.REGION:
                return site.region == self.name
            case ScopeKind.END:
                return end == self.name


class Places:
    """What a scope can name in this deployment."""

    def __init__(self, sites: Sequence[Site], ends: Sequence[str], providers: Mapping[str, str]) -> None:
        self.sites = tuple(sites)
        self.ends = tuple(ends)
        self.providers = dict(providers)
        """Provider of each office, by site id."""
        self._names: dict[ScopeKind, list[str]] = {
            ScopeKind.SITE: [site.id for site in sites],
            ScopeKind.PROVIDER: sorted(set(self.providers.values())),
            ScopeKind.REGION: sorted({site.region for site in sites}),
            ScopeKind.END: list(ends),
        }

    def scope(self, text: str) -> Scope:
        """The scope that a text names.

        Raises:
            ScopeError: no such office, provider, region or end; the nearest name is told.
        """
        if text == "all":
            return Scope(ScopeKind.ALL)
        prefix, colon, name = text.partition(":")
        if not colon:
            return Scope(ScopeKind.SITE, self._known(ScopeKind.SITE, text))
        try:
            kind = ScopeKind(prefix)
        except ValueError:
            raise ScopeError(
                f"`{text}` is no scope; write an office's id, provider:NAME, region:NAME, end:NAME or all"
            ) from None
        if kind is ScopeKind.ALL:
            raise ScopeError(f"`{text}` is no scope; write all")
        return Scope(kind, self._known(kind, name))

    def _known(self, kind: ScopeKind, name: str) -> str:
        names = self._names[kind]
        if name in names:
            return name
        what = "office" if kind is ScopeKind.SITE else kind
        remedy = one_of(name, names) if names else "there are none"
        raise ScopeError(f"there is no {what} `{name}` in the lab; {remedy}")

    def lines(self, scope: Scope) -> list[tuple[Site, str]]:
        """Every (office, end) that a scope covers."""
        return [
            (site, end) for site in self.sites for end in self.ends if scope.covers(site, end, self.providers)
        ]
