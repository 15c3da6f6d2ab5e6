"""What the keeper of the hub reads, in the deployment's language and in the one that was asked for."""

from __future__ import annotations

import fcntl
import json
import re
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from tatpar.__main__ import main
from tatpar.terminal.amiss import still_beginning
from telemetry.access import Role, User
from telemetry.state.db import StateDb
from telemetry.state.quarantine import Refused
from telemetry.words import catalogue

if TYPE_CHECKING:
    from pathlib import Path

DEVANAGARI = re.compile("[\u0900-\u097f]")
COMMANDS = (
    ("sites", "--check"),
    ("meetings", "--check"),
    ("meetings", "--from", "2026-11-24", "--days", "1"),
    ("users", "list"),
    ("users", "sessions"),
    ("refused",),
    ("enroll", "list"),
    ("command", "list"),
    ("store", "prune", "--dry-run"),
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A hub with a user and something that was refused."""
    with closing(StateDb(tmp_path / "state.db")) as state:
        state.add_user(User(name="asha", role=Role.REHEARSE, secret="x", made_ns=1, changed_ns=1))
        refused = Refused(time.time_ns(), "tatpar/1/x/p1/report", "unknown_site: no office x", b"{}")
        state.quarantine([refused], max_rows=10, max_bytes=10_000)
    return tmp_path


def said(data: Path, *words: str) -> str:
    done = CliRunner().invoke(main, [*words, "--data", str(data)])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_in_both_languages(data: Path, words: tuple[str, ...]) -> None:
    """Hindi, since the deployment's is; English when asked for, without a word of the other."""
    english = said(data, *words, "--lang", "en")
    own = [line.rpartition("  ")[0] if words[0] == "meetings" else line for line in english.splitlines()]
    assert english.strip()
    assert not DEVANAGARI.search("\n".join(own)), english
    assert DEVANAGARI.search(said(data, *words))


@pytest.mark.parametrize("words", [("sites", "--check"), ("users", "list"), ("refused",)], ids=" ".join)
def test_machines_read_the_same_in_every_language(data: Path, words: tuple[str, ...]) -> None:
    """JSON has its English keys and words whatever the language."""
    found = [json.loads(said(data, *words, "--json", "--lang", lang)) for lang in ("hi", "en")]
    assert found[0] == found[1]


def test_a_role_and_a_refusal_keep_the_word_that_is_typed(data: Path) -> None:
    """In Hindi the meaning stands beside the word that an option takes, or that the logs have."""
    assert "पूर्वाभ्यास कराना (rehearse)" in said(data, "users", "list")
    assert "अनजान कार्यालय (unknown_site: no office x)" in said(data, "refused")


def test_a_hub_that_makes_its_past_is_not_to_be_started(tmp_path: Path) -> None:
    """While `up` holds the folder and has no store yet, commands say so; a stopped one is to be started again."""
    (tmp_path / "making-past").mkdir()
    with (tmp_path / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for words in (("ready",), ("gaps",), ("refused",), ("lab", "status"), ("alerts", "list")):
            done = CliRunner().invoke(main, [*words, "--data", str(tmp_path), "--lang", "en"])
            assert done.exit_code in {1, 2}
            assert "still making the emulated past" in done.output, words
    assert still_beginning(tmp_path, "en") == ""
    done = CliRunner().invoke(main, ["ready", "--data", str(tmp_path), "--lang", "en"])
    assert "start `tatpar up`" in done.output


def test_every_kind_of_refusal_has_its_meaning() -> None:
    """A new code needs words."""
    from collector.outcome import RefusalCode

    kinds = {key.partition(".")[2] for key in catalogue("hi") if key.startswith("refused.")}
    assert kinds == {code.value for code in RefusalCode}
