"""Houses of which the time is handed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests.alerts.scenarios.house import House

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Build(Protocol):
    def __call__(self, **options: Any) -> House: ...


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Make houses, and close them in the end."""
    made: list[House] = []

    def built(**options: Any) -> House:
        folder = tmp_path / f"house-{len(made)}"
        folder.mkdir()
        made.append(House(folder, **options))
        return made[-1]

    yield built
    for house in made:
        house.close()


@pytest.fixture
def house(build: Build) -> House:
    """Three offices, a regional in-charge, a NOC desk, a meeting of all at 11:00."""
    return build()
