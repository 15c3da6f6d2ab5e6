"""Every mistake in the corpus is told in exactly the pinned line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import config
from config.errors import ConfigError

if TYPE_CHECKING:
    from conftest import Load

CORPUS = Path(__file__).parent / "broken"
BUILT_IN = Path(config.__file__).parent
KINDS = ("settings", "sites", "profiles", "meetings", "works", "people")
MISTAKES = sorted(str(path.relative_to(CORPUS)) for kind in KINDS for path in (CORPUS / kind).iterdir())


def _pinned() -> dict[str, str]:
    lines = (CORPUS / "pinned.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" => ", 1) for line in lines)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_told_in_its_pinned_line(mistake: str, load: Load) -> None:
    """A broken file is refused with the pinned line: where, what, and what to write instead."""
    with pytest.raises(ConfigError) as caught:
        load(mistake.split("/", maxsplit=1)[0], CORPUS / mistake)
    said = str(caught.value).replace(f"{CORPUS}/", "").replace(f"{BUILT_IN}/", "<built-in>/")
    assert said == _pinned().get(mistake, "(no line is pinned for this mistake)")


def test_every_pinned_line_has_its_file() -> None:
    """The pinned lines and the files of the corpus are the same set."""
    assert sorted(_pinned()) == MISTAKES


def test_every_error_names_a_line() -> None:
    """Each mistake within a file is told with the number of a line."""
    for mistake, line in _pinned().items():
        place = line.split(": ", 1)[0]
        assert place.rpartition(":")[2].isdigit(), mistake
