"""The catalogues: complete in both languages, alike in their placeholders."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from telemetry import words
from telemetry.decisions import Action, Horizon, OutcomeState, ReasonCode, State
from telemetry.rehearsal_reasons import WhyNot
from telemetry.rehearsing import OfficeState, RehearsalState
from telemetry.words.speak import KINDS, PLACEHOLDER, placeholders

if TYPE_CHECKING:
    from collections.abc import Iterator

ENUM_KEYS = [
    *(f"state.{member.value}" for member in State),
    *(f"told.{member.value}" for member in State),
    *(f"{voice}.{member.value}" for member in ReasonCode for voice in ("brief", "reason", "told")),
    *(f"action.{member.value}" for member in Action),
    *(f"horizon.{member.value}" for member in Horizon),
    *(f"outcome.{member.value}" for member in OutcomeState),
    *(f"rehearsal.why.{member.value}" for member in WhyNot),
    *(f"views.rehearsal_{member.value}" for member in RehearsalState),
    *(f"views.rehearsed_{member.value}" for member in OfficeState),
    "state.dark",
    "state.planned",
]


HOUSE = Path(__file__).parents[2]
ROOMS = ("alerts", "collector", "dashboards", "lab", "probes", "reports", "tatpar", "telemetry")


def keys_said(source: Path) -> Iterator[str]:
    """Keys that a file names where it speaks: `say(language, "table.now")`, also either of two."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and len(node.args) > 1):
            continue
        if getattr(node.func, "id", getattr(node.func, "attr", "")) == "say":
            key = node.args[1]
            for each in (key.body, key.orelse) if isinstance(key, ast.IfExp) else (key,):
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    yield each.value


def test_whatever_a_file_says_has_words() -> None:
    """A key that is misspelt where it is seldom said would end a command in a traceback."""
    said = {
        (key, str(file.relative_to(HOUSE)))
        for room in ROOMS
        for file in (HOUSE / room).rglob("*.py")
        for key in keys_said(file)
    }
    assert len(said) > 100
    assert [each for each in sorted(said) if not words.knows("en", each[0])] == []


def test_both_languages_hold_the_same_keys() -> None:
    """A key that one language has, the other has too."""
    assert set(words.catalogue("hi")) == set(words.catalogue("en"))


@pytest.mark.parametrize("key", ENUM_KEYS)
def test_every_decision_has_words(key: str) -> None:
    """Each state, reason (in three voices), action, horizon and outcome has words in both languages."""
    for language in words.LANGUAGES:
        assert words.knows(language, key)


def test_every_word_of_a_rehearsals_reason_has_its_code() -> None:
    """No words stand for a code that nobody says."""
    said = {key for key in words.catalogue("en") if key.startswith("rehearsal.why.")}
    assert said == {f"rehearsal.why.{member.value}" for member in WhyNot}


def test_no_text_is_empty_or_padded() -> None:
    """No entry is left untranslated, none has blanks around it."""
    for language in words.LANGUAGES:
        for key, text in words.catalogue(language).items():
            assert text, key
            assert text == text.strip(), key


def test_placeholders_are_the_same_in_both_languages() -> None:
    """A translation names the placeholders of its sister, with the same kinds."""
    hindi, english = words.catalogue("hi"), words.catalogue("en")
    for key, text in english.items():
        assert placeholders(text) == placeholders(hindi[key]), key


def test_every_brace_is_a_known_placeholder() -> None:
    """No stray brace and no unknown kind stands in a text."""
    for language in words.LANGUAGES:
        for key, text in words.catalogue(language).items():
            assert not re.search(r"[{}]", PLACEHOLDER.sub("", text)), key
            assert set(placeholders(text).values()) <= {"", *KINDS}, key


def test_a_reason_takes_one_number_and_a_brief_or_told_none() -> None:
    """`reason.<code>` has exactly `{value}`; the other two voices stand without numbers."""
    for code in ReasonCode:
        for language in words.LANGUAGES:
            texts = words.catalogue(language)
            assert placeholders(texts[f"reason.{code.value}"]) == {"value": ""}
            assert placeholders(texts.get(f"record.{code.value}", "")).keys() <= {"failed", "weeks"}
            assert not placeholders(texts[f"brief.{code.value}"])
            assert not placeholders(texts[f"told.{code.value}"])


def test_hindi_is_written_in_devanagari() -> None:
    """Every Hindi text but for units, names and bare placeholders holds Devanagari letters."""
    bare = {"ack.phone", "wall.other_language", "alerts.noc", "alerts.noc_phone"}
    for key, text in words.catalogue("hi").items():
        stripped = PLACEHOLDER.sub("", text)
        if key in bare or not re.search(r"[A-Za-z]", stripped):
            continue
        assert re.search(r"[\u0900-\u097f]", stripped), key


def test_a_meeting_has_one_hindi_word() -> None:
    """It is a मीटिंग on every screen, report and message; बैठक stands in names that operators give alone."""
    said = {key for key, text in words.catalogue("hi").items() if "मीटिंग" in text}
    assert len(said) > 100
    assert [key for key, text in words.catalogue("hi").items() if "बैठक" in text] == []


def test_nukta_letters_are_written_one_way() -> None:
    """ज़ and its like are base letter and nukta everywhere, so that searching finds them."""
    for key, text in words.catalogue("hi").items():
        assert not re.search(r"[\u0958-\u095f]", text), key


def test_plural_entries_have_both_forms() -> None:
    """A form for one never stands without the form for many."""
    for language in words.LANGUAGES:
        texts = words.catalogue(language)
        for key in texts:
            assert key.partition("#")[0] in texts


def test_the_browser_gets_a_copy() -> None:
    """Changing what `catalogue` gave does not change what the house says."""
    words.catalogue("en")["state.ready"] = "spoiled"
    assert words.say("en", "state.ready") == "ready"


def test_a_key_in_two_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same key in two files of a language is a mistake that names the file and the key."""
    from telemetry.words import catalogues as module

    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
    (tmp_path / "en").mkdir()
    for name in ("a.po", "b.po"):
        (tmp_path / "en" / name).write_text(header + 'msgid "x.y"\nmsgstr "z"\n', encoding="utf-8")
    monkeypatch.setattr(module, "_FOLDER", tmp_path)
    with pytest.raises(module.RepeatedWordError, match=r"b\.po: 'x\.y'"):
        module._read.__wrapped__("en")
