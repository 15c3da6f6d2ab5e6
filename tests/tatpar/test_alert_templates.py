"""`tatpar alerts templates`: what a NOC hands to its provider."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from click.testing import CliRunner

from tatpar.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(main, ["alerts", "templates", *arguments])
    assert done.exit_code == status, done.output
    return done.output


def test_the_list_is_for_people_machines_and_forms(tmp_path: Path) -> None:
    """Text, JSON and CSV say the same; the NOC's number is that of the settings."""
    settings = tmp_path / "tatpar.toml"
    settings.write_text('[deployment]\nnoc_phone = "0522 000000"\n', encoding="utf-8")
    place = ("--config", str(settings), "--lang", "hi")
    found = json.loads(run(*place, "--json"))
    rows = list(csv.DictReader(io.StringIO(run(*place, "--csv"))))
    assert [entry["number"] for entry in found] == [row["number"] for row in rows]
    assert [entry["text"] for entry in found] == [row["text"] for row in rows]
    first = found[0]
    assert first["number"] == "T01-hi"
    assert "{#var#}" in first["text"]
    assert "0522000000" in first["text"]
    assert {"name": "n", "kind": "number", "most": 3, "values": []} in first["variables"]
    assert run(*place).startswith("T01-hi  (")


def test_both_languages_without_one_chosen_and_places_as_wanted() -> None:
    """Chat templates have numbered places unless others are asked for."""
    assert {entry["language"] for entry in json.loads(run("--form", "chat", "--json"))} == {"hi", "en"}
    assert "{{1}}" in run("--form", "chat", "--lang", "en")
    assert "{meeting}" in run("--places", "named", "--lang", "en")


def test_two_formats_at_once_are_wrong_input() -> None:
    """One line says what to write."""
    assert "choose one" in run("--json", "--csv", status=2)
