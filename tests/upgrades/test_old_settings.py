"""Settings written for an earlier release: what was a key is one still, or its owner is told what became of it."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import ConfigError
from config.load import load_config
from config.renamed import GONE, gone
from config.settings_file import DEFAULTS
from tests.upgrades.recordings import RECORDED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RELEASED = json.loads((RECORDED / "keys.json").read_text("utf-8"))


def keys(table: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[str]:
    """Every key of a reference file, elements of lists without their numbers."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from keys(value, (*above, name))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for element in value:
                yield from keys(element, (*above, name))
        else:
            yield ".".join((*above, name))


def known_today(name: str) -> set[str]:
    """The keys, or columns, of a reference file of today."""
    text = (DEFAULTS / name).read_text("utf-8")
    return set(text.splitlines()[0].split(",")) if name.endswith(".csv") else set(keys(tomllib.loads(text)))


@pytest.mark.parametrize("release", RELEASED)
def test_every_key_of_a_release_is_known_or_explained(release: str) -> None:
    """By the reference files of then and of today: settings, probe, call profiles, and the columns of the tables."""
    assert set(RELEASED[release]) >= {"tatpar.toml", "probe.toml", "profiles.toml", "sites.csv"}
    for name, released in RELEASED[release].items():
        assert released
        missing = [key for key in released if key not in known_today(name) and key not in GONE]
        assert missing == [], (
            f"{name}: say in config/renamed.py since when they are gone, and what to write instead"
        )


def test_what_is_said_to_be_gone_was_there_and_is_not() -> None:
    """No entry outlives its reason."""
    ever = {key for files in RELEASED.values() for released in files.values() for key in released}
    for key, was in GONE.items():
        assert key in ever
        assert not any(
            key in files[name] for name, files in ((n, RELEASED[was.since]) for n in ("tatpar.toml",))
        )


def test_a_key_that_is_gone_is_explained_where_it_stands(tmp_path: Path) -> None:
    """File, line, since when, and what to write instead; a key that never was gets the nearest name."""
    file = tmp_path / "tatpar.toml"
    file.write_text("[alerts]\nsender = 'a@b.example'\nlead_min = 90\n", encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r'tatpar\.toml:3: alerts has no key "lead_min" since 0\.1\.0\.dev4; take it out'
    ):
        load_config(file)
    file.write_text("[alerts]\nlead_minutes = 90\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert "since" not in str(caught.value)
    assert gone(("alerts", 0, "lead_min")) is GONE["alerts.lead_min"]
