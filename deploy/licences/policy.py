"""Which licences may be brought along: `policy.toml`, and what it says of one part."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from license_expression import ExpressionError, get_spdx_licensing

if TYPE_CHECKING:
    from license_expression import Licensing

    from deploy.licences.part import Part

POLICY: Final = Path(__file__).with_name("policy.toml")


@dataclass(frozen=True, slots=True)
class Policy:
    """The allowed licences, the exceptions by package, and licences that we read ourselves."""

    allowed: frozenset[str]
    exceptions: dict[str, str]
    """Package → the one licence that it may have beside the allowed ones."""
    read: dict[str, str]

    def objection(self, part: Part) -> str | None:
        """Why this part may not be brought along, in one line; None when it may."""
        if not part.licence:
            return (
                f"{part.name} {part.version}: its metadata names no licence; "
                f"read its licence file and write it under [read] in {POLICY.name}"
            )
        try:
            said = _spdx().parse(part.licence, validate=True)
        except ExpressionError as error:
            return (
                f"{part.name} {part.version}: {part.licence!r} is no SPDX expression ({error}); write what it means "
                f"under [read] in {POLICY.name}"
            )
        if _holds(said, self.allowed | {self.exceptions.get(part.name, "")}):
            return None
        return (
            f"{part.name} {part.version}: {part.licence} is not allowed; take another library, or have it decided and write it "
            f"into {POLICY.name} with the reason"
        )


def load_policy(path: Path = POLICY) -> Policy:
    """Read the policy.

    Raises:
        KeyError: a table or a licence is missing.
    """
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    exceptions = {name: str(row["licence"]) for name, row in content["exceptions"].items() if row["reason"]}
    return Policy(frozenset(content["allowed"]), exceptions, dict(content["read"]))


@cache
def _spdx() -> Licensing:
    """SPDX's list of licences; it is long, so it is read once."""
    return get_spdx_licensing()


def _holds(expression: object, allowed: frozenset[str] | set[str]) -> bool:
    """Whether an expression can be met with the allowed licences: of an OR one side, of an AND both."""
    operator = getattr(expression, "operator", "").strip()
    parts = [_holds(arg, allowed) for arg in getattr(expression, "args", ())]
    if operator == "OR":
        return any(parts)
    if operator == "AND":
        return all(parts)
    return str(expression) in allowed
