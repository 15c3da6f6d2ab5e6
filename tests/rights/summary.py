"""The last words of a run: what was not proved here, and why; and what had to go into a user namespace."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tests.rights.elsewhere import INSIDE

if TYPE_CHECKING:
    import pytest


def summarise(reporter: pytest.TerminalReporter) -> None:
    """Tell; nothing when every test was run here as it is."""
    inside = [
        one for one in reporter.getreports("passed") if ("tatpar", INSIDE) in map(tuple, one.user_properties)
    ]
    unproved = by_reason(reporter.getreports("skipped"))
    if inside:
        reporter.section("for want of rights")
        reporter.line(f"{len(inside)} tests were {INSIDE} of their own, where this account has the right")
    if unproved:
        reporter.section("not proved here, and why")
        for reason, names in unproved.items():
            reporter.line(f"{len(names)}: {reason}")
            for name in names:
                reporter.line(f"    {name}")


def by_reason(skipped: list[Any]) -> dict[str, list[str]]:
    """Reason -> names of the tests that were skipped for it."""
    found: dict[str, list[str]] = defaultdict(list)
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        found[reason.removeprefix("Skipped: ")].append(report.nodeid)
    return found
